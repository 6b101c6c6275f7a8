"""The keys `trainer` and `oracle`: a way of training in the place of weighting the losses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from study.spec.compare import CLAIMS
from study.spec.stopping import PatienceRule, PopulationRule

# What such a study may say in [training]; all else is a parameter of the trainer.
_TRAINING: Final = (
    *("epochs", "batch_size", "eval_batch_size", "threads", "strict_code"),
    *("run_limit_s", "open_limit_s", "silence_limit_s"),
)


def filled_in(plain: Any) -> Any:
    """A spec as it is written, with what a trainer leaves nothing to say about."""
    if not isinstance(plain, Mapping) or plain.get("trainer") is None:
        return plain
    searches = plain.get("search")
    if not isinstance(searches, list):
        return plain
    trainer = str(plain["trainer"])  # whatever else it is, is refused where it stands
    filled = [{"weighting": trainer, **p} if isinstance(p, Mapping) else p for p in searches]
    return {**plain, "search": filled}


def misplaced(spec: Any) -> str:
    """Why a spec with a trainer does not fit together; empty if it does.

    Args:
        spec: A `StudySpec`.
    """
    if spec.oracle and spec.function is not None:
        return (
            "`oracle` goes with objectives that use hidden truth; of a training function's metric "
            "nothing is known. Drop it."
        )
    return "" if spec.trainer is None else next(_reasons(spec), "")


def _reasons(spec: Any) -> Iterator[str]:
    if spec.function is not None:
        yield "`trainer` goes with a problem. Got it beside [function]. Drop one."
    if spec.baseline is not None:
        yield (
            "[baseline] goes with weightings: single-task networks are trained for Δm. Got it "
            "beside `trainer`. Drop it."
        )
    if spec.followup:
        yield "[[followup]] goes with weightings: it goes on from networks that we keep. Drop it."
    if spec.keep != type(spec.keep)():
        yield "[keep] goes with weightings; a trainer keeps its own files. Drop it."
    if spec.compare.claim in CLAIMS:
        yield (
            f"[compare] `claim` must be a sentence beside `trainer`: {CLAIMS[0]} to {CLAIMS[-1]} "
            f"compare weightings. Got {spec.compare.claim}. Write one, or drop it."
        )
    if spec.diagnostics.gradients is not None:
        yield "[diagnostics] goes with weightings; a trainer's gradients are not seen. Drop it."
    said = spec.training.model_dump(exclude_defaults=True)
    if strange := [f"`{name}`" for name in said if name not in _TRAINING]:
        yield (
            f"[training] {', '.join(strange)} goes with weightings; a trainer trains and saves "
            "its runs one by one, by parameters of its own (`weighbridge trainers` lists them). "
            "Drop it, or set one of these in `hyper` or a stage of a [[search]]."
        )
    for part in spec.search:
        yield from _of_search(part, spec.trainer)


def _of_search(part: Any, trainer: str) -> Iterator[str]:
    place = f"[[search]] {part.name or trainer}"
    if others := [name for name in part.weightings if name != trainer]:
        yield f"{place}: `weighting` excludes `trainer`. Got {', '.join(others)}. Drop it."
    if part.init_from is not None:
        yield f"{place}: `init_from` goes with weightings; a trainer begins by itself. Drop it."
    for stage in part.stages:
        if stage.kind == "neighbours":
            yield (
                f'{place}: `lr = "neighbours"` goes with weightings. Drop it, or list the values '
                "of a parameter."
            )
        if isinstance(stage.stop, PatienceRule | PopulationRule):
            yield (
                f'{place}: `stop` with `rule = "{stage.stop.rule}"` goes with weightings: a '
                "trainer keeps its own networks, and ends by its own rule. Take another rule, or "
                "drop it."
            )
