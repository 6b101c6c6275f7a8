"""``weighbridge log``: what runs failed for, with traceback and output."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from storage.records import AttemptLog, Cause, TrainingRound
from study.catalogue import stored_name
from study.cli._options import STORAGE, AsJson, StorageUrl, Study
from study.cli._output import (
    console,
    counted,
    duration,
    next_step,
    print_json,
    run_to_plain,
    say,
    styled,
    table,
)
from study.cli._printed import Output, outputs_of
from study.commands import command_line
from study.errors import UnknownRun

if TYPE_CHECKING:
    from storage import Reader

NAME = "log"
_MOST_CAUSES = 10
_LINES = 40


def command(
    study: Study,
    run: Annotated[
        int | None,
        typer.Argument(
            metavar="[RUN]",
            min=1,
            max=2**63 - 1,  # of a database
            help="Number of a run; default: what failed, by cause.",
        ),
    ] = None,
    lines: Annotated[
        int, typer.Option(min=1, help="Most lines of what the run has printed: the last ones.")
    ] = _LINES,
    storage: StorageUrl = STORAGE,
    as_json: AsJson = False,
) -> None:
    """Show what runs failed for; of one run all attempts, the traceback, and what it printed."""
    from storage import Reader  # SQLAlchemy loads with it

    name = stored_name(study, storage=storage)
    reader = Reader(storage)
    try:
        record = reader.study(name)
        if run is None:
            _causes(name, reader.causes(record.id, limit=_MOST_CAUSES), storage, as_json=as_json)
        else:
            attempts = _attempts(reader, name, record.id, run)
            _run(name, attempts, reader.rounds_of([run]), lines, as_json=as_json)
    finally:
        reader.close()


def _attempts(reader: Reader, name: str, study_id: int, run: int) -> Sequence[AttemptLog]:
    found = reader.attempts_of(study_id, run)
    if not found:
        log = command_line("log", name, storage=reader.url)
        raise UnknownRun(
            f"A run has a log once an attempt was made at it. Study {name} has none at run {run}. "
            "The column `run` of the view run_results has the numbers, and so has "
            f"`{log}`, of runs that failed."
        )
    return found


def _causes(name: str, found: Sequence[Cause], storage: str, *, as_json: bool) -> None:
    if as_json:
        print_json(
            "log.causes", {"study": name, "causes": [_plain_cause(cause) for cause in found]}
        )
        return
    if not found:
        say(f"No attempt of study {name} has failed.")
        next_step("status", name, storage=storage)
        return
    for cause in found:
        last = cause.last
        say(
            (last.failure or "", "bold yellow"),
            f" in {counted(cause.attempts, 'attempt')} at {counted(cause.runs, 'run')} of "
            f"{last.search}; the last at run {last.run} (trial {last.trial}, seed {last.seed}):",
        )
        say(f"  {last.failure_text or ''}")
    if len(found) == _MOST_CAUSES:
        say((f"the latest {_MOST_CAUSES}; all are in the view attempt_costs", "dim"))
    next_step("log", name, str(found[0].last.run), storage=storage, why="traceback and output")


def _run(
    name: str,
    attempts: Sequence[AttemptLog],
    rounds: Sequence[TrainingRound],
    lines: int,
    *,
    as_json: bool,
) -> None:
    outputs = outputs_of(attempts)
    last = attempts[-1]
    if as_json:
        print_json(
            "log.run",
            {
                "study": name,
                **run_to_plain(last),
                "state": last.run_state,
                "reason": last.reason,
                "attempts": [_plain(attempt) for attempt in attempts],
                "rounds": [_plain_round(of) for of in rounds],
                "output": [{"place": o.place, "host": o.host, "text": o.text} for o in outputs],
            },
        )
        return
    say(
        (f"run {last.run}", "bold"),
        f" of {name}: {last.search}, trial {last.trial}, seed {last.seed}, {last.params}: ",
        (last.run_state, "bold"),
    )
    _table(attempts)
    if len(rounds) > 1:
        _table_of_rounds(rounds)
    for attempt in attempts:
        if attempt.failure_text:
            say((f"attempt {attempt.token}: {attempt.failure}", "yellow"))
            say(attempt.failure_text)
    if last.reason and last.reason != last.failure_text:
        say(last.reason)
    if traced := [attempt for attempt in attempts if attempt.detail]:
        say((f"traceback of attempt {traced[-1].token}:", "bold"))
        say(traced[-1].detail.rstrip())
    for output in outputs:
        _print_output(output, lines)


def _table(attempts: Iterable[AttemptLog]) -> None:
    right = ("attempt", "epochs", "took")
    rows = table("attempt", "ended as", "failure", "began", "took", "epochs", "host", right=right)
    for attempt in attempts:
        took = attempt.ended - attempt.started if attempt.ended else None
        rows.add_row(
            str(attempt.token),
            attempt.state,
            attempt.failure or "",
            f"{attempt.started.astimezone():%Y-%m-%d %H:%M:%S}",
            "" if took is None else duration(took.total_seconds()),
            str(attempt.epochs),
            attempt.host or "",
        )
    console.print(rows)


def _table_of_rounds(rounds: Iterable[TrainingRound]) -> None:
    heads = ("round", "epochs", "training", "validation")
    rows = table(*heads, right=heads)
    for of in rounds:
        epochs = f"{of.first_epoch} to {of.last_epoch}"
        rows.add_row(str(of.round), epochs, duration(of.train_s), duration(of.validation_s))
    console.print(rows)


def _print_output(output: Output, lines: int) -> None:
    if output.text is None:
        where = f"{output.place} on {output.host}" if output.host else output.place
        say((f"No output is here; what the run has printed would be in {where}.", "dim"))
        return
    printed = output.text.splitlines()
    left_out = len(printed) - lines
    cut = f", without the first {counted(left_out, 'line')}" if left_out > 0 else ""
    say(styled(("output", "bold"), f" ({output.place}{cut}):").plain)
    for line in printed[-lines:]:
        say(line)


def _plain_cause(cause: Cause) -> dict[str, Any]:
    return {
        "attempts": cause.attempts,
        "runs": cause.runs,
        "last": {**run_to_plain(cause.last), **_plain(cause.last)},
    }


def _plain(attempt: AttemptLog) -> dict[str, Any]:
    return {
        "attempt": attempt.token,
        "ended_as": attempt.state,
        "failure": attempt.failure,
        "failure_text": attempt.failure_text,
        "traceback": attempt.detail,
        "started": attempt.started.isoformat(),
        "ended": attempt.ended and attempt.ended.isoformat(),
        "epochs": attempt.epochs,
        "host": attempt.host,
        "code_fingerprint": attempt.code_fingerprint,
    }


def _plain_round(of: TrainingRound) -> dict[str, Any]:
    return {
        "round": of.round,
        "first_epoch": of.first_epoch,
        "last_epoch": of.last_epoch,
        "train_s": of.train_s,
        "validation_s": of.validation_s,
        "grad_evals": of.grad_evals,
    }
