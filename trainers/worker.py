"""A worker process: trains the packs that come down a pipe.

It is forked by `trainers.nursery` and knows the driver only by the pipe: when that closes, the
process exits at once.
"""

from __future__ import annotations

import os
import signal
import threading
import time
import traceback
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import TYPE_CHECKING

from trainers.environment import environment
from trainers.errors import TrainingError
from trainers.events import Beat, Message, Open, OpenFailed, PackEnded, Ready, Stop, TrainPack
from trainers.jobs import Pack
from trainers.problems.errors import ProblemError

if TYPE_CHECKING:
    from trainers.engines import Session

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
        """The driver's first message; exits if the driver is gone before it was sent."""
        try:
            message: Open = self._connection.recv()
        except (EOFError, OSError):
            os._exit(0)
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


def main(descriptor: int) -> None:
    """Serve packs until the driver closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the driver decides what an interrupt means
    pipe = Pipe(Connection(descriptor))
    opening = pipe.first()
    for target in (pipe.listen, pipe.beat):
        threading.Thread(target=target, daemon=True).start()
    try:
        session = opened(opening, pipe)
        details = environment(opening.device)
    except Exception as error:  # a user's problem may raise anything
        traceback.print_exc()
        pipe.send(OpenFailed(explained(error)))
        return
    pipe.send(Ready(startup_s=time.monotonic() - opening.asked_s, environment=details))
    serve(pipe, session)


def opened(opening: Open, pipe: Pipe) -> Session:
    """Prepare torch and load the problem, once."""
    import torch

    from trainers.engines import open_session
    from trainers.problems import build

    torch.set_num_threads(opening.threads)
    torch.use_deterministic_algorithms(True, warn_only=True)
    return open_session(build(opening.problem), opening.device, pipe.stopping.is_set)


def explained(error: Exception) -> str:
    """Our own errors say what to do; of any other, say what it is and where it was raised."""
    if isinstance(error, ProblemError | TrainingError):
        return str(error)
    place = traceback.extract_tb(error.__traceback__)[-1]
    return (
        "A problem must open without an error. "
        f"{type(error).__name__}: {error} ({place.filename}, line {place.lineno})."
    )


def serve(pipe: Pipe, session: Session) -> None:
    """Train pack after pack."""
    from trainers.engines import train

    while True:
        pack = pipe.packs.get()
        for event in train(pack, session):
            pipe.send(event)
        pipe.send(PackEnded())
