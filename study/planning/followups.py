"""Follow-up searches: the best networks of other searches, their heads trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from search_spaces import Choices, Space
from study.errors import BadSpec
from study.planning.search_plan import Followup, Search, Stage
from study.spec.followup import FollowupSpec
from study.spec.study_spec import StudySpec
from trainers._card_checks import LONGEST_NAME
from trainers.cards import ProblemCard
from trainers.jobs import Corruptions
from trainers.problems.corruptions import KINDS, MOVING, PACKAGE, condition, is_installed

ROLE: Final = "followup"
PARENT: Final = "parent"
"""Of a point: the trial whose networks are followed up."""


def followup_searches(
    spec: StudySpec, card: ProblemCard, searches: Sequence[Search]
) -> list[Search]:
    """One search for each follow-up of each search; they have one stage, the heads' rate.

    Raises:
        BadSpec: The problem has no images, a kind does not go with its tasks, or the package that
            corrupts is not installed.
    """
    return [
        _search(part, parent, searches, spec, card) for part in spec.followup for parent in searches
    ]


def _search(
    part: FollowupSpec,
    parent: Search,
    searches: Sequence[Search],
    spec: StudySpec,
    card: ProblemCard,
) -> Search:
    rates = part.lr or _baseline_rates(searches)
    return Search(
        name=f"{part.name}/{parent.name}",
        role=ROLE,
        weighting=parent.weighting,
        title=parent.title,
        tasks=parent.tasks,
        stages=[Stage(kind="grid", space=Space({"lr": Choices(rates)}))],
        anchors={"lr": rates[0], "weight_decay": spec.training.weight_decay},
        objective=parent.objective,
        solo_only="A follow-up trains heads alone",
        alone=True,
        init_from=parent.name,
        followup=Followup(epochs=part.epochs, corruptions=corruptions_of(part, card)),
    )


def of_parent(search: Search, trial: int | None) -> Search:
    """A follow-up of a certain trial of its parent, which its points name.

    Args:
        trial: Number of the trial; None while it is not known, and for other searches.
    """
    if search.followup is None or trial is None:
        return search
    (stage,) = search.stages
    return replace(search, stages=[replace(stage, at={PARENT: trial})])


def refuse_unfit(spec: StudySpec, card: ProblemCard) -> None:
    """Refuse follow-ups that no worker could train.

    Raises:
        BadSpec: The problem has no images, or the package that corrupts is not installed.
    """
    if not spec.followup:
        return
    if card.images == "none":
        raise BadSpec(
            "[[followup]] corrupts images, and the problem's card must say that its inputs are "
            f"some. Got {card.name}, which has none. Drop [[followup]], or take a problem with "
            "`images` on its card."
        )
    if not is_installed():
        raise BadSpec(
            f"[[followup]] needs the package {PACKAGE}, which is not installed here. Install it "
            'with: pip install "weighbridge[corruptions]"'
        )


def corruptions_of(part: FollowupSpec, card: ProblemCard) -> Corruptions:
    """Kinds and severities of a follow-up.

    Raises:
        BadSpec: A kind moves pixels that have targets of their own, or the name of a metric leaves
            no room for a kind behind it.
    """
    dense = card.images == "dense"
    if dense and (moved := [kind for kind in part.kinds or () if kind in MOVING]):
        raise BadSpec(
            f"[[followup]] {part.name}: `kinds` must not move pixels where a task has a target a "
            f"pixel. Got {', '.join(moved)} on {card.name}. Drop them."
        )
    kinds = part.kinds or [kind for kind in KINDS if not (dense and kind in MOVING)]
    found = Corruptions(kinds=tuple(kinds), severities=tuple(part.severities))
    room = LONGEST_NAME - 1 - max(len(condition(*way)) for way in found.conditions)
    if long := [m.name for task in card.tasks for m in task.metrics if len(m.name) > room]:
        raise BadSpec(
            f"[[followup]] {part.name} judges by each kind and severity, which stand behind a "
            f"metric's name: it may have {room} characters here. Got {len(long[0])} of {long[0]}. "
            "Shorten it on the card, or drop kinds with long names."
        )
    return found


def left_out(spec: StudySpec, card: ProblemCard) -> str:
    """Which kinds of corruption were left out, and why; empty if none were."""
    if card.images != "dense" or all(part.kinds for part in spec.followup):
        return ""
    return (
        f"Of the {len(KINDS)} kinds of corruption, {', '.join(MOVING)} are left out: they move "
        "pixels, each of which has a target of its own."
    )


def _baseline_rates(searches: Sequence[Search]) -> list[float]:
    """Learning rates that single-task networks are trained with, which are all of the study's."""
    alone = next(search for search in searches if search.role == "baseline")
    (axis,) = alone.stages[0].axes_of("lr")
    return [float(rate) for rate in axis.points()]  # type: ignore[arg-type]
