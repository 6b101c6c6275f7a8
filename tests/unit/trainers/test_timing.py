"""Runs are timed alone and in turn; what raises, or takes too long, is left out."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from tests.packs import a_job
from tests.toy import TASKS, Toy
from trainers.engines import Session, open_session, time_steps
from trainers.jobs import Job, ProblemRef, TimeSteps, Training

EVERY_LEVEL = ("ew", "pcgrad", "famo")


@pytest.fixture
def session() -> Session:
    return open_session(Toy(), "cpu")


def wanted(*jobs: Job, sweeps: int = 2, limit_s: float = 1e9) -> TimeSteps:
    return TimeSteps(
        problem=ProblemRef(target="toy:Toy"),
        training=Training(epochs=1, batch_size=6),
        jobs=jobs,
        sweeps=sweeps,
        limit_s=limit_s,
    )


def jobs(*weightings: str, tasks: tuple[str, ...] = TASKS) -> list[Job]:
    return [a_job(run, name, tasks=tasks) for run, name in enumerate(weightings)]


def test_each_sweep_times_each_run_by_its_own_step(session: Session) -> None:
    single = a_job(7, weighting="ew", tasks=("level",))
    found = time_steps(wanted(*jobs(*EVERY_LEVEL), single, sweeps=3), session)
    assert [list(sweep) for sweep in found.sweeps] == [[0, 1, 2, 7]] * 3
    assert all(epoch_s > 0 for sweep in found.sweeps for epoch_s in sweep.values())
    assert found.seconds > 0


def test_what_raises_is_left_out_and_the_others_are_timed(session: Session) -> None:
    broken = a_job(1, weighting="uw-so", tasks=TASKS, hyper={"temperature": -1.0})
    found = time_steps(wanted(a_job(0, tasks=TASKS), broken), session)
    assert [list(sweep) for sweep in found.sweeps] == [[0], [0]]


def test_with_nothing_that_can_be_timed_it_ends(session: Session) -> None:
    broken = a_job(1, weighting="uw-so", tasks=TASKS, hyper={"temperature": -1.0})
    assert [dict(sweep) for sweep in time_steps(wanted(broken), session).sweeps] == [{}]


def test_a_sweep_that_the_limit_does_not_allow_is_dropped(session: Session) -> None:
    moments: Iterator[int] = count()
    found = time_steps(
        wanted(*jobs("ew", "rlw"), sweeps=9, limit_s=20.0), session, lambda: float(next(moments))
    )
    assert 0 < len(found.sweeps) < 9
    assert all(len(sweep) == 2 for sweep in found.sweeps)
    assert time_steps(wanted(*jobs("ew"), limit_s=-1.0), session).sweeps == ()


def test_runs_are_told_apart_by_one_clock_and_sweeps_last_as_long_as_by_the_other(
    session: Session,
) -> None:
    def timed(speed: float) -> list[float]:
        ticks = count()
        found = time_steps(
            wanted(*jobs("ew", "rlw")),
            session,
            now=lambda: speed * next(ticks),
            clock=lambda: float(next(ticks)),
        )
        return [s for sweep in found.sweeps for s in sweep.values()]

    assert timed(4.0) == pytest.approx([4 * s for s in timed(1.0)])
