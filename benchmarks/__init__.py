"""Speed, measured: each module is a script that prints a table and, last, one JSON object."""
