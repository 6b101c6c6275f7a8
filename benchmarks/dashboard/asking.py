"""What the server answers: polls, what is new, and lists, asked as an open page asks."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.dashboard.growing import add_runs
from benchmarks.dashboard.served import Answer, Served
from storage import Storage

_PATIENCE_S = 300.0
_QUIET_S = 3.0
_NOTHING_READ = re.compile("since=[_&]")
"""Of an address of a page that has no cursor yet."""

_MOST_NEW = 0.1
PAGES = {"study": "/study/1", "trials": "/study/1/trials"}
LISTS = (
    "?sort=cost&down=1",
    "?sort=test",
    "?search=gls&sort=epochs",
    "?state=done&value_from=-10",
    "?where=lr+%3E+0.01",
)
READ_LISTS = ("?sort=test.left.error_rate", "?sort=flops&down=1", "?most.validation.sum.mae=0.5")
"""Of what is read when it is first asked for."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Answers to questions of one kind.

    Attributes:
        ms: Milliseconds on the clock.
        processor_ms: Of the server's processor time, each.
        n_bytes: The largest body.
    """

    ms: Sequence[float]
    processor_ms: float
    n_bytes: int

    @property
    def said(self) -> str:
        return (
            f"{median(self.ms):.1f} ms ({min(self.ms):.1f} to {max(self.ms):.1f}), "
            f"processor {self.processor_ms:.1f} ms"
        )


def concluded(served: Served) -> float:
    """Seconds until the study's verdict is there."""
    began = time.monotonic()
    while 'class="headline' not in served.get(PAGES["study"]).text:
        if time.monotonic() > began + _PATIENCE_S:
            raise RuntimeError("No conclusions have been drawn.")
        time.sleep(0.5)
        served.memory_mb()
    return time.monotonic() - began


def nothing_new(served: Served, path: str, n: int) -> Asked:
    """Polls of a page that has seen all; what is new all the same counts for nothing, if rare."""
    live, answers, processor_s, n_new = _settled(served, path), list[Answer](), 0.0, 0
    while len(answers) < n:
        used_s = served.processor_s()
        answer = served.get(live)
        if answer.status == 204:
            answers.append(answer)
            processor_s += served.processor_s() - used_s
            continue
        n_new, live = n_new + 1, _live(answer) or live
        if n_new > n * _MOST_NEW:
            raise RuntimeError(f"{path} has something new at each look: {answer.text}")
    return summed(answers, processor_s)


def something_new(served: Served, path: str, url: str, *, rows: int, n: int) -> Asked:
    """Polls after each of which so many runs have come."""
    storage, live = Storage(url), _settled(served, path)
    answers, processor_s = [], 0.0
    for _ in range(n):
        add_runs(storage, rows)
        used_s = served.processor_s()
        answers.append(answer := served.get(live))
        processor_s += served.processor_s() - used_s
        live = _live(answer) or live
    storage.close()
    return summed(answers, processor_s)


def lists(served: Served, asked: Sequence[str], n: int) -> Asked:
    """Trials, sorted and filtered in several ways, once all that takes has been read."""
    paths = [PAGES["trials"] + one for one in asked]
    for path in paths:
        while "is being read" in served.get(path).text:
            time.sleep(0.2)
    return _asked(served, [lambda path=path: served.get(path) for path in paths * n])  # type: ignore[misc]


def _asked(served: Served, questions: Sequence[Callable[[], Answer]]) -> Asked:
    used_s = served.processor_s()
    answers = [ask() for ask in questions]
    return summed(answers, served.processor_s() - used_s)


def summed(answers: Sequence[Answer], processor_s: float) -> Asked:
    failed = [one.status for one in answers if one.status >= 400]
    if failed:
        raise RuntimeError(f"Answers had the status {failed}.")
    return Asked(
        ms=[one.ms for one in answers],
        processor_ms=1e3 * processor_s / len(answers),
        n_bytes=max(one.n_bytes for one in answers),
    )


def _settled(served: Served, path: str) -> str:
    """The address that an open page polls, once it has seen all there is.

    Nothing is new while all is still being read, and for a while after.
    """
    live, quiet_since = _live(served.get(path)), time.monotonic()
    while time.monotonic() < quiet_since + _QUIET_S or _NOTHING_READ.search(live):
        answer = served.get(live)
        if answer.status != 204:
            live, quiet_since = _live(answer) or live, time.monotonic()
        time.sleep(0.2)
    return live


def poll(served: Served, address: str) -> str:
    """Ask once, and tell the address to ask next."""
    answer = served.get(address)
    if answer.status >= 400:
        raise RuntimeError(f"{address} was answered with {answer.status}: {answer.text}")
    return _live(answer) or address


def _live(answer: Answer) -> str:
    found = re.search(r'id="live"[^>]*hx-get="([^"]*)"', answer.text)
    return html.unescape(found[1]) if found else ""
