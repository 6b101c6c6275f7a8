"""Which part a search has in a comparison, by what its spec lets it tune (MEASURES M16).

A method is *tuned* if its search varies anything but learning rate and weight decay.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from reports._once import once_per_study
from reports._titles import weighting_of
from reports.frames import StudyFrames, part_names, strategy

# What every weighting may tune; a search over anything else tunes the weighting itself.
_SHARED: Final = frozenset({"lr", "weight_decay", "optimizer", "momentum"})
# Keys of a stage that are no parameters.
_OPTIONS: Final = frozenset({"strategy", "at", "stop", "trials", "round_size", "first"})
_WEIGHTS: Final = "task_weights"
_SUBJECT: Final = "uw-so"


def is_tuned(frames: StudyFrames, search: str) -> bool:
    """Whether a search varies parameters of its weighting's own."""
    return any(
        name.partition("@")[0] not in _SHARED and _varied(form)
        for stage in _stages(frames, search)
        for name, form in stage.items()
        if name not in _OPTIONS
    )


def own_points(frames: StudyFrames, search: str, kind: str | None, *, weights: bool = False) -> int:
    """Points of stages, of one kind or any, that tune parameters of the weighting's own.

    Args:
        weights: Only those that tune the tasks' weights.
    """
    found: set[int] = set()
    for stage in _recorded(frames).get(search, ()):
        own = _WEIGHTS in stage.tuned if weights else not stage.tuned <= _SHARED
        if own and kind in (None, stage.kind):
            found |= stage.trials
    return len(found)


class _Stage(NamedTuple):
    """A stage as it was recorded: strategy, names of its parameters, numbers of its trials."""

    kind: str
    tuned: frozenset[str]
    trials: frozenset[int]


@once_per_study
def _recorded(frames: StudyFrames) -> Mapping[str, Sequence[_Stage]]:
    """Search to its stages."""
    found: dict[str, list[_Stage]] = {}
    for (search, _), rows in frames.stages.groupby(["search", "stage"]):
        tuned = frozenset(str(rows["params_tuned"].iloc[0]).split(","))
        trials = frozenset(rows["trial"].tolist())
        stage = _Stage(kind=strategy(rows["kind"].iloc[0]), tuned=tuned, trials=trials)
        found.setdefault(str(search), []).append(stage)
    return found


def is_asked_about(frames: StudyFrames, search: str) -> bool:
    """Whether it is one of the method that the tool's question is about: UW-SO."""
    return weighting_of(frames, search) == _SUBJECT


def subject_of(frames: StudyFrames, searches: Sequence[str]) -> str | None:
    """The search that a comparison is told by: the first of UW-SO, else the first of all.

    Args:
        searches: Best first; those without a value last.
    """
    mine = (search for search in searches if is_asked_about(frames, search))
    return next(mine, searches[0] if searches else None)


def reference_of(frames: StudyFrames, subject: str | None) -> str | None:
    """The search with the largest grid over the tasks' weights; None if no other has one.

    While none has come to such a stage, the first whose spec has one.
    """
    sizes = {
        search: (own_points(frames, search, "grid", weights=True), _has_grid(frames, search))
        for search in frames.searches
        if search != subject
    }
    best = max(sizes, key=sizes.__getitem__, default=None)
    return best if best is not None and any(sizes[best]) else None


def _has_grid(frames: StudyFrames, search: str) -> bool:
    """Whether the spec has a grid over the tasks' weights."""
    stages = _stages(frames, search)
    return any(_WEIGHTS in s and s.get("strategy", "grid") == "grid" for s in stages)


def _stages(frames: StudyFrames, search: str) -> Iterator[Mapping[str, Any]]:
    for part in frames.spec.get("search", ()):
        if search in part_names(part):
            yield from part.get("stages", ())


def _varied(form: Any) -> bool:
    """Whether an axis, as it is written, has more than one value."""
    return not isinstance(form, list) or len(form) > 1
