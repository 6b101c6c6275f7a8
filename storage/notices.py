"""What must be told of a study wherever it is shown, read off what is stored of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from storage.records import StudyRecord

STOPPED_ASYNCHRONOUSLY: Final = (
    "Stopped asynchronously: which trials were pruned depends on which were faster; "
    "not reproducible."
)


OBJECTIVES_RETRAIN: Final = (
    "An objective of Optuna cannot resume: one that waits at a rung, for its round or for other "
    "seeds of its trial, is trained again from the start. With one seed and `asynchronous = true` "
    "in `stop` it goes on in its worker; as a function of kind plain it can keep checkpoints."
)


_SEEDS_STAY: Final = 'a study with `rule = "pbt"` keeps the seeds that it begins with.'
_SEEDS_GROW: Final = "seeds that are added later keep the runs there are."


SEALED: Final = "Sealed: test values are not shown before `weighbridge unseal STUDY`."


ORACLE: Final = (
    "Oracle: trials are chosen by what is hidden from training (oracle = true), so that no value "
    "here could be reached without it."
)


def notices(spec: Mapping[str, Any], *, sealed: bool = False) -> tuple[str, ...]:
    """Sentences that a reader of any of the study's numbers must know.

    Args:
        sealed: Whether its test values are not shown, by its record.
    """
    stopped = any(stop.get("asynchronous") for stop in _stops(spec))
    oracle = bool(spec.get("oracle"))
    return (SEALED,) * sealed + (ORACLE,) * oracle + (STOPPED_ASYNCHRONOUSLY,) * stopped


def of_study(study: StudyRecord) -> tuple[str, ...]:
    """The same of a stored study, and whether it is paused, for who looks after it."""
    found = notices(study.spec, sealed=study.sealed)
    if study.paused_at is None:
        return found
    since = f"{study.paused_at:%Y-%m-%d %H:%M} UTC"
    return (*found, f"Paused since {since}: no run is handed out before `weighbridge resume`.")


def before_training(spec: Mapping[str, Any]) -> tuple[str, ...]:
    """The same, and what it is good to know before anything is paid for."""
    several = len(spec.get("seeds", ())) > 1
    waits = any(several or not stop.get("asynchronous") for stop in _stops(spec))
    is_objective = (spec.get("function") or {}).get("kind") == "optuna"
    return (*notices(spec), *((OBJECTIVES_RETRAIN,) if is_objective and waits else ()))


def more_seeds(spec: Mapping[str, Any]) -> str:
    """What becomes of a study that is given more seeds, as the end of a sentence."""
    is_population = any(stop.get("rule") == "pbt" for stop in _stops(spec))
    return _SEEDS_STAY if is_population else _SEEDS_GROW


def _stops(spec: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The stopping rules as written, of the baseline and of all stages."""
    stages = (stage for search in spec.get("search", ()) for stage in search.get("stages", ()))
    for table in (spec.get("baseline") or {}, *stages):
        if table.get("stop"):
            yield table["stop"]
