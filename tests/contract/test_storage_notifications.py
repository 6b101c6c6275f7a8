"""Promises of notifications: written once, claimed by one, tried again for a bounded time."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from storage import Storage
from storage.delivery import WAITS_S, given_up, next_try, overdue
from storage.schema.tables import notifications
from tests.contract.storage_backends import Backend, OnFile, OnPostgres
from tests.contract.storage_bench import Bench


def pass_time(bench: Bench, seconds: float) -> None:
    """As if all attempts had begun so much earlier."""
    with bench.storage._database.write() as connection:
        for row in connection.execute(notifications.select()).all():
            if row.attempted_at is not None:
                earlier = row.attempted_at - timedelta(seconds=seconds)
                one = notifications.update().where(notifications.c.id == row.id)
                connection.execute(one.values(attempted_at=earlier))


def at_once(url: str, work: Callable[[Storage], Any]) -> list[Any]:
    """What four drivers get who do the same at one moment."""

    def alone(_: int) -> Any:
        storage = Storage(url)
        try:
            return work(storage)
        finally:
            storage.close()

    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(alone, range(4)))


class NotificationPromises(Backend):
    def test_an_event_is_written_once_whoever_sees_it(self, bench: Bench) -> None:
        counts = at_once(bench.url, lambda storage: storage.announce("b", {"done 1": "{}"}))
        assert sorted(counts) == [0, 0, 0, 1]
        assert bench.storage.announce("b", {"done 1": "other", "done 2": "{}"}) == 1
        assert bench.storage.announce("c", {"done 1": "{}"}) == 1
        found = bench.storage.notifications("b")
        assert [(one.key, one.message, one.attempts) for one in found] == [
            ("done 1", "{}", 0),
            ("done 2", "{}", 0),
        ]

    def test_one_of_several_gets_a_message(self, bench: Bench) -> None:
        bench.storage.announce("b", {"done 1": "{}"})
        claims = at_once(bench.url, lambda storage: storage.claim_notification("b"))
        assert len([one for one in claims if one is not None]) == 1
        assert bench.storage.claim_notification("b", anyway=True) is None
        assert [one.in_flight for one in bench.storage.notifications("b")] == [True]

    def test_what_was_claimed_and_not_delivered_comes_again(self, bench: Bench) -> None:
        bench.storage.announce("b", {"done 1": "{}"})
        first = bench.storage.claim_notification("b")
        pass_time(bench, WAITS_S[0] - 5)
        assert bench.storage.claim_notification("b") is None
        pass_time(bench, 6)
        second = bench.storage.claim_notification("b")
        assert first is not None
        assert second is not None
        assert (first.id, second.attempts) == (second.id, 1)
        bench.storage.delivered(second.id)
        pass_time(bench, 1e6)
        assert bench.storage.claim_notification("b", anyway=True) is None
        bench.storage.undelivered(second.id, "too late")
        (one,) = bench.storage.notifications("b")
        assert (one.error, one.attempts, one.delivered is None) == ("", 2, False)

    def test_it_is_given_up_after_the_last_wait_and_tried_when_asked_for(
        self, bench: Bench
    ) -> None:
        bench.storage.announce("b", {"done 1": "{}"})
        for wait_s in (*WAITS_S, 1e6):
            one = bench.storage.claim_notification("b")
            assert one is not None
            bench.storage.undelivered(one.id, "It is away.")
            pass_time(bench, wait_s)
        assert bench.storage.claim_notification("b") is None
        (one,) = bench.storage.notifications("b")
        assert given_up(one)
        assert one.error == "It is away."
        again = bench.storage.claim_notification("b", anyway=True)
        assert again is not None
        assert bench.storage.claim_notification("b", anyway=True, tried=[again.id]) is None

    @pytest.mark.parametrize("final", [True, False])
    def test_what_is_refused_for_good_is_given_up_at_once(self, bench: Bench, final: bool) -> None:
        bench.storage.announce("b", {"done 1": "{}"})
        one = bench.storage.claim_notification("b")
        assert one is not None
        bench.storage.undelivered(one.id, "No.", final=final)
        (one,) = bench.storage.notifications("b")
        assert (given_up(one), one.attempts, one.error) == (final, 1, "No.")
        pass_time(bench, 1e6)
        assert (bench.storage.claim_notification("b") is None) is final
        if final:
            again = bench.storage.claim_notification("b", anyway=True)
            assert again is not None
            (one,) = bench.storage.notifications("b")
            assert (given_up(one), one.attempts, one.in_flight) == (False, 2, True)

    def test_what_was_not_delivered_is_told_with_its_next_attempt(self, bench: Bench) -> None:
        keys = ("done 1", "budget 80% epochs 9", "failed 1")
        bench.storage.announce("b", dict.fromkeys(keys, "{}"))
        for error, final in (("", False), ("Away.", False), ("No.", True)):
            claimed = bench.storage.claim_notification("b")
            assert claimed is not None
            if error:
                bench.storage.undelivered(claimed.id, error, final=final)
        at = datetime.now(UTC)
        found = bench.storage.notifications("b")
        late = overdue(found, at=at)
        assert [(one.event, one.error) for one in late] == [
            ("budget 80%", "Away."),
            ("failed", "No."),
        ]
        assert late[0].attempted is not None
        assert next_try(late[0]) == late[0].attempted + timedelta(seconds=WAITS_S[0])
        assert next_try(late[1]) is None
        after_a_death = at + timedelta(seconds=2 * WAITS_S[0])
        assert len(overdue(found, at=after_a_death)) == len(keys)
        bench.storage.delivered(late[0].id)
        found = bench.storage.notifications("b")
        assert [one.event for one in overdue(found, at=at)] == ["failed"]


class TestNotificationsOnFile(NotificationPromises, OnFile):
    pass


class TestNotificationsOnPostgres(NotificationPromises, OnPostgres):
    pass
