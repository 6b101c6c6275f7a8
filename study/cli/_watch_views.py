"""What `weighbridge watch` shows looks on: a live screen, lines, or lines of JSON."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from rich.live import Live
from rich.text import Text

from study.cli._output import console, note, print_json, styled
from study.cli._watch_events import Event
from study.cli._watch_screen import event_text, headline, line, screen, state_of
from study.cli._watched import Look, plain_of

_LINE_S = 60.0
_MOST_EVENTS = 50


class View(Protocol):
    """What looks are shown on.

    Attributes:
        back: How many changes before the first look it shows.
    """

    back: int

    def show(self, look: Look, is_new: bool, /) -> None:
        """Show a look; one that is not new tells nothing but the time."""

    def end(self) -> None:
        """Leave what was shown last."""


def view_for(*, as_json: bool) -> View:
    """The one that this output is good for."""
    if as_json:
        return JsonLines()
    return Screen() if console.is_terminal else Lines()


class Screen:
    """A terminal."""

    back = 200

    def __init__(self) -> None:
        self._events: deque[Event] = deque(maxlen=_MOST_EVENTS)
        self._live = Live(
            Text("reading the study ..."),
            console=console,
            auto_refresh=False,
            vertical_overflow="crop",
        )
        self._live.start()

    def show(self, look: Look, _is_new: bool, /) -> None:
        """Draw it anew; times move on while nothing else does."""
        self._events.extend(look.events)
        width, height = console.size
        self._live.update(
            screen(look, tuple(self._events), width=width, height=height), refresh=True
        )

    def end(self) -> None:
        """Leave it as it is, with the cursor below."""
        self._live.stop()


class Lines:
    """A pipe or a file: a line for each event, each new headline and, once a minute, the whole.

    Args:
        clock: Seconds that do not jump.
    """

    back = 0

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._said, self._trouble, self._state = "", "", ""
        self._line_s: float | None = None

    def show(self, look: Look, is_new: bool, /) -> None:
        """Print what is new."""
        for event in look.events:
            console.print(event_text(event), soft_wrap=True)
        if look.answers.change >= 0 and (said := headline(look)) != self._said:
            self._said = said
            console.print(styled((said, "bold")), soft_wrap=True)
        if look.trouble != self._trouble:
            self._trouble = look.trouble
            note(f"{look.trouble} Trying again." if look.trouble else "The database is back.")
        now_s, state = self._clock(), state_of(look)
        late = self._line_s is None or (is_new and now_s - self._line_s >= _LINE_S)
        if late or state != self._state:
            self._line_s, self._state = now_s, state
            console.print(styled(line(look)), soft_wrap=True)
        sys.stdout.flush()

    def end(self) -> None:
        """Nothing is left to do."""


class JsonLines:
    """A program: a document on one line for each change."""

    back = 0

    def __init__(self) -> None:
        self._said: Mapping[str, Any] = {}

    def show(self, look: Look, is_new: bool, /) -> None:
        """Print it, if there is anything new."""
        if not is_new:
            return
        plain = plain_of(look, state=state_of(look).replace(" ", "_"))
        said = {key: value for key, value in plain.items() if key not in ("at", "events")}
        if look.events or said != self._said:
            self._said = said
            print_json("watch", plain, on_a_line=True)

    def end(self) -> None:
        """Nothing is left to do."""
