"""Judging: what finished runs are worth, what was decided by it, and the baseline behind it."""
