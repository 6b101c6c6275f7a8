"""A grid of runs, start to finish, through Weighbridge and through its peers."""
