"""The command ``weighbridge``; one file a verb."""

import sys
from contextlib import nullcontext

from study.drivers import nursery_ahead

__all__ = ["main"]


def main() -> None:
    """Run the command line; for ``run``, torch is imported beside all that the command needs."""
    trains_here = sys.argv[1:2] == ["run"] and not {"--help", "ray", "--driver=ray"} & set(sys.argv)
    with nursery_ahead() if trains_here else nullcontext():
        from study.cli._main import main as command_line

        command_line()
