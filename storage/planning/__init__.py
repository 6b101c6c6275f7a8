"""Planning: studies, their searches, what these are to try, and what has come of it."""
