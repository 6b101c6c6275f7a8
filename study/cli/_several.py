"""Studies that one spec asks at once: each opened, listed, and worked on in its turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import typer

from storage import StudyChanged
from storage.wording import counted, listed
from study.api import Study
from study.catalogue import find
from study.cli._output import errors, fail_code, next_step, note, say, styled
from study.cli._wide import Column, show
from study.errors import BadSpec, StudyError
from study.planning.members import members

INTERRUPTED: Final = 130
"""Exit code of a command that was asked to end."""
_RUNS_FAILED: Final = 1


def opened_each(study: str, *, storage: str) -> list[Study]:
    """The studies that a spec asks: one as a rule, or one for each pair of tasks and share.

    Raises:
        UnknownStudyName: There is none of that name.
        BadSpec: It has errors.
    """
    found = find(study, storage=storage)
    specs = members(found.spec, folder=found.folder)
    return [Study(spec, storage=storage, folder=found.folder) for spec in specs]


def show_each(typed: str, studies: Sequence[Study], *, alone: bool) -> None:
    """Print which studies a spec asks, and what to type next.

    Args:
        alone: Whether nothing else is asked of them.

    Raises:
        BadSpec: More is.
    """
    if not alone:
        raise BadSpec(
            f"{typed} asks {len(studies)} studies at once, of which `plan` shows a list. Leave out "
            "--json, --probe, --like, --resolve and --budget."
        )
    n_runs = [study.plan.expected_runs for study in studies]
    show(
        Column(head="study", cells=[study.name for study in studies], text=True),
        [
            Column(head="tasks", cells=[", ".join(_tasks(study)) for study in studies], text=True),
            Column(head="runs", cells=[str(n) for n in n_runs]),
        ],
    )
    say(f"{counted(len(studies), 'study', 'studies')}, {counted(sum(n_runs), 'run')} expected.")
    for notice in dict.fromkeys(one for study in studies for one in study.plan.notices):
        note(notice)
    budget = studies[0].plan.spec.budget.model_dump(exclude_none=True)
    if limited := [f"`{kind}`" for kind in budget]:
        note(
            f"{listed(limited)} of [budget] count for each of the {len(studies)} studies by itself."
        )
    next_step("run", typed, storage=studies[0].storage_url, why="trains them one after the other")


def each_in_turn(typed: str, studies: Sequence[Study], work: Callable[[Study], object]) -> None:
    """Work on studies one after the other; one that fails keeps no other from its turn.

    Args:
        typed: What the user has called them.
        work: Raises `typer.Exit` with a code where a study has not ended well.

    Raises:
        Exit: The work was interrupted, or studies have failed; with the worst of their codes.
        StudyError: The only study could not be worked on.
        StudyChanged: The only study was changed or deleted meanwhile.
    """
    if not studies[1:]:
        work(studies[0])
        return
    codes: dict[str, int] = {}
    for study in studies:
        try:
            work(study)
        except typer.Exit as ending:
            codes[study.name] = ending.exit_code
            if ending.exit_code == INTERRUPTED:
                break
        except (StudyError, StudyChanged) as error:
            errors.print(styled(("error", "bold red"), f" {study.name}: {error}"))
            codes[study.name] = fail_code(error)
    if failed := {name: code for name, code in codes.items() if code != INTERRUPTED}:
        n = counted(len(studies), "study", "studies")
        note(f"Of {n}, {len(failed)} failed: {', '.join(failed)}. None kept another from its turn.")
    for name, code in failed.items():
        if code == _RUNS_FAILED:
            next_step("log", name, storage=studies[0].storage_url, why="shows why runs failed")
    if worst := max(codes.values(), default=0):
        raise typer.Exit(worst)
    next_step("compare", typed, storage=studies[0].storage_url)


def _tasks(study: Study) -> Sequence[str]:
    return study.plan.card.task_names
