"""Compiled steps: equal to themselves, and whether CUDA graphs are replayed."""

from __future__ import annotations

import shutil
from dataclasses import replace
from functools import partial, wraps
from typing import Any

import torch

from tools.gpu_check._processes import Failed, in_process
from tools.gpu_check._setting import (
    Found,
    Setting,
    a_pack,
    final_states,
    jobs,
    same,
    seconds_each,
    session_of,
    team_of,
)
from tools.gpu_check._steps import solo_step, stack_step
from trainers.hardware import compiler

SIZES = (1, 32, 64)
"""Runs; one is the solo engine."""


def check(setting: Setting) -> Found:
    """Train twice with compiled steps, and time them beside the others."""
    if not (setting.small or shutil.which("g++")):
        return {"ok": True, "skipped": "torch's compiler needs g++"}
    found: Found = {}
    for size in setting.pick(SIZES[:1], SIZES):
        try:
            found[str(size)] = in_process(
                partial(_case, size, setting), limit_s=40.0 * setting.patience
            )
        except Failed as error:
            found[str(size)] = {"same": False, "error": str(error)[-400:]}
    return {"ok": all(case["same"] for case in found.values()), "runs": found}


def _case(size: int, setting: Setting) -> Found:
    session = session_of("mlp", setting)
    if setting.small:
        _trace_only()
    else:
        compiler.let_in()
    pack = a_pack(jobs(size), rows=max(size, 2) if size > 1 else None, epochs=2, compile=True)
    plain = replace(pack, training=replace(pack.training, compile=False))
    if size == 1:
        alike = _same_solo(pack, session)
        works = {"compiled": solo_step(pack, session), "plain": solo_step(plain, session)}
    else:
        alike = same(*(final_states(pack, session) for _ in range(2)))
        works = {
            "compiled": stack_step(team_of(pack, session), session),
            "plain": stack_step(team_of(plain, session), session),
        }
    times = seconds_each(works, setting.where, warm=setting.pick(1, 10), steps=setting.pick(2, 40))
    return {"same": alike, "step_ms": {k: 1e3 * s for k, s in times.items()}, **_graphs()}


def _trace_only() -> None:
    """Let torch trace what it is to compile, and no more: its compiler takes half a minute."""
    whole: Any = torch.compile

    @wraps(whole)
    def traced(function: Any, **settings: Any) -> Any:
        return whole(function, **{**settings, "options": None, "backend": "eager"})

    torch.compile = traced


def _same_solo(pack: Any, session: Any) -> bool:
    from trainers.engines.solo.engine import Solos

    found = []
    for _ in range(2):
        solos = Solos(replace(pack, engine="solo"), session)
        team = solos.together([solos.opened(pack.jobs[0], lambda _skipped: None)])
        while team.epoch < pack.until_epoch:
            team.train_epoch()
        found.append(team.states())
    return same(*found)


def _graphs() -> Found:
    """What torch says of its CUDA graphs."""
    from torch._dynamo.utils import counters

    inductor = counters["inductor"]
    return {"graphs_skipped": int(inductor["cudagraph_skips"])}
