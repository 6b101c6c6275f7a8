"""The schema: tables, types, views, migrations, and statements that both databases take.

Of the rest of storage it knows records and states only.
"""
