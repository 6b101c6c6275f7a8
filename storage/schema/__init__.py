"""The schema: tables, types, views, migrations, and statements that both databases take."""
