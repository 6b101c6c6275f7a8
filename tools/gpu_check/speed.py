"""Steps of 36 runs: fused, one at a time, by several processes; beside what the device allows."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from time import perf_counter

from tools.gpu_check import _roofs
from tools.gpu_check._processes import in_process, in_processes
from tools.gpu_check._setting import (
    Found,
    Setting,
    a_pack,
    goal,
    jobs,
    seconds_each,
    session_of,
    team_of,
)
from tools.gpu_check._steps import kernels, solo_step, stack_step, synchronize
from trainers.engines import Session
from trainers.engines.fused.stack import Stack
from trainers.jobs import Pack, Precision

RUNS = 36
PROCESSES = (1, 4, 8)
RESNET_ROWS = (1, 4, 8)
MLP_ROWS = (64, 256, 1024)
OPTIMISER_ACCESSES = 8
"""Of each parameter in a step of Adam: the gradient twice; value, mean and square in and out."""

Works = dict[str, Callable[[], object]]


def check(setting: Setting) -> Found:
    """Measure all; the goals are reported and break nothing."""
    found: Found = {"ok": True, "processes": _processes(setting)}
    found |= in_process(partial(_steps, setting), limit_s=70.0 * setting.patience)
    if setting.cuda:
        mlp, eight = found["mlp"], found["processes"]["8"]
        fused_s = mlp["fused, 36 rates"]["step_ms"] / 1e3
        alone_s = mlp["one at a time"]["step_ms"] / 1e3
        found["goals"] = {
            "fused_over_one_at_a_time": goal(RUNS * alone_s / fused_s, 15.0),
            "fused_over_eight_processes": goal(RUNS / fused_s / eight, 5.0),
        }
    return found


def _processes(setting: Setting) -> Found:
    """Steps of a run that so many processes take together in a second, each its own runs."""
    found = {}
    for n in setting.pick((1, 2), PROCESSES):
        works = [partial(_rate, setting, f"{n}-{number}", n) for number in range(n)]
        found[str(n)] = sum(in_processes(works, limit_s=25.0 * setting.patience))
    return found


def _rate(setting: Setting, name: str, n: int) -> float:
    session = session_of("mlp", setting)
    step = solo_step(a_pack(jobs(1)), session)
    for _ in range(setting.pick(1, 10)):
        step()
    synchronize(setting.where)
    (setting.folder / f"ready-{name}").touch()
    while len(list(setting.folder.glob(f"ready-{n}-*"))) < n:
        time.sleep(0.001)
    began, steps, span_s = perf_counter(), 0, setting.pick(0.05, 1.0)
    while perf_counter() - began < span_s:
        for _ in range(5):
            step()
        steps += 5
    synchronize(setting.where)
    return steps / (perf_counter() - began)


def _steps(setting: Setting) -> Found:
    session_of("mlp", setting)
    roofs = _roofs.measured(setting)
    found: Found = {
        "roofs": {
            "flops_s": roofs.flops_s,
            "bytes_s": roofs.bytes_s,
            "kernel_us": 1e6 * roofs.kernel_s,
        }
    }
    rows = setting.pick(4, RUNS)
    for name in setting.pick(("mlp",), ("mlp", "lenet")):
        found[name] = _of_36(name, rows, roofs, setting)
    found["mlp rows"] = {
        str(n): _stack_of(n, "mlp", "float32", roofs, setting) for n in setting.pick((8,), MLP_ROWS)
    }
    if not setting.small:
        precisions: list[Precision] = ["float32"]
        precisions += ["tf32", "bfloat16"] if setting.cuda else []
        found["resnet18"] = {
            precision: _resnet(precision, roofs, setting) for precision in precisions
        }
    return found


def _of_36(name: str, rows: int, roofs: _roofs.Roofs, setting: Setting) -> Found:
    session = session_of(name, setting)
    teams = {
        f"fused, {n} rates": team_of(a_pack(jobs(rows, n_rates=n), rows=rows), session)
        for n in (1, 36)
    }
    alone = a_pack(jobs(1))
    works: Works = {label: stack_step(team, session) for label, team in teams.items()}
    works["one at a time"] = solo_step(alone, session)
    why = ""
    if setting.cuda:
        try:
            works["fused, one graph"] = _roofs.captured(works["fused, 36 rates"], setting)
        except RuntimeError as error:
            why = str(error).splitlines()[0]
    n_kernels = {
        label: kernels(work) for label, work in works.items() if label != "fused, one graph"
    }
    times = seconds_each(works, setting.where, warm=setting.pick(1, 10), steps=setting.pick(2, 40))
    found: Found = {label: {"step_ms": 1e3 * s} for label, s in times.items()}
    for label, n in n_kernels.items():
        found[label] |= {"kernels": n, "kernels_ms": 1e3 * n * roofs.kernel_s}
    for label, team in teams.items():
        found[label]["least_ms"] = 1e3 * _least_s(team, alone, "float32", roofs, session)
    return found | ({"no_graph": why} if why else {})


def _stack_of(
    n: int, name: str, precision: Precision, roofs: _roofs.Roofs, setting: Setting
) -> Found:
    session = session_of(name, setting, precision)
    pack = a_pack(jobs(n), rows=n, precision=precision)
    team = team_of(pack, session)
    work = stack_step(team, session)
    n_kernels = kernels(work)
    steps = setting.pick(2, 40 if name == "mlp" else 8)
    (taken_s,) = seconds_each(
        {"all": work}, setting.where, warm=setting.pick(1, 4), steps=steps
    ).values()
    return {
        "step_ms": 1e3 * taken_s,
        "run_step_ms": 1e3 * taken_s / n,
        "kernels": n_kernels,
        "least_ms": 1e3 * _least_s(team, pack, precision, roofs, session),
    }


def _resnet(precision: Precision, roofs: _roofs.Roofs, setting: Setting) -> Found:
    found: Found = {
        f"{n} rows": _stack_of(n, "resnet18", precision, roofs, setting) for n in RESNET_ROWS
    }
    session = session_of("resnet18", setting, precision)
    pack = a_pack(jobs(1), precision=precision)
    (taken_s,) = seconds_each(
        {"all": solo_step(pack, session)}, setting.where, warm=4, steps=8
    ).values()
    return {**found, "one at a time, channels last": {"step_ms": 1e3 * taken_s}}


def _least_s(
    team: Stack, pack: Pack, precision: Precision, roofs: _roofs.Roofs, session: Session
) -> float:
    """By its operations and by the bytes that an optimiser cannot but move."""
    store, network = team._store, team._forward.network
    assert team.flops  # which counts them
    rows = len(store.network.values)
    of_training, _ = session.flops[tuple(network.places)]
    flops = 3.0 * of_training * pack.training.batch_size * rows
    n_bytes = float(OPTIMISER_ACCESSES * store.network.values.nbytes)
    return roofs.least_s(flops=flops, n_bytes=n_bytes, precision=precision)
