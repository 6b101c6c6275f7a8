"""The energy of a pack on the events of its runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainers.events import CheckpointSkipped, EpochDone, Event, RunEnded, Seconds
from trainers.hardware.energy import metered


@dataclass
class Room:
    """A clock, and a meter in which every second takes ten joules; it may break."""

    now_s: float = 100.0
    read_s: float = 0.0
    breaks_at_s: float = float("inf")
    laps_j: list[float] = field(default_factory=list)

    def clock(self) -> float:
        return self.now_s

    def sample(self) -> None:
        pass

    def lap_j(self) -> float | None:
        if self.now_s >= self.breaks_at_s:
            return None
        self.laps_j.append(10.0 * (self.now_s - self.read_s))
        self.read_s = self.now_s
        return self.laps_j[-1]


def epoch(run: int, seconds: float) -> EpochDone:
    return EpochDone(
        run=run,
        token=1,
        epoch=1,
        values=(),
        seconds=Seconds(train_s=seconds),
        samples=1,
        grad_evals=1,
    )


def ended(run: int, seconds: float = 0.0) -> RunEnded:
    return RunEnded(run=run, token=1, outcome="done", epoch=1, seconds=Seconds(test_s=seconds))


def stamped(room: Room, story: Sequence[tuple[float, Event]], n_runs: int) -> list[Event]:
    """Events after stamping; each comes some seconds after the one before."""

    def told() -> Iterator[Event]:
        for after_s, event in story:
            room.now_s += after_s
            yield event

    return list(metered(told(), room, n_runs=n_runs, clock=room.clock))


def joules(events: Sequence[Event]) -> list[float | None]:
    return [event.energy_j for event in events if not isinstance(event, CheckpointSkipped)]


def test_a_run_by_itself_takes_what_its_time_took() -> None:
    story = [(2.0, epoch(1, 2.0)), (3.0, epoch(1, 3.0)), (1.0, ended(1, 1.0))]
    assert joules(stamped(Room(), story, 1)) == [20.0, 30.0, 10.0]


def test_the_time_before_a_pack_is_nobodys() -> None:
    assert joules(stamped(Room(read_s=0.0, now_s=500.0), [(1.0, ended(1, 1.0))], 1)) == [10.0]


def test_runs_that_report_an_epoch_together_share_its_energy() -> None:
    story = [(6.0, epoch(1, 2.0)), (0.0, epoch(2, 2.0)), (0.0, epoch(3, 2.0))]
    assert joules(stamped(Room(), story, 3)) == pytest.approx([20.0, 20.0, 20.0])


def test_what_was_not_booked_as_anybodys_time_goes_to_the_last_end() -> None:
    story = [(3.0, epoch(1, 2.0)), (0.0, ended(1)), (0.5, ended(2))]
    assert joules(stamped(Room(), story, 2)) == pytest.approx([20.0, 0.0, 15.0])


def test_a_skipped_checkpoint_takes_nothing() -> None:
    skipped = CheckpointSkipped(run=1, token=1, path="a.pt", reason="torn")
    events = stamped(Room(), [(1.0, skipped), (1.0, epoch(1, 2.0))], 1)
    assert events[0] is skipped
    assert joules(events) == [20.0]


def test_without_a_meter_events_stay_as_they_are() -> None:
    story = [(1.0, epoch(1, 1.0)), (0.0, ended(1))]
    events = stamped(Room(breaks_at_s=0.0), story, 1)
    assert all(event is told for event, (_, told) in zip(events, story, strict=True))


def test_nothing_is_known_once_a_meter_has_failed() -> None:
    room = Room(breaks_at_s=102.0)
    story = [(1.0, epoch(1, 1.0)), (2.0, epoch(1, 2.0)), (1.0, ended(1, 1.0))]
    assert joules(stamped(room, story, 1)) == [10.0, None, None]


_SECONDS = st.floats(0, 1e4)
_EPOCHS = st.lists(st.tuples(_SECONDS, st.integers(1, 3), _SECONDS), max_size=20)


@given(epochs=_EPOCHS, ends=st.tuples(_SECONDS, _SECONDS, _SECONDS))
def test_a_pack_adds_up_to_what_the_meter_counted(
    epochs: list[tuple[float, int, float]], ends: tuple[float, float, float]
) -> None:
    story: list[tuple[float, Event]] = [(s, epoch(run, booked)) for s, run, booked in epochs]
    story += [(s, ended(run)) for run, s in enumerate(ends, 1)]
    room = Room()
    found = joules(stamped(room, story, 3))
    counted = sum(room.laps_j[1:])  # the first is of the time before the pack
    assert sum(j for j in found if j is not None) == pytest.approx(counted)
    assert all(j is not None and j >= 0 for j in found)
