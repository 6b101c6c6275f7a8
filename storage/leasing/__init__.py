"""Leasing: drivers and workers make themselves known, and hold runs for a time.

Stands on `planning`, whose lock each change takes.
"""
