"""What takes long, worked out beside the server and remembered: conclusions, forecasts, output.

It reads the database by itself, and knows no page.
"""
