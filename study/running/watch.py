"""Workers that hang are ended; their runs are tried again, or fail."""

from __future__ import annotations

import math
import time

from study.drivers.vital_signs import Patience, Signs, Verdict, judged
from study.running.crew import Crew, Slot
from study.spec.training import TrainingSpec


def end_hanging(crew: Crew, training: TrainingSpec) -> None:
    """End workers whose pack outlasts its time limit, or that are silent for too long.

    A worker without runs is timing steps: that may last as long as opening.
    """
    now_s = time.monotonic()
    for worker, slot in crew.slots.items():
        if not slot.busy or slot.ending:
            continue
        patience = Patience(
            silent_s=training.silence_limit_s,
            # a pack of K runs may take as long as K runs one after the other
            working_s=slot.size * (training.run_limit_s or math.inf)
            if slot.size
            else training.open_limit_s,
        )
        verdict = judged(_signs(slot, now_s), patience)
        if verdict is not Verdict.WELL:
            late = slot.size > 0 and verdict is Verdict.OUT_OF_TIME
            crew.end(worker, _said(verdict, training), out_of_time=late)


def _said(verdict: Verdict, training: TrainingSpec) -> str:
    """So that the signal by which it is killed is put down to nobody else."""
    if verdict is Verdict.SILENT:
        limit = f"said nothing for `silence_limit_s` of [training], {training.silence_limit_s:g} s"
    else:
        limit = f"outlasted `run_limit_s` of [training], {training.run_limit_s or 0:g} s a run"
    return f"It {limit}, and was ended. "


def _signs(slot: Slot, now_s: float) -> Signs:
    """Of its process and its pipe, the driver says when they end."""
    return Signs(silent_s=slot.silent_s, working_s=now_s - slot.since_s)
