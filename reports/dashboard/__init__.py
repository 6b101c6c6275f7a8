"""The dashboard: a study database as a web site, live, on read-only connections.

Where its server allows actions, a form opens another connection, for one command.

It reads through `storage.Reader` and shows what the report's functions say; it loads neither torch
nor Ray nor Optuna nor Plotly.
"""

from reports.dashboard.app import application
from reports.dashboard.concluding.outlook import Ending
from reports.dashboard.security import Access, is_loopback
from reports.dashboard.serving import serve
from reports.dashboard.site import Actions

__all__ = ["Access", "Actions", "Ending", "application", "is_loopback", "serve"]
