"""What failures mean for the rest of a study."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from storage.limits import Limit, Limits
from storage.records import Claim, FailureGroup, Report, Spent
from study.drivers import Loss
from study.running.failure_policy import FRUITLESS_ATTEMPTS, FailurePolicy
from trainers.failures import REPLAY_DIFFERS


@dataclass
class FakeStorage:
    """Answers with the groups it is given, and remembers what it is told."""

    groups: list[FailureGroup] = field(default_factory=list)
    returned: list[int] = field(default_factory=list)
    reasons: list[tuple[str, str]] = field(default_factory=list)
    recorded: list[Report] = field(default_factory=list)
    asked: int = 0

    def failure_groups(self, _study_id: int) -> list[FailureGroup]:
        self.asked += 1
        return self.groups

    def take_back_run(
        self, run: int, _token: int, failure: str, text: str, *, unbooked_s: float
    ) -> bool:
        self.returned.append(run)
        self.reasons.append((failure, text))
        return True

    def record(self, reports: list[Report]) -> None:
        self.recorded += reports


def a_claim(run: int = 1) -> Claim:
    return Claim(
        run=run,
        token=2,
        attempt=1,
        key=f"{run}",
        search="ew",
        role="search",
        weighting="ew",
        params="{}",
        written="{}",
        seed=0,
        until_epoch=2,
        checkpoints=(),
    )


def failures(*groups: FailureGroup) -> tuple[FailurePolicy, FakeStorage]:
    storage = FakeStorage(list(groups))
    searches, no_sizes = {"ew": 10, "uw": 11}, SimpleNamespace()
    found = FailurePolicy(
        storage,  # type: ignore[arg-type]
        1,
        searches,
        no_sizes,  # type: ignore[arg-type]
        retry="weighbridge retry s",
        say=print,
    )
    return found, storage


def lose(
    found: FailurePolicy,
    reason: str,
    *,
    loss: Loss = Loss.WORKER,
    progressed: bool = False,
    out_of_time: bool = False,
    alone: bool = True,
) -> bool:
    return found.lost(
        a_claim(),
        reason,
        loss=loss,
        progressed=progressed,
        out_of_time=out_of_time,
        alone=alone,
        unbooked_s=2.5,
    )


def a_group(runs: int, key: str | None = "k") -> FailureGroup:
    return FailureGroup(search="ew", failure_key=key, failure="ValueError", runs=runs)


def test_two_alike_stop_nothing() -> None:
    found, _ = failures(a_group(2))
    assert found.stopped == {}
    assert found.limits(None) is None


def test_one_canary_that_differs_stops_its_search() -> None:
    found, _ = failures(FailureGroup(search="uw", failure_key="k", failure=REPLAY_DIFFERS, runs=1))
    assert "came out otherwise when it was trained again alone" in found.stopped["uw"]


def test_three_alike_stop_their_search_and_no_other() -> None:
    found, _ = failures(a_group(3))
    assert "3 runs failed with the same ValueError" in found.stopped["ew"]
    limits = found.limits(Limits(searches={11: Limit(epochs=9)}))
    assert limits is not None
    assert limits.searches == {11: Limit(epochs=9), 10: Limit(epochs=0)}


def test_lost_workers_have_no_cause_in_common() -> None:
    found, _ = failures(a_group(9, key=None))
    assert found.stopped == {}


def test_a_search_goes_on_once_its_runs_are_retried() -> None:
    found, storage = failures(a_group(3))
    storage.groups = []
    found.look()
    assert found.stopped == {}


def test_nothing_is_asked_while_no_run_fails() -> None:
    found, storage = failures(a_group(2))
    found.look()
    assert storage.asked == 1  # at the start


def test_a_failed_run_is_looked_into_once() -> None:
    found, storage = failures(a_group(2))
    storage.groups = [a_group(3)]
    found.failed()
    found.look()
    assert set(found.stopped) == {"ew"}
    assert storage.asked == 2


def test_a_run_that_was_ended_for_its_workers_counts_as_failed() -> None:
    found, storage = failures()
    lose(found, "signal SIGKILL", progressed=True, out_of_time=True)
    found.look()
    assert storage.asked == 2


def test_a_run_that_gets_on_is_tried_for_ever() -> None:
    found, storage = failures()
    for _ in range(3 * FRUITLESS_ATTEMPTS):
        assert not lose(found, "signal SIGKILL", progressed=True)
    assert storage.recorded == []


def test_a_run_that_never_gets_on_fails_by_name() -> None:
    found, storage = failures()
    ended = [lose(found, "exit code 3") for _ in range(FRUITLESS_ATTEMPTS)]
    assert ended == [*[False] * (FRUITLESS_ATTEMPTS - 1), True]
    assert storage.recorded[0].failure == "WorkerLost"
    assert "exit code 3" in storage.recorded[0].reason


@pytest.mark.parametrize("loss", list(Loss))
def test_an_attempt_is_lost_by_its_class(loss: Loss) -> None:
    found, storage = failures()
    lose(found, "gone", loss=loss)
    assert storage.reasons == [(loss.value, "gone")]


@pytest.mark.parametrize("loss", [Loss.NODE, Loss.MEMORY])
def test_a_run_that_takes_its_machine_down_fails_by_that(loss: Loss) -> None:
    found, storage = failures()
    while not lose(found, "gone", loss=loss):
        pass
    assert storage.recorded[0].failure == loss.value


def test_a_machine_that_is_taken_away_says_nothing_of_the_run() -> None:
    found, storage = failures()
    for _ in range(3 * FRUITLESS_ATTEMPTS):
        assert not lose(found, "spot", loss=Loss.PREEMPTED)
    assert storage.recorded == []


def test_a_run_over_its_time_limit_fails_at_once() -> None:
    found, storage = failures()
    assert lose(found, "signal SIGKILL", progressed=True, out_of_time=True)
    assert storage.recorded[0].failure == "TimeLimit"
    assert storage.returned == []


@pytest.mark.parametrize("out_of_time", [True, False])
def test_of_a_pack_nobody_knows_which_run_it_was(out_of_time: bool) -> None:
    found, storage = failures()
    for _ in range(3 * FRUITLESS_ATTEMPTS):
        assert not lose(found, "signal SIGKILL", out_of_time=out_of_time, alone=False)
    assert storage.recorded == []


@pytest.mark.parametrize("out_of_time", [True, False])
def test_a_run_that_fails_pays_for_the_time_since_its_last_report(out_of_time: bool) -> None:
    found, storage = failures()
    while not lose(found, "signal SIGKILL", out_of_time=out_of_time):
        pass
    (ending,) = storage.recorded
    assert ending.spent == Spent(train_s=2.5)


def test_a_run_that_a_full_gpu_refuses_waits_longer_each_time_and_fails_in_the_end() -> None:
    found, _ = failures()
    pauses = [found.crowded(1) for _ in range(FRUITLESS_ATTEMPTS)]
    assert pauses == [15.0, 30.0, 60.0, 120.0, None]
    assert found.crowded(2) == 15.0
