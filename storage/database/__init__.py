"""A database itself: URLs, engines, transactions, retries, errors explained.

Knows no tables but the version's.
"""
