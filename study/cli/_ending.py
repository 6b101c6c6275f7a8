"""How a ``run`` has ended: in words, or as JSON."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import typer

from storage import FINAL, RunState
from study.api import Study
from study.cli._output import counted, next_step, note, print_json, say, say_notices
from study.cli._several import INTERRUPTED, opened_each
from study.cli._status import totals_to_plain
from study.commands import command_line
from study.running.runner import Outcome


@dataclass(frozen=True, slots=True)
class Ending:
    """A study that a command has worked on until it ended.

    Attributes:
        go_on: The command, as it is typed again.
        limits: Those that were set by --budget.
        typed: What the user has called the study.
    """

    study: Study
    outcome: Outcome
    go_on: Sequence[str]
    limits: Collection[str]
    typed: str

    @property
    def storage(self) -> str:
        """URL of the database."""
        return self.study.storage_url

    @property
    def sentence(self) -> str:
        """How many runs ended how: ``18 runs done, 4 diverged, 0 failed, 0 left.``."""
        states = self.outcome.states
        done, diverged = states.get(RunState.DONE, 0), states.get(RunState.DIVERGED, 0)
        pruned = f"{states[RunState.PRUNED]} pruned, " if RunState.PRUNED in states else ""
        left = sum(n for state, n in states.items() if state not in FINAL)
        return (
            f"{counted(done, 'run')} done, {diverged} diverged, {pruned}"
            f"{self.outcome.n_failed} failed, {left} left."
        )

    @property
    def exit_code(self) -> int:
        """130 if it was asked to end, 1 if runs have failed."""
        return INTERRUPTED if self.outcome.interrupted else int(self.outcome.n_failed > 0)

    def next(self) -> tuple[list[str], str]:
        """What a user would type now, and why."""
        name = self.study.name
        if self.outcome.interrupted:
            if self.outcome.paused:
                return ["resume", name], "it is paused; then run it again"
            return [*self.go_on], "goes on where this stopped"
        if self.outcome.n_failed:
            return ["log", name], "shows why runs failed"
        return ["report", name, "-o", "report.html"], ""

    def remarks(self) -> Iterator[str]:
        """What a user should know of the end, a sentence each."""
        if n := self.outcome.n_mismatches:
            yield (
                f"{counted(n, 'epoch')}, trained again, came out otherwise than before: see "
                "`mismatched_epochs` in the view attempt_costs."
            )
        for search, reason in self.outcome.stopped.items():
            yield f"search {search} stopped: {reason}."
        if self.outcome.limit and not self.outcome.interrupted:
            yield f"{self.outcome.limit} is used up; {way_on(self.typed, self.study, self.limits)}"


def conclude(ending: Ending, *, as_json: bool) -> None:
    """Say how it ended.

    Raises:
        Exit: It was interrupted, or runs have failed.
    """
    words, why = ending.next()
    if as_json:
        print_json("run", _to_plain(ending))
    else:
        say((ending.study.name, "bold"), f": {ending.sentence}")
        say_notices(ending.study.plan.notices)
        for sentence in ending.remarks():
            note(sentence)
        next_step(*words, storage=ending.storage, why=why)
    if ending.exit_code:
        raise typer.Exit(ending.exit_code)


def _to_plain(ending: Ending) -> dict[str, Any]:
    from storage import Reader  # SQLAlchemy loads with it

    reader = Reader(ending.storage)
    try:
        record = reader.study(ending.study.name)
        totals = reader.totals(record.id)
    finally:
        reader.close()
    outcome, (words, why) = ending.outcome, ending.next()
    return {
        **totals_to_plain(record, totals),
        "sentence": ending.sentence,
        "over": outcome.finished and all(state in FINAL for state in outcome.states),
        "interrupted": outcome.interrupted,
        "paused": outcome.paused,
        "limit": outcome.limit or None,
        "stopped": dict(outcome.stopped),
        "mismatched_epochs": outcome.n_mismatches,
        "remarks": list(ending.remarks()),
        "next": {"command": command_line(*words, storage=ending.storage), "why": why or None},
    }


def way_on(typed: str, opened: Study, limits: Collection[str]) -> str:
    """How a study goes on whose budget is used up.

    Args:
        typed: What the user has called it.
        limits: Those that were set by --budget.
    """
    storage = opened.storage_url
    found = opened_each(typed, storage=storage) if limits else []
    if any(_limited_less(one, opened, limits) for one in found if one.name == opened.name):
        run = command_line("run", typed, storage=storage)
        return f"--budget says less than {typed} does: `{run}`, without it, goes on."
    budget = command_line("budget", opened.name, storage=storage)
    return f"raise it in the spec, or by `{budget}`, and run again."


def _limited_less(plain: Study, opened: Study, limits: Collection[str]) -> bool:
    """Whether a study's spec as it is found now allows more than what was run."""
    now, then = plain.plan.spec.budget, opened.plan.spec.budget
    return any(
        (limit := getattr(now, kind)) is None or limit > getattr(then, kind) for kind in limits
    )
