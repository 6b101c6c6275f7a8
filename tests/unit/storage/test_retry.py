"""Trouble that may pass is waited out, for a limited time, and is told of once."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import pytest

from storage import DatabaseUnusable, Reader, Storage
from storage.database.retry import Retry


class Waited:
    """A clock that goes on when somebody sleeps, and what was told meanwhile."""

    def __init__(self, limit_s: float = 60.0) -> None:
        self.now_s, self.waits_s, self.told = 0.0, list[float](), list[str]()
        self.retries = Retry(limit_s, self.told.append, sleep=self.sleep, clock=lambda: self.now_s)

    def sleep(self, wait_s: float) -> None:
        self.now_s += wait_s
        self.waits_s.append(wait_s)


def failing(n_times: int, *, passing: bool = True) -> Callable[[], str]:
    """Work that succeeds after so many failures."""
    left = [n_times]

    def work() -> str:
        if left[0] == 0:
            return "done"
        left[0] -= 1
        raise DatabaseUnusable("It is locked.", passing=passing)

    return work


def test_passing_trouble_is_waited_out() -> None:
    waited = Waited()
    assert waited.retries.until_done(failing(7)) == "done"
    assert len(waited.waits_s) == 7


def test_other_trouble_is_raised_at_once() -> None:
    waited = Waited()
    with pytest.raises(DatabaseUnusable):
        waited.retries.until_done(failing(1, passing=False))
    assert waited.waits_s == []


def test_waits_grow_to_five_seconds() -> None:
    waited = Waited(limit_s=1000)
    waited.retries.until_done(failing(50))
    assert max(waited.waits_s) <= 5
    assert all(wait_s >= 2.5 for wait_s in waited.waits_s[10:])
    assert waited.waits_s[0] <= 0.05


def test_two_who_fail_together_do_not_wait_alike() -> None:
    one, other = Waited(), Waited()
    one.retries.until_done(failing(5))
    other.retries.until_done(failing(5))
    assert one.waits_s != other.waits_s


def test_patience_ends() -> None:
    waited = Waited(limit_s=60)
    with pytest.raises(DatabaseUnusable, match=r"locked\. Tried for 60 s\."):
        waited.retries.until_done(failing(1000))
    assert waited.now_s == pytest.approx(60)


def test_once_patience_has_ended_nobody_waits_again() -> None:
    waited = Waited()
    with pytest.raises(DatabaseUnusable):
        waited.retries.until_done(failing(1000))
    n_waits = len(waited.waits_s)
    with pytest.raises(DatabaseUnusable):
        waited.retries.until_done(failing(1))
    assert len(waited.waits_s) == n_waits


def test_success_restores_patience() -> None:
    waited = Waited()
    with pytest.raises(DatabaseUnusable):
        waited.retries.until_done(failing(1000))
    waited.retries.until_done(failing(0))
    assert waited.retries.until_done(failing(3)) == "done"


def test_trouble_and_its_end_are_told_once() -> None:
    waited = Waited()
    waited.retries.until_done(failing(9))
    begun, over = waited.told
    assert begun == "It is locked. Trying again for up to 60 s."
    assert over.startswith("The study database is back after")


def test_what_one_new_try_mends_is_not_told() -> None:
    waited = Waited()
    waited.retries.until_done(failing(1))
    assert waited.told == []


def test_an_interrupted_wait_is_not_begun_again() -> None:
    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    retries = Retry(60, lambda _: None, sleep=interrupted)
    with pytest.raises(KeyboardInterrupt):
        retries.until_done(failing(1))
    with pytest.raises(DatabaseUnusable):
        retries.until_done(failing(1))


@pytest.mark.parametrize("way", [Storage, Reader])
def test_every_method_is_patient(way: type[Storage | Reader]) -> None:
    methods = {
        name
        for name, method in inspect.getmembers(way, inspect.isfunction)
        if not name.startswith("_") and name != "close" and not hasattr(method, "__wrapped__")
    }
    assert methods == set()
