"""Identities: what makes a run the same run, a pack a pack, a study the same study."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any

from search_spaces import Point
from storage.objectives.delta_m import NAME as DELTA_M
from study.planning.optimisers import of_optimizer
from study.planning.search_plan import Search
from study.spec.study_spec import StudySpec
from trainers.jobs import Engine

# Free to change at any time: they say how long to go on and how often to save, not what a run is.
_FREE = {
    "training": {
        "checkpoint_s",
        "checkpoint_cap_mib",
        "strict_code",
        "run_limit_s",
        "open_limit_s",
        "silence_limit_s",
        "pack_size",
        "pack_memory_gib",
    }
}
# What the time of a training step depends on, beside the problem.
_STEP = ("batch_size", "eval_batch_size", "optimizer", "clip_norm", "threads")
# Keys that came later, with what was done before: without them, a study is what it always was.
_LATER = {
    "precision": "float32",
    "compile": False,
    "data_parallel": 1,
    "drop_last": False,
    "channels_last": None,
    "micro_batch_size": None,
}
_LATER_COMPARE = {"claim": None, "sealed": False}


def digest(value: Any) -> str:
    """Hash of JSON-ready values."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


def frozen_part(spec: StudySpec, card: Mapping[str, Any]) -> dict[str, Any]:
    """What an extension must leave alone, flat: key as in the spec -> value."""
    plain = spec.to_plain()
    training = {
        f"[training] {key}": value
        for key, value in plain["training"].items()
        if key not in _FREE["training"]
    }
    compare = {f"[compare] {k}": v for k, v in plain["compare"].items()}
    metrics = {
        task["name"]: [(m["name"], m["direction"]) for m in task["metrics"]]
        for task in card["tasks"]
    }
    function = {"function": plain["function"]} if spec.function is not None else {}
    return {
        **function,
        **({} if spec.trainer is None else {"trainer": spec.trainer}),
        "problem": spec.problem,
        "problem_options": {
            name: value
            for name, value in plain["problem_options"].items()
            if name not in card.get("free_options", ())
        },
        "tasks": plain["tasks"],
        "train_fraction": plain["train_fraction"],
        "label_noise": plain["label_noise"],
        "data": card["data_version"],
        "network": card["network"],
        "metrics": metrics,
        "objective": plain["objective"] or DELTA_M,
        "oracle": spec.oracle,
        "[baseline] metrics": spec.baseline and spec.baseline.metrics,
        **training,
        **compare,
    }


def fingerprint(
    spec: StudySpec, card: Mapping[str, Any], defaults: Mapping[str, Any] | None = None
) -> str:
    """Hash of the frozen part, without what changes no run.

    Args:
        defaults: Of a trainer's parameters, which its points leave out.
    """
    part = frozen_part(spec, card)
    if defaults is not None:
        part["defaults"] = dict(defaults)
    del part["objective"], part["oracle"]
    for told in ("tasks", "train_fraction", "label_noise"):  # by metrics, and the data's version
        del part[told]
    for section, keys in (("training", _LATER), ("compare", _LATER_COMPARE)):
        for key, before in keys.items():
            if part[f"[{section}] {key}"] == before:
                del part[f"[{section}] {key}"]
    return digest(part)


def plan_key(spec: StudySpec, frozen: str) -> str:
    """Hash of all that decides what the searches of a study do; drivers of one study share it.

    Args:
        frozen: The fingerprint, which covers problem and training.
    """
    plain = spec.to_plain()
    parts = {key: plain[key] for key in ("seeds", "baseline", "confirm", "compare")}
    # drivers follow budgets while they work: another one does not make another plan
    parts["search"] = [
        {key: value for key, value in part.items() if key != "budget"} for part in plain["search"]
    ]
    parts["compare"] = {
        key: value
        for key, value in plain["compare"].items()
        if key not in _LATER_COMPARE or value != _LATER_COMPARE[key]
    }
    if spec.objective not in (None, DELTA_M):
        parts["objective"] = spec.objective
    if spec.followup:
        parts["followup"] = plain["followup"]
    return digest([frozen, parts])


def frozen_of(search: Search, frozen: str) -> str:
    """Hash of all that runs of a search have in common with others of the study, and of what not.

    Args:
        frozen: The study's fingerprint.
    """
    return frozen if search.followup is None else digest([frozen, search.followup.to_plain()])


def run_key(
    *,
    study: str,
    search: str,
    frozen: str,
    weighting: str,
    params: str,
    seed: int,
    initial: tuple[str, int] | None = None,
) -> str:
    """Identity of a run: study, search, everything frozen, weighting, point and seed.

    Args:
        initial: Key and epoch of the run from whose network it begins; None: from none.
    """
    begun = [] if initial is None else [list(initial)]
    return digest([study, search, frozen, weighting, params, seed, *begun])


def pack_key(
    *,
    frozen: str,
    tasks: tuple[str, ...],
    seed: int,
    segment: tuple[int, int] | None = None,
    solo_only: bool = False,
    alone: bool = False,
    optimizer: Sequence[str] = (),
) -> str:
    """Runs of equal pack key can be trained together: one problem, network, seed, segment, engine.

    Args:
        segment: Epochs after which training begins and ends; None for all epochs.
        solo_only: Whether they are never stacked; all others of a study have one engine.
        alone: Whether they are in no pack, that of others included.
        optimizer: What tells runs of a search's optimisers apart, if it has several.
    """
    apart = ["solo"] * solo_only + ["alone"] * alone + [*optimizer]
    return digest([frozen, list(tasks), seed, *(segment or ()), *apart])


def segment_key(
    search: Search, *, frozen: str, epochs: int, seed: int, first: int, last: int, point: Point
) -> str:
    """The pack key of a search's runs while they are trained from one epoch to another.

    A segment without an epoch is that of runs which end where they stand.

    Args:
        epochs: Of a run that no rule ends.
        point: Of the run.
    """
    return pack_key(
        frozen=frozen_of(search, frozen),
        tasks=search.tasks,
        seed=seed,
        segment=None if (first, last) == (0, epochs) else (first, last),
        solo_only=bool(search.solo_only),
        alone=search.alone,
        optimizer=() if search.trains_itself else of_optimizer(point),
    )


def shape_keys(
    spec: StudySpec,
    card: Mapping[str, Any],
    networks: Iterable[tuple[str, ...]],
    *,
    engine: Engine = "fused",
    optimizer: str | None = None,
) -> dict[tuple[str, ...], str]:
    """A key of each network: those of equal key have steps of equal cost, in whatever study.

    Args:
        networks: The tasks that each has.
        engine: Whose packs.
        optimizer: Of the runs; None for that of [training].
    """
    plain = spec.to_plain()
    training = plain["training"]
    if optimizer is not None:
        training = {**training, "optimizer": optimizer}
    said = {key: training[key] for key, before in _LATER.items() if training[key] != before}
    step = [training[key] for key in _STEP]
    more = [*(["in step"] if engine == "solo" else []), *([said] if said else [])]
    data = spec.problem, plain["problem_options"], card["data_version"], card["network"]
    return {tasks: digest([*data, list(tasks), step, *more]) for tasks in networks}
