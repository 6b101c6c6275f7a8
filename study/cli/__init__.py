"""The command ``weighbridge``; one file a verb."""

from study.cli._main import main

__all__ = ["main"]
