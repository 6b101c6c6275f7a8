"""The same training twice under each set of flags, and what a step takes under it."""

from __future__ import annotations

import os
from functools import partial

import torch

from tools.gpu_check._processes import in_process
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
from tools.gpu_check._steps import stack_step

FLAGS: dict[str, tuple[str, str | None]] = {
    "none": ("default", None),
    "warn": ("warn", None),
    "warn :16:8": ("warn", ":16:8"),
    "warn :4096:8": ("warn", ":4096:8"),
}
"""Name to debug mode and cuBLAS's workspaces, which it reads when CUDA starts."""


def check(setting: Setting) -> Found:
    """Train each pack twice; under our own flags, the last ones, the bits must be the same."""
    found: Found = {}
    for flags, (mode, workspace) in FLAGS.items():
        for tf32 in (False, True) if setting.cuda and workspace == ":4096:8" else (False,):
            work = partial(_twice, setting, mode=mode, workspace=workspace, tf32=tf32)
            found[flags + (", TF32" if tf32 else "")] = in_process(
                work, limit_s=15.0 * setting.patience
            )
    ours = [case for flags, case in found.items() if flags.startswith("warn :4096:8")]
    return {"ok": all(case["same"] for case in ours), "flags": found}


def _twice(setting: Setting, *, mode: str, workspace: str | None, tf32: bool) -> Found:
    session = session_of("mlp" if setting.small else "lenet", setting)
    os.environ.pop("CUBLAS_WORKSPACE_CONFIG", None)
    if workspace:
        os.environ["CUBLAS_WORKSPACE_CONFIG"] = workspace
    torch.set_deterministic_debug_mode(mode)
    torch.backends.cudnn.deterministic = mode != "default"
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32
    rows = setting.pick(4, 36)
    pack = a_pack(jobs(rows), rows=rows, epochs=2)
    first, second = (final_states(pack, session) for _ in range(2))
    times = seconds_each(
        {"step": stack_step(team_of(pack, session), session)},
        setting.where,
        warm=setting.pick(1, 10),
        steps=setting.pick(2, 40),
    )
    return {"same": same(first, second), "step_ms": 1e3 * times["step"]}
