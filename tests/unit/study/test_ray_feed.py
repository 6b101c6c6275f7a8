"""What slots say to the driver of a Ray cluster, and what they hear."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from queue import SimpleQueue

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from study.drivers.ray_tune.feed import NO_MORE, Entered, Feed, FeedEvent, Joined, Lost, Said
from study.drivers.ray_tune.near import NearFeed, NearLine

HERE = "127.0.0.1"
DEADLINE_S = 30.0


@pytest.fixture
def feed() -> Iterator[NearFeed]:
    feed = NearFeed(HERE)
    yield feed
    feed.close()


def entered(feed: NearFeed, host: str = "host") -> NearLine:
    """The line of a slot that the feed knows."""
    line = NearLine(feed.way)
    line.enter(f"slot of {host}", host, b"actor", "node")
    assert heard(feed, 1) == [Entered(host, b"actor", "node")]
    return line


def heard(feed: NearFeed, n: int) -> list[FeedEvent]:
    """The next events."""
    events: list[FeedEvent] = []
    while len(events) < n:
        more = feed.events(DEADLINE_S)
        assert more, f"waited in vain, heard only {len(events)} events"
        events += more
    return events


def test_what_a_slot_says_arrives_in_order(feed: NearFeed) -> None:
    line = entered(feed)
    line.join("host", 0, 7)
    line.say("host", 0, b"one")
    line.say("host", 0, b"two")
    line.lost("host", 0, "why", "WorkerLost")
    assert heard(feed, 4) == [
        Joined(0, "host", 0, 7),
        Said(0, b"one"),
        Said(0, b"two"),
        Lost(0, "why", "WorkerLost"),
    ]


def test_a_slot_hears_its_orders_in_order(feed: NearFeed) -> None:
    lines = [entered(feed, host) for host in ("a", "b")]
    feed.order(["a"], b"one")
    feed.order(["a", "b", "nobody"], b"two")
    assert [lines[0].next_order("a") for _ in range(2)] == [b"one", b"two"]
    assert lines[1].next_order("b") == b"two"


def test_all_that_a_slot_has_said_is_heard_before_its_end(feed: NearFeed) -> None:
    line = entered(feed)
    line.join("host", 0, 7)
    for _ in range(1000):
        line.say("host", 0, b"x" * 1000)
    del line  # which ends the connection, as the process's end does
    assert feed.leave("slot of host") == ("host", "node")
    feed.host_lost("host", "killed", "NodeLost")
    assert heard(feed, 1002)[-1] == Lost(0, "killed", "NodeLost")


def test_a_slot_that_never_began_has_no_name(feed: NearFeed) -> None:
    assert feed.leave("slot of nobody") is None
    feed.host_lost(None, "no room", "WorkerLost")
    assert heard(feed, 1) == [Lost(0, "no room", "WorkerLost")]


def test_without_the_key_nobody_is_let_in(feed: NearFeed) -> None:
    with pytest.raises(ConnectionError, match="This one does not"):
        NearLine(replace(feed.way, key=b"another"))


def test_who_says_nothing_keeps_nobody_out(feed: NearFeed) -> None:
    with socket.create_connection((feed.way.host, feed.way.port)):
        entered(feed)


def test_a_closed_feed_cannot_be_reached(feed: NearFeed) -> None:
    line = entered(feed)
    feed.close()
    assert line.next_order("host") == NO_MORE
    with pytest.raises(ConnectionError, match=f"at {HERE}, port {feed.way.port}"):
        NearLine(feed.way)


HOSTS = st.sampled_from("ab")
LOCALS = st.integers(0, 2)


class FeedMachine(RuleBasedStateMachine):
    """Slots come and go in any order, and say things after their end."""

    def __init__(self) -> None:
        super().__init__()
        self.feed = Feed()
        self.heard: list[FeedEvent] = []
        self.orders: dict[str, SimpleQueue[bytes]] = {}

    @rule(host=HOSTS)
    def enter(self, host: str) -> None:
        if host not in self.orders:
            self.orders[host] = SimpleQueue()
            self.feed.enter(host, host, b"", "node", self.orders[host])

    @rule(host=HOSTS, local=LOCALS)
    def join_once(self, host: str, local: int) -> None:
        joined = [e for e in self.heard if isinstance(e, Joined)]
        if (host, local) not in [(e.host, e.local) for e in joined]:
            self.feed.join(host, local, 1)

    @rule(host=HOSTS, local=LOCALS)
    def say(self, host: str, local: int) -> None:
        if (worker := self.worker(host, local)) is not None and worker not in self.ended:
            self.feed.say(host, local, b"message")

    @rule(host=HOSTS, local=LOCALS)
    def lose(self, host: str, local: int) -> None:
        if (worker := self.worker(host, local)) is not None and worker not in self.ended:
            self.feed.lost(host, local, "why", "WorkerLost")

    @rule(host=HOSTS)
    def end(self, host: str) -> None:
        if self.feed.leave(host) is not None:
            self.feed.host_lost(host, "why", "NodeLost")
            self.feed.say(host, 0, b"too late")

    def worker(self, host: str, local: int) -> int | None:
        found = (e for e in self.heard if isinstance(e, Joined))
        return next((e.worker for e in found if (e.host, e.local) == (host, local)), None)

    @property
    def ended(self) -> list[int]:
        return [e.worker for e in self.heard if isinstance(e, Lost)]

    @invariant()
    def a_worker_joins_speaks_and_ends_once(self) -> None:
        self.heard += self.feed.events(0.0)
        joined = [e.worker for e in self.heard if isinstance(e, Joined)]
        assert len(joined) == len(set(joined))
        assert len(self.ended) == len(set(self.ended))
        for place, event in enumerate(self.heard):
            if isinstance(event, Said):
                before = self.heard[:place]
                assert any(isinstance(e, Joined) and e.worker == event.worker for e in before)
                assert not any(isinstance(e, Lost) and e.worker == event.worker for e in before)


TestFeed = FeedMachine.TestCase
