"""Recording: what workers report becomes rows, once.

Stands on `planning`; of leases it knows the tokens.
"""
