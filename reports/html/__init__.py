"""The report of a study: one HTML file that needs no network and no other file."""

from reports.html._closer_look import closer_look
from reports.html._page import write, write_studies

__all__ = ["closer_look", "write", "write_studies"]
