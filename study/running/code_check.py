"""Whether the user's code is still the one by which a study's runs were trained."""

from __future__ import annotations

from collections.abc import Sequence

from storage.records import TrainedWith
from study.errors import CodeChanged
from study.planning.plan import Plan
from trainers.worker.code import Code

_MOST_NAMES = 5


def code_note(plan: Plan, before: Sequence[TrainedWith]) -> str:
    """What is to be said of runs that other code has trained; empty if there are none.

    Args:
        before: With what code the study's runs have been trained.
    """
    # a module that is new is no change of what was trained: a search may have brought it along
    changes = [(one, _others(plan.code, one)) for one in before]
    others = [one for one, names in changes if names]
    if not others:
        return ""
    changed = {name for _, names in changes for name in names}
    n_runs = sum(one.runs for one in others)
    runs = "1 run was" if n_runs == 1 else f"{n_runs} runs were"
    return (
        f"The code has changed since {runs} trained: {named(sorted(changed))}. Results of both "
        "will share a table."
    )


def _others(now: Code, before: TrainedWith) -> list[str]:
    """Modules of before that are others now, or gone."""
    return [name for name, digest in before.modules.items() if now.modules.get(name) != digest]


def check_code(plan: Plan, before: Sequence[TrainedWith]) -> str:
    """The note, unless the spec refuses what it says.

    Raises:
        CodeChanged: The code has changed, and [training] has `strict_code`.
    """
    note = code_note(plan, before)
    if note and plan.spec.training.strict_code:
        raise CodeChanged(
            f"[training] `strict_code` keeps a study to one version of its code. {note} Go back "
            "to that code, give the study another `name`, or drop `strict_code`."
        )
    return note


def worker_note(plan: Plan, loaded: Code, *, host: str) -> str:
    """What is to be said of a worker that has loaded other code than the driver sees; or empty.

    Raises:
        CodeChanged: It has, and [training] has `strict_code`.
    """
    if loaded.fingerprint == plan.code.fingerprint:
        return ""
    note = (
        f"A worker on {host} has loaded other code than this command has read when it started: "
        f"{named(loaded.changed(plan.code))}."
    )
    if plan.spec.training.strict_code:
        raise CodeChanged(
            f"[training] `strict_code` keeps a study to one version of its code. {note} Let all "
            "machines have the same files, and leave them alone while the study runs."
        )
    return f"{note} Its runs are marked by it."


def unread_note(plan: Plan, modules: Sequence[str]) -> str:
    """What is to be said of modules that a worker has loaded and nobody has read; or empty.

    Raises:
        CodeChanged: There are such, and [training] has `strict_code`.
    """
    if not modules:
        return ""
    note = (
        f"No import that can be read names what the workers have loaded: {named(modules)}. Changes "
        "of it are not seen."
    )
    if plan.spec.training.strict_code:
        raise CodeChanged(
            f"[training] `strict_code` keeps a study to one version of its code. {note} Import it "
            "by name from the folder of the study, or drop `strict_code`."
        )
    return f"{note} Import it by name, from the folder of the study."


def named(modules: Sequence[str]) -> str:
    """``my_problem, helper``, and how many more there are."""
    told = ", ".join(modules[:_MOST_NAMES])
    more = len(modules) - _MOST_NAMES
    return f"{told} and {more} more" if more > 0 else told
