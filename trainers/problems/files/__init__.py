"""Data that the user has on disk: layouts, checks, splits, and loader processes that read it.

Nothing here but `source` needs torch.
"""
