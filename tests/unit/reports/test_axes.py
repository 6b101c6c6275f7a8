"""What runs are charged with, in each unit of cost."""

from typing import Any

import numpy as np
import pytest

from reports import StudyFrames, load
from reports.errors import UnknownAxis
from reports.spending import offered
from reports.spending.axes import CostAxis, charges, require, trial_costs
from tests.unit.reports import synthetic


def study(*attempts: dict[str, Any], epochs: int = 10, **run: Any) -> StudyFrames:
    """One run of ten epochs, charged with 12 of its 20 device-seconds, and its attempts."""
    made = synthetic.tabled([[0.0]], [[0.0]], [("grid", (0,))], cost_s=[12.0], solo_s=[30.0])
    made.rows["run_results"][0] |= {"epochs": epochs} | run
    shared = {"study": synthetic.STUDY, "run": 0, "device": "cpu", "state": "finished"}
    made.rows["attempt_costs"] = [
        shared
        | {"attempt": number, "device_s": 20.0, "epochs": 10, "samples": 5000, "flops": 1e9}
        | {"energy_j": 400.0, "money": 2.0}
        | attempt
        for number, attempt in enumerate(attempts or ({},))
    ]
    return load(made, synthetic.STUDY)


def charged(frames: StudyFrames, axis: CostAxis) -> float:
    return float(charges(frames, axis)[0])


@pytest.mark.parametrize(
    ["axis", "wanted"],
    [
        *(("solo_s", 30.0), ("as_run_s", 12.0), ("epochs", 10.0), ("runs", 1.0)),
        *(("samples", 5000.0), ("flops", 1e9), ("energy_j", 240.0), ("money", 1.2)),
    ],
)
def test_a_run_is_charged_for_what_stands(axis: CostAxis, wanted: float) -> None:
    assert charged(study(), axis) == pytest.approx(wanted)


@pytest.mark.parametrize(["axis", "wanted"], [("samples", 5000.0), ("flops", 1e9)])
def test_epochs_that_were_lost_with_a_worker_are_not_charged(axis: CostAxis, wanted: float) -> None:
    lost = {"device_s": 8.0, "epochs": 4, "samples": 2000, "flops": 4e8, "state": "lost"}
    assert charged(study(lost, {}), axis) == pytest.approx(wanted)


def test_lost_time_has_taken_its_energy_along() -> None:
    lost = {"device_s": 20.0, "energy_j": 600.0, "state": "lost"}
    assert charged(study(lost, {}), "energy_j") == pytest.approx(12.0 * 1000.0 / 40.0)


def test_the_epoch_that_diverged_was_trained() -> None:
    made = study({"epochs": 6, "samples": 3000}, epochs=5, diverged_epoch=6, state="diverged")
    assert charged(made, "samples") == pytest.approx(3000.0)


def test_an_attempt_that_took_no_time_needs_no_meter() -> None:
    unborn = {"device_s": 0.0, "epochs": 0, "samples": 0, "flops": 0.0, "energy_j": None}
    frames = study(unborn | {"money": None}, {})
    assert charged(frames, "energy_j") == pytest.approx(240.0)
    assert "money" in offered(frames)


def test_all_that_is_recorded_is_offered() -> None:
    assert offered(study()) == (
        *("solo_s", "as_run_s", "epochs", "samples", "flops", "runs", "energy_j", "money"),
    )


@pytest.mark.parametrize(
    ["axis", "gone", "says"],
    [
        ("energy_j", {"energy_j": None}, "1 of 1 runs have none.*meter"),
        ("money", {"money": None}, "price_per_h"),
        ("flops", {"flops": 0.0}, "operations can be counted"),
    ],
)
def test_what_is_not_recorded_is_not_offered_and_says_why(
    axis: CostAxis, gone: dict[str, Any], says: str
) -> None:
    frames = study(gone)
    assert axis not in offered(frames)
    with pytest.raises(UnknownAxis, match=f"{says}.*Recorded here: solo_s, as_run_s, epochs"):
        require(frames, axis)


def test_half_a_meter_is_none() -> None:
    frames = study({"energy_j": None}, {})
    assert "energy_j" not in offered(frames)


def test_time_as_run_is_offered_where_runs_shared_packs() -> None:
    assert "as_run_s" in offered(synthetic.frames(fused=True))
    assert "as_run_s" not in offered(synthetic.frames())


def test_a_trial_costs_what_its_runs_do() -> None:
    frames = synthetic.frames()
    mine = frames.runs[frames.runs["search"] == "ew"].sort_values(["trial", "seed"])
    runs = mine["run"].to_numpy().reshape(-1, 3)
    wanted = mine.groupby("trial")["solo_cost_s"].sum().to_numpy()
    assert trial_costs(frames, runs, "solo_s") == pytest.approx(wanted)
    assert (trial_costs(frames, runs, "samples") == np.full(4, 3 * 30 * 1000.0)).all()
