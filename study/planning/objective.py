"""What the searches of a plan are ranked by, looked up among the metrics of the problem's card."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from storage.objectives import DirectedMetric, Objective, known, named
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
_WITH_A_SPLIT = re.compile(
    "(?P<split>{0})[._ ](?P<name>.+)|(?P<name_>.+)[._ ](?P<split_>{0})".format("|".join(_SPLITS))
)


def metrics_of(card: ProblemCard) -> list[DirectedMetric]:
    """(task, metric, direction) of all M metrics, in the card's order."""
    return [(task.name, m.name, m.direction) for task in card.tasks for m in task.metrics]


def study_objectives(spec: StudySpec, card: ProblemCard) -> tuple[Objective, ...]:
    """What the searches of a study are ranked by; of several, the first one leads.

    Raises:
        BadSpec: The problem has no such objective.
    """
    found = known(metrics_of(card))
    return tuple(_found(name, found) for name in named(spec.objective))


def _found(name: str, found: Mapping[str, Objective]) -> Objective:
    if name in found:
        return found[name]
    parts = _WITH_A_SPLIT.fullmatch(name)
    if parts and (plain := parts["name"] or parts["name_"]) in found:
        why = _SPLITS[parts["split"] or parts["split_"]]
        raise BadSpec(f"`objective` {why}. Got {shown(name)}. Write {plain!r}.")
    raise BadSpec(
        f"`objective` must be one of the problem's: {', '.join(found)}. Got {shown(name)}."
        f"{did_you_mean(name, found) or ' A metric is written as task.metric.'}"
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
