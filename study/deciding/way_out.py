"""What to do about runs that ended badly: it follows from what they have ended with."""

from __future__ import annotations

from collections.abc import Sequence

from storage.records import FailureGroup
from study.commands import command_line
from study.errors import BaselineMissing

_NUMBERS = "give numbers in [baseline] `metrics`"


def baseline_missing(
    task: str,
    reason: str,
    failures: Sequence[FailureGroup],
    *,
    diverged: str,
    study: str,
    storage: str,
) -> BaselineMissing:
    """The single-task runs of a task have no winner.

    Args:
        reason: Why their search has stopped.
        failures: Of its runs, by cause.
        diverged: Where one of its runs diverged, as a sentence; empty if none has.
    """
    if failures:
        kinds = ", ".join(dict.fromkeys(group.failure or "an error" for group in failures))
        log = command_line("log", study, storage=storage)
        retry = command_line("retry", study, storage=storage)
        way_out = f"Runs failed with {kinds}: `{log}` shows where. Mend that, then `{retry}`"
    elif diverged:
        rates = "give the task smaller learning rates, in [baseline] `lr`"
        # what is infinite beside a finite loss does not come from a step too long
        is_loss = f" loss of task {task} " in diverged
        mend = rates if is_loss else f"mend that metric, or {rates}"
        way_out = f"{diverged} {mend[0].upper()}{mend[1:]}"
    else:
        way_out = "Raise what has ended it"
    return BaselineMissing(
        f"The baseline of task {task} is missing: {reason}. Nothing can be compared without it. "
        f"{way_out}; or {_NUMBERS}."
    )
