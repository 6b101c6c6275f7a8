"""Runs the steps one after the other, each in a process of its own."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
os.environ["PYTHONPATH"] = os.pathsep.join(
    filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")])
)

import torch  # noqa: E402 - once, for all processes that are forked from this one

from tools.gpu_check import (  # noqa: E402
    bits,
    compiling,
    energy,
    memory,
    opening,
    reading,
    repeating,
    resuming,
    speed,
)
from tools.gpu_check._processes import Failed, in_process  # noqa: E402
from tools.gpu_check._setting import Found, Setting, as_line  # noqa: E402

STEPS: dict[str, tuple[Callable[[Setting], Found], float]] = {
    "opening": (opening.check, 30.0),
    "bits": (bits.check, 50.0),
    "repeating": (repeating.check, 30.0),
    "resuming": (resuming.check, 25.0),
    "memory": (memory.check, 35.0),
    "compiling": (compiling.check, 60.0),
    "reading": (reading.check, 15.0),
    "energy": (energy.check, 15.0),
    "speed": (speed.check, 80.0),
}
"""In the order in which they run, with the seconds that each may take at most."""
MOST_S = 240.0


def main() -> int:
    """Run what was asked for; 1 if a promise is broken or a step did not come to its end."""
    asked = _asked()
    began_s = time.monotonic()
    passed = True
    for name in asked.only or STEPS:
        check, limit_s = STEPS[name]
        left_s = asked.patience * MOST_S - (time.monotonic() - began_s)
        found = _step(name, check, asked, min(asked.patience * limit_s, left_s))
        passed = passed and found["ok"]
        print(as_line(found), flush=True)
    whole = {"step": "all", "ok": passed, "seconds": time.monotonic() - began_s}
    print(as_line({**whole, "torch": torch.__version__, "device": asked.device}), flush=True)
    return 0 if passed else 1


def _step(
    name: str, check: Callable[[Setting], Found], asked: argparse.Namespace, limit_s: float
) -> Found:
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="weighbridge-gpu-check-") as folder:
        setting = Setting(
            device=asked.device, small=asked.small, patience=asked.patience, folder=Path(folder)
        )
        try:
            if limit_s <= 0:
                raise Failed("there was no time left for it")
            found = in_process(lambda: check(setting), limit_s=limit_s, group=True)
        except Failed as error:
            found = {"ok": False, "error": str(error).strip()}
    return {"step": name, **found, "seconds": time.monotonic() - began_s}


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.gpu_check", description=__doc__)
    parser.add_argument("--device", default="cuda", help="cuda, cuda:1, or cpu to rehearse")
    parser.add_argument("--small", action="store_true", help="as little as shows that it works")
    parser.add_argument("--only", nargs="+", choices=list(STEPS), help="these steps only")
    parser.add_argument("--patience", type=float, default=1.0, help="factor on all limits of time")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
