"""Forecasts of a search that tunes the optimiser go by what each of them takes."""

from __future__ import annotations

from typing import Any

import pytest

from study.deciding.pace import Pace, mixed
from study.running.timed_optimizers import costs_by_optimizer, runs_left
from tests.unit.study.test_pace import packs

ADAM, ADATASK, PLAIN = '{"optimizer":"adam"}', '{"optimizer":"adatask"}', '{"lr":0.1}'


class Views:
    """A reader of views in memory: rows are dicts with the same keys."""

    def __init__(self, **rows: list[dict[str, Any]]) -> None:
        self._rows = rows

    def view(self, view: str, study: str) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        rows = self._rows[view]
        return tuple(rows[0]), [tuple(row.values()) for row in rows]


def run(number: int, params: str, state: str = "done", search: str = "ew") -> dict[str, Any]:
    return {"run": number, "search": search, "params": params, "state": state, "planned": 1}


def attempt(number: int, started: str, device_s: float, epochs: int = 10) -> dict[str, Any]:
    return {"run": number, "worker": 1, "started": started, "device": "cpu"} | {
        "epochs": epochs,
        "device_s": device_s,
    }


def reader() -> Any:
    return Views(
        run_results=[
            *(run(1, ADAM), run(2, ADAM), run(3, ADATASK), run(4, PLAIN)),
            *(run(5, ADATASK, "waiting"), run(6, ADATASK, "leased"), run(7, ADAM, "waiting")),
            run(8, ADAM, search="uw"),
        ],
        attempt_costs=[
            *(attempt(1, "a", 9.0, epochs=5), attempt(2, "a", 1.0, epochs=5)),
            *(attempt(4, "b", 12.0), attempt(3, "c", 40.0), attempt(8, "d", 5.0)),
            attempt(5, "e", 1.0, epochs=0),
        ],
    )


def test_packs_are_summed_by_the_optimiser_of_their_runs() -> None:
    found = costs_by_optimizer(reader(), "again", {"ew"}, "adam")
    assert found == {("ew", "adam"): [packs(10, 12)], ("ew", "adatask"): [packs(40)]}


def test_runs_that_are_left_are_counted_by_optimiser() -> None:
    left = runs_left(reader(), "again", {"ew"}, "adam")
    assert left == {("ew", "adatask"): 2, ("ew", "adam"): 1}


def pace(epoch_s: float) -> Pace:
    return Pace(epoch_s=epoch_s, source="own", packs=2.0, pack_epochs=10.0, spread=0.1, df=3)


def test_a_searchs_pace_is_that_of_what_is_left() -> None:
    assert mixed([(pace(1.0), 1), (pace(4.0), 2)]) == Pace(
        epoch_s=3.0, source="own", packs=4.0, pack_epochs=10.0, spread=0.1, df=3
    )
    assert mixed([(pace(1.0), 0), (pace(4.0), 2)]) == pace(4.0)
    assert mixed([(pace(1.0), 3)]) == pace(1.0)


@pytest.mark.parametrize(("n_left", "known"), [(0, True), (1, False)])
def test_what_was_not_timed_and_is_left_leaves_it_open(n_left: int, known: bool) -> None:
    assert (mixed([(pace(1.0), 2), (None, n_left)]) is not None) == known
