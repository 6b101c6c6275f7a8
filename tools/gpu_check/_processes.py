"""Processes for steps and for parts of them: forked before CUDA starts, ended after a while."""

from __future__ import annotations

import os
import pickle
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any


class Failed(Exception):
    """A process that ended without an answer; says how."""


def in_process(work: Callable[[], Any], *, limit_s: float, group: bool = False) -> Any:
    """What `work` returns in a process of its own.

    Args:
        group: Whether what it starts is to end with it.

    Raises:
        Failed: It raised, was killed, or took longer than `limit_s`.
    """
    (found,) = in_processes([work], limit_s=limit_s, group=group)
    return found


def in_processes(
    works: Sequence[Callable[[], Any]], *, limit_s: float, group: bool = False
) -> list[Any]:
    """What each returns, all at once.

    Raises:
        Failed: One of them raised, was killed, or took longer than `limit_s`.
    """
    children = [_forked(work, group) for work in works]
    deadline_s = time.monotonic() + limit_s
    try:
        answers = [_answer(pipe, deadline_s) for _, pipe in children]
    finally:
        codes = [_ended(pid) for pid, _ in children]
        for _, pipe in children:
            os.close(pipe)
    return [_opened(answer, code) for answer, code in zip(answers, codes, strict=True)]


def _forked(work: Callable[[], Any], group: bool) -> tuple[int, int]:
    theirs, ours = os.pipe()
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        os.close(ours)
        return pid, theirs
    if group:
        os.setpgid(0, 0)
    os.close(theirs)
    try:
        answer = pickle.dumps((True, work()))
    except BaseException:
        answer = pickle.dumps((False, traceback.format_exc()))
    with os.fdopen(ours, "wb") as pipe:
        pipe.write(answer)
    os._exit(0)


def _answer(pipe: int, deadline_s: float) -> bytes | None:
    """All that comes down a pipe; None if it does not end in time."""
    found = b""
    while True:
        ready, _, _ = select.select([pipe], [], [], max(0.0, deadline_s - time.monotonic()))
        if not ready:
            return None
        part = os.read(pipe, 1 << 16)
        if not part:
            return found
        found += part


def _ended(pid: int) -> int:
    """End a process and all that it has started; returns how it ended."""
    code: int | None = None
    for _ in range(20):  # it may be about to exit
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            code = os.waitstatus_to_exitcode(status)
            break
        time.sleep(0.01)
    with suppress(ProcessLookupError):  # it led no group, or has ended with all of it
        os.killpg(pid, signal.SIGKILL)
    if code is None:
        os.kill(pid, signal.SIGKILL)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return code


def _opened(answer: bytes | None, code: int) -> Any:
    if answer is None:
        raise Failed("it took too long and was ended")
    if not answer:
        raise Failed(f"it ended with {signal.Signals(-code).name if code < 0 else code}")
    good, found = pickle.loads(answer)
    if not good:
        raise Failed(found)
    return found
