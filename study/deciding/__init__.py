"""What a search does next: pure functions of plan and history.

Of storage they know the records only.
"""
