"""What an attempt has cost."""

from typing import Any

from tests.unit.reports.synthetic._world import STUDY

_STARTED = "2026-01-05T08:00:00+00:00"
_ENDED = "2026-01-05T08:00:05+00:00"


def attempt(number: int, run: int | None, kind: str, train_s: float, **more: Any) -> dict[str, Any]:
    phases = {"startup_s": 0.0, "train_s": train_s, "validation_s": 0.1 * train_s}
    phases |= {"test_s": 0.1 * train_s, "checkpoint_s": 0.02 * train_s, "diagnostics_s": 0.0}
    phases |= {name: value for name, value in more.items() if name in phases}
    epochs = int(more.get("epochs", 0))
    return (
        {"study": STUDY, "attempt": number, "run": run, "kind": kind}
        | {"worker": "local-0", "state": "finished", "failure": None, "device": "cpu"}
        | {"hardware": "2 cores", "code_version": "0.1.0", "started": _STARTED}
        | {"ended": _ENDED, "device_s": sum(phases.values()), "epochs": epochs}
        | {"samples": 1000 * epochs, "grad_evals": 8 * epochs, "flops": 1e9 * epochs}
        | phases
    )
