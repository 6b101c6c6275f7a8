"""What outlives a worker: checkpoints, what it has printed, and the places of such files."""
