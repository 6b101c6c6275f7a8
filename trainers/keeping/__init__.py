"""What outlives a worker: checkpoints, what it has printed, and the places of such files.

Knows files and jobs, and no engine.
"""
