"""What is reached by spending: replayed searches and their best-so-far curves."""
