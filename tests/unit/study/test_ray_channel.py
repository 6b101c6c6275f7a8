"""What slots say to the driver of a Ray cluster, and what they hear."""

from __future__ import annotations

import threading

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from study.drivers.ray_tune.channel import (
    NO_MORE,
    Channel,
    ChannelEvent,
    SlotStarted,
    WorkerEnded,
    WorkerReported,
    WorkerStarted,
)

DEADLINE_S = 60.0


def with_slots(*slots: str) -> Channel:
    """A channel to slots whose starts have been heard of."""
    channel = Channel()
    for slot in slots:
        channel.slot_started(f"trial of {slot}", slot, b"handle", "node")
    assert channel.events(0.0) == [SlotStarted(slot, b"handle", "node") for slot in slots]
    return channel


def test_what_a_slot_says_arrives_in_order() -> None:
    channel = with_slots("a")
    channel.worker_started("a", 0, 7)
    channel.worker_reported("a", 0, b"one")
    channel.worker_reported("a", 0, b"two")
    channel.worker_ended("a", 0, "why", "WorkerLost")
    assert channel.events(0.0) == [
        WorkerStarted(0, "a", 0, 7),
        WorkerReported(0, b"one"),
        WorkerReported(0, b"two"),
        WorkerEnded(0, "why", "WorkerLost"),
    ]


def test_a_slot_hears_its_orders_in_order() -> None:
    channel = with_slots("a", "b")
    channel.order(["a"], b"one")
    channel.order(["a", "b", "nobody"], b"two")
    assert [channel.next_order("a") for _ in range(2)] == [b"one", b"two"]
    assert channel.next_order("b") == b"two"


def test_an_order_wakes_the_slot_that_waits_for_it() -> None:
    channel, heard = with_slots("a"), list[bytes]()
    waiting = threading.Thread(target=lambda: heard.append(channel.next_order("a")))
    waiting.start()
    channel.order(["a"], b"one")
    waiting.join(DEADLINE_S)
    assert heard == [b"one"]


def test_an_event_wakes_the_driver_that_waits_for_it() -> None:
    channel, heard = Channel(), list[ChannelEvent]()
    waiting = threading.Thread(target=lambda: heard.extend(channel.events()))
    waiting.start()
    channel.slot_started("trial", "a", b"", "node")
    waiting.join(DEADLINE_S)
    assert heard == [SlotStarted("a", b"", "node")]


def test_a_slot_that_has_ended_is_told_that_there_is_no_more() -> None:
    channel, heard = with_slots("a"), list[bytes]()
    waiting = threading.Thread(target=lambda: heard.append(channel.next_order("a")))
    waiting.start()
    assert channel.slot_ended("trial of a") == ("a", "node")
    waiting.join(DEADLINE_S)
    assert heard == [NO_MORE]
    assert channel.next_order("a") == NO_MORE


def test_all_workers_of_a_lost_slot_are_lost() -> None:
    channel = with_slots("a")
    for local in (0, 1):
        channel.worker_started("a", local, 7)
    channel.events(0.0)
    channel.slot_ended("trial of a")
    channel.slot_lost("a", "killed", "NodeLost")
    assert channel.events(0.0) == [WorkerEnded(n, "killed", "NodeLost") for n in (0, 1)]


def test_a_slot_that_never_started_has_no_name() -> None:
    channel = Channel()
    assert channel.slot_ended("trial") is None
    channel.slot_lost(None, "no room", "WorkerLost")
    assert channel.events(0.0) == [WorkerEnded(0, "no room", "WorkerLost")]


SLOTS = st.sampled_from("ab")
LOCALS = st.integers(0, 2)


class ChannelMachine(RuleBasedStateMachine):
    """Slots come and go in any order, and say things after their end."""

    def __init__(self) -> None:
        super().__init__()
        self.channel = Channel()
        self.heard: list[ChannelEvent] = []
        self.known: set[str] = set()

    @rule(slot=SLOTS)
    def start_slot(self, slot: str) -> None:
        if slot not in self.known:
            self.known.add(slot)
            self.channel.slot_started(slot, slot, b"", "node")

    @rule(slot=SLOTS, local=LOCALS)
    def start_once(self, slot: str, local: int) -> None:
        started = [e for e in self.heard if isinstance(e, WorkerStarted)]
        if (slot, local) not in [(e.slot, e.local) for e in started]:
            self.channel.worker_started(slot, local, 1)

    @rule(slot=SLOTS, local=LOCALS)
    def report(self, slot: str, local: int) -> None:
        if (worker := self.worker(slot, local)) is not None and worker not in self.ended:
            self.channel.worker_reported(slot, local, b"message")

    @rule(slot=SLOTS, local=LOCALS)
    def lose(self, slot: str, local: int) -> None:
        if (worker := self.worker(slot, local)) is not None and worker not in self.ended:
            self.channel.worker_ended(slot, local, "why", "WorkerLost")

    @rule(slot=SLOTS)
    def end(self, slot: str) -> None:
        if self.channel.slot_ended(slot) is not None:
            self.channel.slot_lost(slot, "why", "NodeLost")
            self.channel.worker_reported(slot, 0, b"too late")

    def worker(self, slot: str, local: int) -> int | None:
        found = (e for e in self.heard if isinstance(e, WorkerStarted))
        return next((e.worker for e in found if (e.slot, e.local) == (slot, local)), None)

    @property
    def ended(self) -> list[int]:
        return [e.worker for e in self.heard if isinstance(e, WorkerEnded)]

    @invariant()
    def a_worker_starts_reports_and_ends_once(self) -> None:
        self.heard += self.channel.events(0.0)
        started = [e.worker for e in self.heard if isinstance(e, WorkerStarted)]
        assert len(started) == len(set(started))
        assert len(self.ended) == len(set(self.ended))
        for place, event in enumerate(self.heard):
            if isinstance(event, WorkerReported):
                before = [e for e in self.heard[:place] if not isinstance(e, SlotStarted)]
                kinds = {type(e) for e in before if e.worker == event.worker}
                assert WorkerStarted in kinds
                assert WorkerEnded not in kinds


TestChannel = ChannelMachine.TestCase
