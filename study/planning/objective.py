"""What the searches of a plan are ranked by, looked up among the metrics of the problem's card."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from storage.objectives import DirectedMetric, Objective, named, of_card
from storage.objectives.delta_m import NAME as DELTA_M
from study.errors import BadSpec
from study.planning.search_plan import Search
from study.spec.study_spec import StudySpec
from trainers.cards import ProblemCard
from trainers.suggestions import did_you_mean, shown

_ON_VALIDATION = "is taken on validation anyway"
_SPLITS: Mapping[str, str] = MappingProxyType(
    {
        "test": "must not look at test data: what is chosen by them has no honest test value. It "
        "is taken on validation, and its test value is shown beside",
        "train": "must not look at training data, which networks learn by heart. It is taken on "
        "validation",
        "validation": _ON_VALIDATION,
        "val": _ON_VALIDATION,
    }
)
_AS_WRITTEN = (" Take one of them.", " A metric is written as task.metric.")
_WITH_A_SPLIT = re.compile(
    "(?P<split>{0})[._ ](?P<name>.+)|(?P<name_>.+)[._ ](?P<split_>{0})".format("|".join(_SPLITS))
)


def metrics_of(card: ProblemCard) -> list[DirectedMetric]:
    """(task, metric, direction) of all M metrics that may decide, in the card's order.

    Those that use hidden truth are reported, and decide nothing.
    """
    return [
        (task.name, metric.name, metric.direction)
        for task in card.tasks
        for metric in task.metrics
        if not metric.uses_truth
    ]


def study_objectives(spec: StudySpec, card: ProblemCard) -> tuple[Objective, ...]:
    """What the searches of a study are ranked by; of several, the first one leads.

    Raises:
        BadSpec: The problem has no such objective.
    """
    return chosen_objectives(spec, of_card(card.to_plain()), whose="the problem's")


def chosen_objectives(
    spec: StudySpec, found: Mapping[str, Objective], *, whose: str
) -> tuple[Objective, ...]:
    """Those that the spec names, or else the first one.

    Args:
        found: All there are, by name.
        whose: Whose they are, for messages.

    Raises:
        BadSpec: There is none of a name; or one uses hidden truth, and the spec is no oracle's.
    """
    names = named(spec.objective) if spec.objective or DELTA_M in found else (next(iter(found)),)
    chosen = tuple(_found(name, found, whose) for name in names)
    if not spec.oracle:
        _refuse_truth(chosen, found)
    elif not any(objective.uses_truth for objective in chosen):
        raise BadSpec(
            "`oracle = true` goes with an objective that uses hidden truth. Got "
            f"{', '.join(names)}, which does not. Drop it."
        )
    return chosen


def _refuse_truth(chosen: Sequence[Objective], found: Mapping[str, Objective]) -> None:
    for objective in chosen:
        if objective.uses_truth:
            honest = [one.name for one in found.values() if not one.uses_truth]
            others = f"Take {' or '.join(honest)}, or say" if honest else "Say"
            raise BadSpec(
                f"`objective` must not use what is hidden from training. Got "
                f"{shown(objective.name)}, which does: it is reported, and chooses nothing. "
                f"{others} `oracle = true`, which every table will show."
            )


def _found(name: str, found: Mapping[str, Objective], whose: str) -> Objective:
    if name in found:
        return found[name]
    parts = _WITH_A_SPLIT.fullmatch(name)
    if parts and (plain := parts["name"] or parts["name_"]) in found:
        why = _SPLITS[parts["split"] or parts["split_"]]
        raise BadSpec(f"`objective` {why}. Got {shown(name)}. Write {plain!r}.")
    raise BadSpec(
        f"`objective` must be one of {whose}: {', '.join(found)}. Got {shown(name)}."
        f"{did_you_mean(name, found) or _AS_WRITTEN[DELTA_M in found]}"
    )


def front_notice(search: Search) -> list[str]:
    """That a search has several objectives, and what this means; nothing if it has one."""
    if not search.others:
        return []
    names = [objective.name for objective in (search.objective, *search.others)]
    return [
        f"Searches look for the front of {' and '.join(names)}: the trials that no other one beats "
        f"in all of them. Where one number is asked for, it is {names[0]}."
    ]
