"""What is known of the studies that somebody looks at: mirrors of their runs, kept up by what
changes.

Reads by `storage.Reader` alone, and knows no page.
"""
