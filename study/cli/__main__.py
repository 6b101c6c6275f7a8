"""``python -m study.cli`` is the command ``weighbridge``."""

from study.cli import main

main()
