"""Memory: shares hold, large packs are halved, crowded GPUs waited for, broken ones left."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import torch

from study.drivers.local.driver import LocalDriver
from study.drivers.protocol import FromWorker, WorkerLost
from tools.gpu_check._processes import in_process, in_processes
from tools.gpu_check._setting import (
    Found,
    Setting,
    a_pack,
    jobs,
    problem_of,
    session_of,
)
from trainers.engines import open_session, train
from trainers.events import PackEnded, Ready, RunEnded
from trainers.failures import OUT_OF_MEMORY, failure_class
from trainers.hardware import gpu
from trainers.jobs import ProblemRef, Training

GIB = 2**30


def check(setting: Setting) -> Found:
    """Check each in processes of their own; without a GPU only what needs none."""
    worker = in_process(partial(_broken, setting), limit_s=30.0 * setting.patience)
    found: Found = {"ok": worker["ok"], "device_assertion": worker}
    if not setting.cuda:
        return found
    caps = in_processes([partial(_cap, setting)] * 2, limit_s=15.0 * setting.patience)
    too_large = in_process(partial(_too_large, setting), limit_s=15.0 * setting.patience)
    crowded = _crowded(setting)
    good = all(abs(cap["taken_gib"] / cap["cap_gib"] - 1) <= 0.05 for cap in caps)
    good = good and too_large["ok"] and crowded["ok"]
    return {
        **found,
        "ok": found["ok"] and good,
        "caps": caps,
        "too_large": too_large,
        "crowded": crowded,
    }


def _cap(setting: Setting) -> Found:
    """Take memory in a worker of half a GPU until there is no more."""
    open_session(problem_of("mlp", setting), str(setting.where), memory_share=0.5)
    total_bytes = torch.cuda.get_device_properties(setting.where).total_memory
    kept = []
    try:
        while True:
            kept.append(torch.empty(GIB // 4, dtype=torch.uint8, device=setting.where))
    except RuntimeError as error:
        if failure_class(error) != OUT_OF_MEMORY:
            raise
    return {
        "taken_gib": torch.cuda.memory_reserved(setting.where) / GIB,
        "cap_gib": gpu.memory_bytes(0.5, total_bytes) / GIB,
    }


def _too_large(setting: Setting) -> Found:
    """A pack that does not fit, halved as a driver does until it fits."""
    session = session_of("lenet", setting)
    torch.cuda.set_per_process_memory_fraction(0.01, setting.where)
    size, tried = 1024, list[list[object]]()
    while size:
        pack = a_pack(jobs(size), rows=size, epochs=1, batch_size=256)
        ends = [event for event in train(pack, session) if isinstance(event, RunEnded)]
        outcome = {end.failure or end.outcome for end in ends}
        tried.append([size, *sorted(outcome)])
        if outcome == {"done"}:
            return {"ok": len(tried) > 1, "tried": tried}
        if outcome != {OUT_OF_MEMORY}:
            return {"ok": False, "tried": tried, "reason": ends[0].reason}
        size //= 2
    return {"ok": False, "tried": tried}


def _crowded(setting: Setting) -> Found:
    """A run beside a process that holds nearly all: told as crowded, and well when that is gone."""
    beside, alone = in_processes(
        [partial(_hog, setting), partial(_beside, setting)], limit_s=25.0 * setting.patience
    )[1]
    return {
        "ok": beside == {"failure": OUT_OF_MEMORY, "crowded": True} and alone == "done",
        "beside": beside,
        "alone": alone,
    }


def _hog(setting: Setting) -> None:
    free_bytes, _ = torch.cuda.mem_get_info(setting.where)
    held = torch.empty(free_bytes - GIB, dtype=torch.uint8, device=setting.where)
    (setting.folder / "held").touch()
    _wait_for(setting, "seen")
    del held
    torch.cuda.empty_cache()
    (setting.folder / "gone").touch()


def _beside(setting: Setting) -> tuple[Found, str]:
    _wait_for(setting, "held")
    session = session_of("resnet18", setting)
    pack = a_pack(jobs(1), rows=64, epochs=1, batch_size=512)
    ends = [event for event in train(pack, session) if isinstance(event, RunEnded)]
    told: Found = {"failure": ends[0].failure, "crowded": ends[0].crowded}
    (setting.folder / "seen").touch()
    _wait_for(setting, "gone")
    small = replace(pack, rows=2)
    (end,) = (event for event in train(small, session) if isinstance(event, RunEnded))
    return told, end.outcome


def _wait_for(setting: Setting, name: str) -> None:
    while not (setting.folder / name).exists():
        time.sleep(0.05)


def _broken(setting: Setting) -> Found:
    """A worker whose GPU meets an assertion is lost, and its successor is ready.

    A CPU raises, which fails the runs and nobody else.
    """
    problem = ProblemRef(
        target="tools.gpu_check.problems:Asserting", options={"small": setting.small}
    )
    driver = LocalDriver(problem, Training(epochs=1, batch_size=64), devices=[str(setting.where)])
    driver.start()
    pack = replace(a_pack(jobs(2), epochs=1), problem=problem, engine="solo")
    said = list[str]()
    for event in _events(driver):
        if isinstance(event, WorkerLost):
            said.append(f"lost: {event.reason.splitlines()[-1][:160]}")
            driver.replace(event.worker)
        elif isinstance(event.message, Ready):
            said.append("ready")
            if "lost" in " ".join(said):
                break
            driver.submit(event.worker, pack)
        elif isinstance(event.message, RunEnded):
            said.append(f"failed: {event.message.failure}")
        elif isinstance(event.message, PackEnded):
            break
    driver.close()
    good = said[-1] == "ready" if setting.cuda else said[1:] == ["failed: RuntimeError"] * 2
    return {"ok": good, "said": said}


def _events(driver: LocalDriver) -> Iterator[FromWorker | WorkerLost]:
    while True:
        yield from driver.poll(0.25)
