"""Specs that ask several studies at once: of pairs of tasks, shares of labels, rates of noise."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import chdir
from dataclasses import replace
from itertools import combinations

from storage.wording import share_said
from study.errors import BadSpec
from study.spec.asked import PAIRS, asks_several
from study.spec.label_noise import NoiseSpec, by_rate, noise_ref
from study.spec.study_spec import StudySpec, check_name
from trainers.jobs import ProblemRef
from trainers.problems import ProblemError, card_of

_STRANGE = re.compile(r"[^A-Za-z0-9._-]")


def problem_ref(spec: StudySpec, folder: str | None) -> ProblemRef:
    """Where a study's problem comes from, with the tasks that are asked of it."""
    return ProblemRef(
        target=spec.problem or "",
        options=dict(spec.problem_options),
        folder=folder,
        tasks=tuple(spec.tasks) if isinstance(spec.tasks, list) else (),
    )


def members(spec: StudySpec, *, folder: str | None = None) -> list[StudySpec]:
    """The studies that a spec asks, each with a name of its own; most specs ask one, themselves.

    Each has a budget of its own, that of the spec.

    Raises:
        BadSpec: The problem is unknown, has no pair of tasks or none of a task that
            `train_fraction` or `label_noise` names, or what a study would be called is no name.
    """
    if not asks_several(spec):
        return [spec]
    found = [
        spec.model_copy(
            update={"name": name, "tasks": tasks, "train_fraction": share, "label_noise": noise}
        )
        for pair, tasks in _tasks(spec, folder)
        for shared, share in _shares(spec, f"{spec.name}{pair}", tasks)
        for name, noise in _noises(spec, shared, tasks)
    ]
    for one in found:
        check_name(one.name, what="`name`, tasks and share make the name of each study, which")
    if len({one.name for one in found}) < len(found):
        raise BadSpec(
            "Studies of pairs are called by their tasks, whose names must differ in letters, "
            f"digits, dots, dashes and underscores. Got {', '.join(one.name for one in found)}. "
            "Name the `tasks` of each study yourself."
        )
    return found


def refuse_several(spec: StudySpec, folder: str | None) -> None:
    """Refuse to take several studies for one.

    Raises:
        BadSpec: With their names.
    """
    if asks_several(spec):
        names = [one.name for one in members(spec, folder=folder)]
        raise BadSpec(
            f"{spec.name} asks {len(names)} studies at once: {', '.join(names)}. `plan`, `run`, "
            "`compare` and `report` take them together; elsewhere, name one of them."
        )


def shares_by_task(said: object, known: Sequence[str]) -> dict[str, float]:
    """Of tasks that do not keep all labels, how much they keep; names that are not known stay.

    Args:
        said: As `train_fraction` of one study has it.
        known: Tasks of the problem.
    """
    by_task = dict.fromkeys(known, said) if isinstance(said, float) else said
    shares = by_task.items() if isinstance(by_task, dict) else ()
    return {task: share for task, share in shares if share < 1 or task not in known}


def with_labels(ref: ProblemRef, spec: StudySpec, known: Sequence[str]) -> ProblemRef:
    """The problem with the labels that one study's tasks have: fewer, or noisy ones.

    Args:
        known: Tasks of the problem.
    """
    fractions = shares_by_task(spec.train_fraction, known)
    noise = noise_ref(spec.label_noise, known)
    return replace(ref, train_fraction=fractions, label_noise=noise)


def _tasks(spec: StudySpec, folder: str | None) -> Iterator[tuple[str, Sequence[str] | None]]:
    """What each pair adds to a name, and its tasks."""
    if spec.tasks != PAIRS:
        yield "", spec.tasks
        return
    try:
        with chdir("."):
            ref = problem_ref(spec, folder)
            card = card_of(ref)
            if isinstance(spec.train_fraction, dict):  # refuses names that no pair would have
                card_of(replace(ref, train_fraction=spec.train_fraction))
            for _, noise in by_rate(spec.label_noise):
                card_of(replace(ref, label_noise=noise_ref(noise, card.task_names)))
    except ProblemError as error:
        raise BadSpec(str(error)) from error
    if len(card.task_names) < 2:
        raise BadSpec(
            f'`tasks = "pairs"` needs a problem with two tasks or more. Got {card.name} with '
            f"{', '.join(card.task_names)}. Drop it."
        )
    for pair in combinations(card.task_names, 2):
        yield _STRANGE.sub("-", f".{pair[0]}-{pair[1]}"), [*pair]


def _shares(
    spec: StudySpec, name: str, tasks: Sequence[str] | None
) -> Iterator[tuple[str, object]]:
    """The name of each study of a pair, and the labels that its tasks keep."""
    said = spec.train_fraction
    if isinstance(said, list):
        yield from ((f"{name}.{share_said(share)}", share) for share in said)
    elif isinstance(said, dict):
        yield name, {task: share for task, share in said.items() if task in (tasks or ())} or None
    else:
        yield name, said


def _noises(
    spec: StudySpec, name: str, tasks: Sequence[str] | None
) -> Iterator[tuple[str, NoiseSpec | None]]:
    """The name of each study of some tasks, and the noise on their labels.

    A pair without noisy tasks is one study, as no rate changes it.
    """
    said = spec.label_noise
    if said is not None and spec.tasks == PAIRS:
        said = said.of_tasks(tasks or ())
    for rate, noise in by_rate(said):
        yield (name if rate is None else f"{name}.noise-{share_said(rate)}"), noise
