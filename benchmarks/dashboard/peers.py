"""Ours and optuna-dashboard on the same trials: the first load, and a poll with a new trial.

Theirs asks for all its trials every ten seconds until an answer has come, whether the last one has
come or not: where one takes longer than that, its server works at several of them at once.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser

from benchmarks.dashboard import asking, optunas
from benchmarks.dashboard.looking import CURVES, Load, opened
from benchmarks.dashboard.served import Served, optuna_dashboard, weighbridge
from benchmarks.report_database import MTL, make

_KEPT_S = 11.0
"""So long they answer from what they have read before."""


@dataclass(frozen=True, kw_only=True)
class Beside:
    """What was found of both.

    Attributes:
        load: Ours until its curves are drawn, theirs until its trials have come.
        poll: With one trial that is new.
        whole: All of their trials, asked for without a browser.
    """

    load: Load
    poll: asking.Asked
    their_load: Load
    their_poll: asking.Asked
    whole: asking.Asked

    @property
    def their_bytes(self) -> int:
        """Of their first load; with the answer that was not there in time."""
        late = 0 if self.their_load.came else self.whole.n_bytes
        return self.their_load.n_bytes + late


def beside(folder: Path, browser: Browser, *, n_trials: int, n_epochs: int) -> Beside:
    """Ask both, each of a server that has read the study before."""
    ours, theirs = folder / f"ours{n_trials}.db", folder / f"theirs{n_trials}.db"
    make(ours, MTL, n_runs=n_trials, n_epochs=n_epochs, n_seeds=1)
    optunas.make(theirs, n_trials=n_trials, n_epochs=n_epochs)
    url = f"sqlite:///{ours}"
    with weighbridge(url) as served:
        asking.concluded(served)
        loads = [opened(browser, served.url + "/study/1", selector=CURVES) for _ in range(3)]
        poll = asking.something_new(served, asking.PAGES["study"], url, rows=1, n=5)
    with optuna_dashboard(f"sqlite:///{theirs}") as served:
        whole = _asked(served, "/api/studies/1?after=0")
        address = served.url + "/dashboard/studies/1"
        their_load = opened(browser, address, answer="/api/studies/1?")
    with optuna_dashboard(
        f"sqlite:///{theirs}"
    ) as served:  # what the page has asked is left behind
        their_poll = _their_poll(served, theirs, n_trials)
    return Beside(
        load=min(loads, key=lambda one: one.done_ms),
        poll=poll,
        their_load=their_load,
        their_poll=their_poll,
        whole=whole,
    )


def _asked(served: Served, path: str) -> asking.Asked:
    used_s = served.processor_s()
    answer = served.get(path)
    return asking.summed([answer], served.processor_s() - used_s)


def _their_poll(served: Served, path: Path, n_trials: int) -> asking.Asked:
    """As their page does: it says how many finished trials it has."""
    answers, processor_s = [], 0.0
    for more in range(3):
        optunas.add_trial(path)
        time.sleep(_KEPT_S)
        used_s = served.processor_s()
        answers.append(served.get(f"/api/studies/1?after={n_trials + more}"))
        processor_s += served.processor_s() - used_s
    return asking.summed(answers, processor_s)
