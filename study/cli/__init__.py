"""The command ``weighbridge``; one file a verb."""

import atexit
import gc
import os
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

__all__ = ["main"]

_SHORT = ("compare", "report", "export", "status")


def main() -> None:
    """Run the command line; for ``run``, torch is imported beside all that the command needs.

    Modules are imported inside: Ctrl-C may come while they are, and ends the command politely.
    """
    try:
        if sys.argv[1:2] and sys.argv[1] in _SHORT:
            _leave_garbage()
        elif sys.argv[1:2] == ["run"]:
            gc.disable()  # until all is imported, of which nothing is garbage: see `_run`
        with _workers_ahead(sys.argv[1:]):
            from study.cli._main import main as command_line

            command_line()
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted.\n")
        sys.exit(130)


def _leave_garbage() -> None:
    """Such a command ends before there is anything worth collecting, at its very end included."""
    gc.disable()
    atexit.register(gc.freeze)  # the interpreter collects once more as it ends, enabled or not


def _workers_ahead(arguments: Sequence[str]) -> AbstractContextManager[object]:
    if not _trains_here(arguments):
        return nullcontext()
    from study.cli._glimpse import all_has_ended
    from study.drivers.local.fork_server import fork_server_ahead

    return fork_server_ahead(is_needless=lambda: all_has_ended(arguments))


def _trains_here(arguments: Sequence[str]) -> bool:
    """Whether processes of this machine will train, as far as it can be seen so early."""
    elsewhere = ("--help", "--address", "--gpus-per-worker")
    return (
        arguments[:1] == ["run"]
        and not any(word.startswith(elsewhere) for word in arguments)
        and not ("RAY_ADDRESS" in os.environ and any("ray" in word for word in arguments))
    )
