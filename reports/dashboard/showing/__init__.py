"""What pages are made of: curves, tables, filters, what is said with them. It knows no page."""
