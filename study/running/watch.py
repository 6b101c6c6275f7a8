"""Workers that hang are ended; their runs are tried again, or fail."""

from __future__ import annotations

import math
import time

from study.drivers.vital_signs import Remedy, Signs, Timeouts, judged
from study.running.worker_pool import WorkerPool, WorkerState
from study.spec.training import TrainingSpec


def end_hanging(pool: WorkerPool, training: TrainingSpec) -> None:
    """End workers whose pack outlasts its time limit, or that are silent for too long.

    A worker without runs is timing steps: that may last as long as opening.
    """
    now_s = time.monotonic()
    for worker, state in pool.workers.items():
        if not state.busy or state.ending:
            continue
        timeouts = Timeouts(
            silent_s=training.silence_limit_s,
            # a pack of K runs may take as long as K runs one after the other
            working_s=state.size * (training.run_limit_s or math.inf)
            if state.size
            else training.open_limit_s,
        )
        verdict = judged(_signs(state, now_s), timeouts)
        if verdict is not Remedy.WELL:
            late = state.size > 0 and verdict is Remedy.OUT_OF_TIME
            pool.end(worker, _said(verdict, training), out_of_time=late)


def _said(verdict: Remedy, training: TrainingSpec) -> str:
    """So that the signal by which it is killed is put down to nobody else."""
    if verdict is Remedy.SILENT:
        limit = f"said nothing for `silence_limit_s` of [training], {training.silence_limit_s:g} s"
    else:
        limit = f"outlasted `run_limit_s` of [training], {training.run_limit_s or 0:g} s a run"
    return f"It {limit}, and was ended. "


def _signs(state: WorkerState, now_s: float) -> Signs:
    """Of its process and its pipe, the driver says when they end."""
    return Signs(silent_s=state.silent_s, working_s=now_s - state.since_s)
