"""A worker process: ``python -P -m trainers.worker FD`` trains the packs that come down a pipe.

It knows the driver only by the pipe: when that closes, the process exits at once.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from multiprocessing.connection import Connection
from queue import SimpleQueue

from trainers.events import Beat, Message, Open, OpenFailed, PackEnded, Ready, Stop, TrainPack
from trainers.jobs import Pack

BEAT_S = 1.0


class Pipe:
    """The worker's end of the pipe: sends from several threads, receives in one."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._sending = threading.Lock()
        self.packs: SimpleQueue[Pack] = SimpleQueue()
        self.stopping = threading.Event()

    def send(self, message: Message) -> None:
        """Send, or exit if nobody listens any more."""
        try:
            with self._sending:
                self._connection.send(message)
        except OSError:
            os._exit(0)

    def first(self) -> Open:
        """The driver's first message."""
        message: Open = self._connection.recv()
        return message

    def listen(self) -> None:
        """Sort the driver's messages until the pipe closes, then end the process."""
        while True:
            try:
                message = self._connection.recv()
            except (EOFError, OSError):
                os._exit(0)
            if isinstance(message, TrainPack):
                self.stopping.clear()
                self.packs.put(message.pack)
            elif isinstance(message, Stop):
                self.stopping.set()

    def beat(self) -> None:
        """Say every second that the process is alive."""
        while True:
            time.sleep(BEAT_S)
            self.send(Beat())


def main() -> None:
    """Serve packs until the driver closes the pipe."""
    started = time.perf_counter()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the driver decides what an interrupt means
    pipe = Pipe(Connection(int(sys.argv[1])))
    opening = pipe.first()
    for target in (pipe.listen, pipe.beat):
        threading.Thread(target=target, daemon=True).start()
    try:
        serve(opening, pipe, started)
    except ImportError as error:
        pipe.send(OpenFailed(f"{error}"))


def serve(opening: Open, pipe: Pipe, started: float) -> None:
    """Load the problem once, then train pack after pack."""
    import torch

    from trainers.engines import open_session, train
    from trainers.environment import environment
    from trainers.errors import TrainingError
    from trainers.problems import ProblemError, build

    torch.set_num_threads(opening.threads)
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        problem = build(opening.problem)
        session = open_session(problem, opening.device, pipe.stopping.is_set)
    except (ProblemError, TrainingError) as error:
        pipe.send(OpenFailed(str(error)))
        return
    startup_s = time.perf_counter() - started
    pipe.send(Ready(startup_s=startup_s, environment=environment(opening.device)))
    while True:
        pack = pipe.packs.get()
        for event in train(pack, session):
            pipe.send(event)
        pipe.send(PackEnded())


if __name__ == "__main__":
    main()
