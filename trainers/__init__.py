"""How one pack of runs is trained; knows nothing of studies and databases."""
