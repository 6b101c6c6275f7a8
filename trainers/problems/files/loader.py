"""A loader process: ``python -P -m trainers.problems.files.loader PIPE MEMORY``.

It reads batches into shared memory, as it is told through its pipe, and ends when it is told to, or
the pipe closes. It imports no torch.
"""

from __future__ import annotations

import signal
import sys
from multiprocessing.connection import Connection

from trainers.problems.errors import DataBroken
from trainers.problems.files.batches import Reading
from trainers.problems.files.memory import Window
from trainers.problems.files.messages import Answered, Asked, Told


def main() -> None:
    """Read until told to end, or the pipe closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the worker decides what an interrupt means
    pipe, window = Connection(int(sys.argv[1])), Window(int(sys.argv[2]))
    readings: dict[int, Reading] = {}
    try:
        while True:
            asked = pipe.recv()
            if asked is None:
                return
            if isinstance(asked, Told):
                readings[asked.number] = asked.reading
            else:
                pipe.send(_answer(asked, readings, window))
    except (EOFError, OSError):
        return


def _answer(asked: Asked, readings: dict[int, Reading], window: Window) -> Answered:
    try:
        readings[asked.reading].fill(asked.rows, asked.key, window.view(asked.block))
    except DataBroken as error:
        return Answered(asked.ticket, str(error), broken=True)
    except Exception as error:  # a loader that ends would hide what it met
        return Answered(asked.ticket, f"{type(error).__name__}: {error}")
    return Answered(asked.ticket)


if __name__ == "__main__":
    main()
