"""Recording: what workers report becomes rows, once."""
