"""The dashboard: a study database as a web site, live, on read-only connections.

It reads through `storage.Reader` and shows what the report's functions say; it loads neither torch
nor Ray nor Optuna nor Plotly.
"""

from reports.dashboard.app import application
from reports.dashboard.security import Access, is_loopback
from reports.dashboard.serving import serve

__all__ = ["Access", "application", "is_loopback", "serve"]
