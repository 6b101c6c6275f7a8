"""A driver's herald: in a thread, with connections of its own.

No receiver and no question ever holds up training: the driver starts it, and waits a little for it
when all else has ended.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Final

from storage import StorageError
from storage.records import StudyRecord
from study.asking import Asking
from study.errors import BadSpec
from study.running.herald import Channel, Herald
from study.spec.notify import URL_VARIABLE, NotifySpec, checked_url

if TYPE_CHECKING:
    from storage import Storage

_LOOK_S: Final = 5.0
_REST: Final = 50.0
"""Looking takes a fiftieth of the time, however large the study is; ..."""
_LONGEST_S: Final = 60.0
"""... but no rest is longer than this."""
_PATIENCE_S: Final = 5.0
_END_S: Final = 45.0
"""How long a driver waits for it: until the claim of one that died has run out, and then some."""
_LAST_LOOK_S: Final = 1.0

Say = Callable[[str], None]


def channel_of(notify: NotifySpec | None) -> Channel | None:
    """Where a study's messages go; None if it asks for none, or where they go is not known.

    Raises:
        BadSpec: The environment names what is no URL.
    """
    if notify is None:
        return None
    if (url := notify.known_url) is None and (given := os.environ.get(URL_VARIABLE)):
        try:
            url = checked_url(given)
        except ValueError as error:
            raise BadSpec(f"The environment's `{URL_VARIABLE}` {error}") from None
    return None if url is None else Channel(notify=notify, url=url)


def lacking(notify: NotifySpec | None) -> str:
    """What to know where messages are asked for, and their URL is not known; else empty."""
    if notify is None or channel_of(notify) is not None:
        return ""
    return (
        "No messages are sent: the URL in [notify] is a secret, and not stored with the study. "
        f"Name the study's file instead of the study, or set `{URL_VARIABLE}`."
    )


class Heralding:
    """What a driver tells its herald.

    Attributes:
        finished: Whether no search wants more runs; None before that is known.
    """

    def __init__(self) -> None:
        self.finished: bool | None = None


@contextmanager
def heralding(
    notify: NotifySpec | None, storage_url: str, study: StudyRecord, say: Say
) -> Iterator[Heralding]:
    """Tell a webhook of a study while the block runs, and what is to be told at its end.

    Args:
        say: Told of messages that were not taken.
    """
    told = Heralding()
    if (channel := channel_of(notify)) is None:
        if why := lacking(notify):
            say(why)
        yield told
        return
    thread = _Thread(channel, storage_url, study, told, say)
    thread.start()
    try:
        yield told
    except KeyboardInterrupt:
        raise  # who wants to stop at once waits for nobody
    except BaseException as error:
        thread.end(silent=isinstance(error, StorageError))
        raise
    else:
        thread.end()


class _Thread(threading.Thread):
    def __init__(
        self, channel: Channel, storage_url: str, study: StudyRecord, told: Heralding, say: Say
    ) -> None:
        super().__init__(daemon=True)
        self._channel, self._url, self._study = channel, storage_url, study
        self._told, self._say = told, say
        self._asking, self._ending = Asking(storage_url), threading.Event()
        self._said: set[str] = set()
        self._silent = False

    def end(self, *, silent: bool = False) -> None:
        """Let it tell the last, for a while.

        Args:
            silent: Of the database's trouble, of which the driver ends.
        """
        self._silent = silent
        self._ending.set()
        self.join(_END_S)
        self._asking.end()

    def run(self) -> None:
        """Look and send until the driver has ended."""
        try:
            with closing(self._opened()) as storage:
                herald = Herald(storage, self._study, self._channel, headline=self._asking.headline)
                took_s = 0.0
                while not self._ending.wait(max(_LOOK_S, min(_REST * took_s, _LONGEST_S))):
                    began_s = time.monotonic()
                    self._go_round(herald)
                    took_s = time.monotonic() - began_s
                self._go_round(herald)
                self._wait_for_others(herald)
        except Exception as error:  # a driver must not end of it
            self._say_once(f"No more messages are sent, for a {type(error).__name__}.")

    def _opened(self) -> Storage:
        from storage import Storage

        # the driver rescues a file that was moved away, and says so
        return Storage(self._url, create=False, patience_s=_PATIENCE_S, rescues=False)

    def _go_round(self, herald: Herald) -> None:
        try:
            herald.look(finished=self._told.finished)
            for one, refused in herald.send():
                if refused is not None:
                    self._say_once(f"The message `{one.event}` was not delivered. {refused.why}")
        except StorageError as error:
            # before its end it is looked at again; and of what ends the driver, that one tells
            if self._ending.is_set() and not self._silent:
                self._say_once(f"What is to be told cannot be told now. {error}")

    def _wait_for_others(self, herald: Herald) -> None:
        """A message whose sender may have died is sent once its claim has run out."""
        deadline_s = time.monotonic() + _END_S
        while time.monotonic() < deadline_s and herald.in_flight():
            self._say_once("Waiting for a message that another process may be sending.")
            time.sleep(_LAST_LOOK_S)
            self._go_round(herald)

    def _say_once(self, what: str) -> None:
        if what not in self._said:
            self._said.add(what)
            self._say(what)
