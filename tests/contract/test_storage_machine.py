"""Whatever several drivers do, runs and costs add up, and who follows ends with what is there."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test

from tests.contract.storage_bench import decision
from tests.contract.storage_follower import Follower, full_picture
from tests.contract.storage_machine import Drivers, DriversOnPostgres


class Followed(Drivers):
    """... and a reader that follows, a few pages now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.follower = Follower(self.drivers[0].url)

    def teardown(self) -> None:
        self.follower.reader.close()
        super().teardown()

    @rule(limit=st.integers(1, 4), pages=st.integers(1, 3))
    def follow(self, limit: int, pages: int) -> None:
        for _ in range(pages):
            self.follower.page(limit)

    @rule(stage=st.integers(0, 1), point=st.sampled_from(["a", "b"]))
    def decide(self, stage: int, point: str) -> None:
        bench = self.drivers[0]
        bench.storage.decide(bench.search(), decision(stage, point))

    @rule(driver=st.integers(0, 2))
    def reopen(self, driver: int) -> None:
        bench = self.drivers[driver]
        bench.storage.reopen_decisions(bench.study.id)

    @rule(limit=st.integers(1, 10))
    def catch_up(self, limit: int) -> None:
        assert self.follower.catch_up(limit) == full_picture(self.drivers[0].url)


class FollowedOnPostgres(Followed, DriversOnPostgres):
    pass


@pytest.mark.slow
@pytest.mark.parametrize(
    ["machine", "examples"],
    [
        pytest.param(Followed, 10, id="file"),
        pytest.param(FollowedOnPostgres, 5, id="postgres"),
    ],
)
def test_all_adds_up_and_who_follows_ends_with_what_is_there(
    machine: type[Followed], examples: int
) -> None:
    run_state_machine_as_test(
        machine, settings=settings(max_examples=examples, stateful_step_count=25, deadline=None)
    )
