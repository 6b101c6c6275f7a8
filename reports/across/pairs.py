"""Studies of pairs of tasks: which tasks gain from each other, at each amount of labels.

Shapes: T tasks.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from reports._digits import finite
from reports.across.methods import Method, Studies, problem_of
from reports.frames import StudyFrames
from reports.inference import Interval
from storage.wording import listed, share_said

_PAIR = 2
_Asked = dict[tuple[str, ...], list[str]]
"""A pair of tasks to the studies that ask it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairTable:
    """What a method comes to on each pair of tasks, with one share of labels.

    Attributes:
        problem: Name of the problem.
        method: Its title.
        labels: Which share of training samples keeps its label, in words.
        tasks: ``[T]``, in the problem's order.
        values: Two tasks to the objective on test, either way round; NaN without a final value.
        intervals: Of final values, over seeds at 95 %, as far as there are seeds for one.
    """

    problem: str
    method: str
    labels: str
    tasks: Sequence[str]
    values: Mapping[tuple[str, str], float]
    intervals: Mapping[tuple[str, str], Interval]

    @property
    def title(self) -> str:
        """``EW, 0.1 of the labels``."""
        return f"{self.method}, {self.labels}"

    @property
    def pairs(self) -> list[tuple[tuple[str, str], float]]:
        """Each pair once, in the order of the tasks, with its value."""
        at = self.tasks.index
        return [(pair, of) for pair, of in self.values.items() if at(pair[0]) < at(pair[1])]

    def row(self, task: str) -> list[float | None]:
        """``[T]``: the values of its pairs; None of itself, and where no study asked."""
        return [self.values.get((task, other)) for other in self.tasks]

    def to_plain(self) -> dict[str, Any]:
        """Values that JSON can hold."""
        rows = [[None if of is None else finite(of) for of in self.row(t)] for t in self.tasks]
        return {
            "problem": self.problem,
            "method": self.method,
            "labels": self.labels,
            "tasks": list(self.tasks),
            "values": rows,
        }


def pair_tables(studies: Studies, methods: Sequence[Method]) -> tuple[PairTable, ...]:
    """A table of each method and share of labels, where studies ask several pairs of a problem.

    There is none where two studies ask one pair, which `pairs_asked_twice` tells.
    """
    tables = []
    for (problem, labels), asked in _asked(studies).items():
        if not _twice(asked):
            by_pair = {pair: label for pair, (label,) in asked.items()}
            tables += [
                _table(problem, labels, method, by_pair)
                for method in methods
                if any(label in method.results for label in by_pair.values())
            ]
    return tuple(tables)


def pairs_asked_twice(studies: Studies) -> tuple[str, ...]:
    """Why there is no table where two studies ask one pair, a sentence each."""
    return tuple(
        f"There is no table of pairs of {problem} with {labels}: "
        f"{'; '.join(f'{listed(pair)} are asked by {listed(by)}' for pair, by in twice.items())}. "
        "Compare one study of each pair to see it."
        for (problem, labels), asked in _asked(studies).items()
        if (twice := _twice(asked))
    )


def _asked(studies: Studies) -> dict[tuple[str, str], _Asked]:
    """By problem and labels: pairs, in either order, where several are asked.

    A pair without noisy tasks is one study, which stands beside the noisy ones of each rate.
    """
    groups: dict[_Labels, _Asked] = {}
    noisy: dict[_Labels, set[str]] = {}
    clean: list[tuple[_Labels, tuple[str, ...], str]] = []
    order: dict[frozenset[str], int] = {}
    for label, frames in studies.items():
        tasks = tuple(task["name"] for task in frames.card["tasks"])
        if len(tasks) == _PAIR:
            key, noise = _Labels.of(frames), frames.spec.get("label_noise")
            order.setdefault(frozenset(tasks), len(order))
            _enter(groups.setdefault(key, {}), tasks, label)
            if noise:
                of = noise["task"]
                noisy.setdefault(key, set()).update([of] if isinstance(of, str) else of)
            else:
                clean.append((key, tasks, label))
    for key, asked in groups.items():
        for of, tasks, label in clean:
            if key.wrong and of == key._replace(wrong="") and not noisy[key] & {*tasks}:
                _enter(asked, tasks, label)
    return {
        (key.problem, f"{key.kept}{key.wrong}"): dict(
            sorted(asked.items(), key=lambda item: order[frozenset(item[0])])
        )
        for key, asked in groups.items()
        if len(asked) > 1
    }


def _enter(asked: _Asked, tasks: tuple[str, ...], label: str) -> None:
    pair = tasks[::-1] if tasks[::-1] in asked else tasks
    asked.setdefault(pair, []).append(label)


def _twice(asked: _Asked) -> _Asked:
    return {pair: labels for pair, labels in asked.items() if len(labels) > 1}


def _table(
    problem: str, labels: str, method: Method, by_pair: Mapping[tuple[str, ...], str]
) -> PairTable:
    values: dict[tuple[str, str], float] = {}
    intervals: dict[tuple[str, str], Interval] = {}
    for (one, other), label in by_pair.items():
        result = method.results.get(label)
        value = result.row.value_test if result is not None and result.is_final else math.nan
        values |= {(one, other): value, (other, one): value}
        if not math.isnan(value) and result is not None and result.row.interval is not None:
            interval = result.row.interval
            intervals |= {(one, other): interval, (other, one): interval}
    tasks = [task for pair in by_pair for task in pair]
    return PairTable(
        problem=problem,
        method=method.title,
        labels=labels,
        tasks=[*dict.fromkeys(tasks)],
        values=values,
        intervals=intervals,
    )


class _Labels(NamedTuple):
    """What studies of one table share.

    Attributes:
        kept: How many labels there are, in words.
        wrong: How many of them are wrong; empty if none are.
    """

    problem: str
    kept: str
    wrong: str

    @classmethod
    def of(cls, frames: StudyFrames) -> Self:
        spec = frames.spec
        kept, wrong = _kept(spec.get("train_fraction")), _wrong(spec.get("label_noise"))
        return cls(problem_of(frames), kept, wrong)


def _kept(share: Any) -> str:
    if share is None or share == 1:
        return "all labels"
    if isinstance(share, Mapping):
        return f"labels {json.dumps(share, sort_keys=True)}"
    return f"{share_said(share)} of the labels"


def _wrong(noise: Mapping[str, Any] | None) -> str:
    if not noise or noise.get("rate") == 0:
        return ""
    rate = f" {share_said(noise['rate'])}" if "rate" in noise else ""
    return f", {noise['kind']} noise{rate}"
