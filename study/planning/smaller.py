"""Smaller versions of a spec: fewer seeds, coarser grids, pruning; as a user would write them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from search_spaces.variants import parameter_of
from study.spec.study_spec import StudySpec

_Plain = Mapping[str, Any]
_RATE: Final = "lr"
_FEWEST_VALUES: Final = 3  # both ends and one between
_FEWEST_TRIALS: Final = 4  # of a stage that is sampled, or pruned
_STEPS: Final = (1, 2, 4)
_KEPT: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Smaller:
    """A spec with some of it cut.

    Attributes:
        plain: The whole spec as plain values.
        every: Every how many-th value of a grid is kept, of its weightings' own parameters.
        halved: Whether the worse half of each round is pruned at two rungs.
    """

    plain: _Plain
    seeds: Sequence[int]
    every: int
    halved: bool
    was: StudySpec

    @property
    def said(self) -> str:
        """What was cut, in words."""
        n_before = len(self.was.seeds)
        cuts = [
            f"{len(self.seeds)} of {n_before} seeds" if len(self.seeds) < n_before else "",
            f"every {_ORDINALS[self.every]} value" if self.every > 1 else "",
            "halving" if self.halved else "",
        ]
        return ", ".join(filter(None, cuts)) or "as it is"

    @property
    def n_cuts(self) -> int:
        """How many things were cut, the finer grids twice."""
        fewer = len(self.seeds) < len(self.was.seeds)
        return fewer + _STEPS.index(self.every) + self.halved

    @property
    def toml(self) -> str:
        """Lines to paste into the spec: what differs from it."""
        before = self.was.to_plain()
        lines = [] if self.plain["seeds"] == before["seeds"] else [f"seeds = {_toml(self.seeds)}"]
        for part, old in zip(self.plain["search"], before["search"], strict=True):
            if part["stages"] != old["stages"]:
                named = part["name"] or part["weighting"]
                names = [named] if isinstance(named, str) else named
                lines += [f"# in [[search]] of {', '.join(names)}"]
                lines += [f"stages = {_toml(part['stages'])}"]
        return "\n".join(lines)


_ORDINALS: Final = {2: "second", 4: "fourth"}


def smaller(spec: StudySpec) -> Iterator[Smaller]:
    """The spec as it is, and what comes of cutting seeds, grids and epochs of what falls behind."""
    plain = spec.to_plain()
    known: list[_Plain] = []
    for seeds in _fewer(spec.seeds):
        for every in _STEPS:
            for halved in (False, True):
                search = [_cut(part, every, halved, spec) for part in plain["search"]]
                cut = {**plain, "seeds": seeds, "search": search}
                if cut not in known:
                    known.append(cut)
                    yield Smaller(plain=cut, seeds=seeds, every=every, halved=halved, was=spec)


def _fewer(seeds: Sequence[int]) -> Iterator[list[int]]:
    """All seeds, and fewer down to two, which are the fewest that tell a spread."""
    numbers = {len(seeds), *(n for n in (10, 7, 5, 4, 3, 2) if n < len(seeds))}
    for n_seeds in sorted(numbers, reverse=True):
        yield [*seeds[:n_seeds]]


def _cut(part: _Plain, every: int, halved: bool, spec: StudySpec) -> dict[str, Any]:
    stages = [_coarser(stage, every) for stage in part["stages"]]
    if halved:
        stages = [_pruned(stage, spec.training.epochs) for stage in stages]
    return {**part, "stages": stages}


def _coarser(stage: _Plain, every: int) -> dict[str, Any]:
    """Every second or fourth value; learning rates stay, which every method and STL share."""
    if stage.get("trials"):
        return {**stage, "trials": max(_FEWEST_TRIALS, math.ceil(stage["trials"] / every))}
    whole = (_RATE, "optimizer", "strategy", "at", "stop")
    return {
        name: form if parameter_of(name) in whole else _thinned(form, every)
        for name, form in stage.items()
    }


def _thinned(form: Any, every: int) -> Any:
    if isinstance(form, list | tuple):
        return _kept(form, every)
    if not isinstance(form, Mapping):
        return form
    if "line" in form:
        return {**form, "line": _kept(form["line"], every)}
    if "simplex_step" in form and _divides(form["simplex_step"] * every):
        return {**form, "simplex_step": round(form["simplex_step"] * every, 12)}
    if form.get("points"):
        fewer = (form["points"] - 1) // every + 1
        return {**form, "points": max(fewer, min(_FEWEST_VALUES, form["points"]))}
    return form


def _kept(values: Sequence[Any], every: int) -> list[Any]:
    """Every so many-th value, and the last one, if enough are left."""
    kept = [value for i, value in enumerate(values) if i % every == 0 or i == len(values) - 1]
    return kept if len(kept) >= _FEWEST_VALUES else [*values]


def _divides(step: float) -> bool:
    """Whether a grid on the simplex of that step has a point inside for three tasks."""
    n = 1 / step
    return math.isclose(n, round(n), rel_tol=1e-6) and round(n) > _FEWEST_VALUES


def _pruned(stage: _Plain, epochs: int) -> dict[str, Any]:
    """With halving at a quarter and at half of the epochs, where there are enough to prune."""
    rungs = sorted({math.ceil(epochs / 4), math.ceil(epochs / 2)} - {epochs})
    is_rate = stage.get(_RATE) is not None
    if is_rate or stage.get("stop") or not rungs:
        return {**stage}
    return {**stage, "stop": {"rule": "halving", "rungs": rungs, "keep": _KEPT}}


def _toml(value: Any) -> str:
    """A value as TOML has it inline; None and what is empty are left out of tables."""
    if isinstance(value, Mapping):
        kept = {k: v for k, v in value.items() if v is not None and v != {}}
        return "{ " + ", ".join(f"{_key(k)} = {_toml(v)}" for k, v in kept.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(one) for one in value) + "]"
    return json.dumps(value)


def _key(name: str) -> str:
    bare = name.replace("-", "").replace("_", "").isalnum() and name.isascii()
    return name if bare else json.dumps(name)
