"""The local driver: worker processes on this machine. Also what a slot on a cluster works with."""
