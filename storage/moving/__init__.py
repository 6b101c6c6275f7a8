"""Moving: another try for failed runs, and what becomes of paused ones."""
