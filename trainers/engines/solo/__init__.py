"""The solo engine.

Each run is a network of its own, in plain PyTorch, on one process or several.
"""
