"""Which runs are trained together, as `plan` shows it."""

from __future__ import annotations

from typing import Any

from storage.records import Calibration
from study.cli._output import console, say, table
from study.planning.engine import BY_CALIBRATION
from study.planning.packs import PackGroup, PackPlan

_KNOWN_BY = {
    "stored": "fixed by the study's first run",
    "look": "by a look at the network",
    "spec": "by the spec",
    "card": "by the problem's card; workers look at the network first, and so does --probe",
}


def show_packs(packs: PackPlan) -> None:
    """The engine with its reason, and the packs of each network."""
    engine = packs.engine
    known_by = f" ({_KNOWN_BY[packs.known_by]})"
    name = "fused or solo" if engine is BY_CALIBRATION else engine.engine
    say("engine: ", (name, "bold"), f": {engine.reason}", (known_by, "dim"))
    rows = table("network of", "runs a seed", "trained", right=("runs a seed",))
    for group in packs.groups:
        rows.add_row(", ".join(group.tasks), str(group.runs), _trained(group))
    console.print(rows)


def packs_to_plain(packs: PackPlan) -> dict[str, Any]:
    """The same as JSON-ready values; no engine where a calibration is to choose it."""
    return {
        "engine": None if packs.engine is BY_CALIBRATION else packs.engine.engine,
        "reason": packs.engine.reason,
        "known_by": packs.known_by,
        "networks": [
            {
                "tasks": group.tasks,
                "searches": group.searches,
                "runs_per_seed": group.runs,
                "pack_size": group.pack_size,
                "calibrations": [
                    {
                        "hardware": found.hardware,
                        "pack_size": found.pack_size,
                        "epoch_s": found.epoch_s,
                        "run_step_ms": {str(size): ms for size, ms in found.run_step_ms.items()},
                    }
                    for found in group.calibrations
                ],
            }
            for group in packs.groups
        ],
    }


def _trained(group: PackGroup) -> str:
    if group.pack_size == 1:
        return "one by one"
    if group.pack_size is None:
        return "in packs, sized by calibration at the start"
    told = (_times(found) for found in group.calibrations if len(found.run_step_ms) > 1)
    return "; ".join([f"in packs of at most {group.pack_size}", *told])


def _times(found: Calibration) -> str:
    """What a training step takes a run, by the size of the pack."""
    told = ", ".join(
        f"{ms:.2f} in {size}" if size > 1 else f"{ms:.2f} alone"
        for size, ms in sorted(found.run_step_ms.items())
    )
    return f"ms a step and run: {told} ({found.hardware})"
