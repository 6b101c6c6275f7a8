"""Workers that hang are ended; their runs are tried again, or fail."""

from __future__ import annotations

import math
import time

from study.shift import Shift

_DEAF_S = 120.0


def end_hanging(shift: Shift) -> None:
    """End workers whose run outlasts its time limit, or that have not beaten for two minutes."""
    limit_s = shift.plan.spec.training.run_limit_s or math.inf
    now_s = time.monotonic()
    for worker, slot in shift.crew.slots.items():
        if not slot.busy or slot.ending:
            continue
        # a pack of K runs may take as long as K runs one after the other
        slot.out_of_time = now_s - slot.since_s > limit_s * max(1, slot.size)
        slot.ending = slot.out_of_time or now_s - slot.last_beat_s > _DEAF_S
        if slot.ending:
            shift.driver.kill(worker)
