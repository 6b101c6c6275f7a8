"""Planning: studies, their searches, what these are to try, and what has come of it.

Knows no leases, and nothing of how runs are trained.
"""
