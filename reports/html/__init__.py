"""The report of a study: one HTML file that needs no network and no other file."""

from reports.html._page import write

__all__ = ["write"]
