"""What must be told of a study wherever it is shown, read off its spec as it is stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

STOPPED_ASYNCHRONOUSLY: Final = (
    "Stopped asynchronously: which trials were pruned depends on which were faster; "
    "not reproducible."
)


def notices(spec: Mapping[str, Any]) -> tuple[str, ...]:
    """Sentences that a reader of any of the study's numbers must know."""
    stopped = any(stop.get("asynchronous") for stop in _stops(spec))
    return (STOPPED_ASYNCHRONOUSLY,) if stopped else ()


def _stops(spec: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The stopping rules as written, of the baseline and of all stages."""
    stages = (stage for search in spec.get("search", ()) for stage in search.get("stages", ()))
    for table in (spec.get("baseline") or {}, *stages):
        if table.get("stop"):
            yield table["stop"]
