"""A study under way: runner, events, leases, failures, checkpoints.

The only room that changes a database.
"""
