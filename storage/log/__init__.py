"""Looking back: what happened to runs, attempt by attempt, and by which code."""
