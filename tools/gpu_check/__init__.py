"""Shows on one GPU what Weighbridge promises of it: ``python -m tools.gpu_check``.

A few minutes without a network. Each step is a process of its own with a limit of time, and prints
one line of JSON when it ends. Needs torch, numpy, SQLAlchemy, Alembic and pydantic, and nothing of
Ray, Optuna, PostgreSQL or plotly.
"""
