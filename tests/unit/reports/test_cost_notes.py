"""Notes on what methods were charged fire where they must, and not elsewhere."""

from tests.unit.reports import synthetic
from tests.unit.reports.noted import notes_of, runs_of, sound
from tests.unit.reports.synthetic import FakeReader


def in_packs(**saved: float) -> FakeReader:
    """The sound study in packs: cost alone in units of the cost as run, by search; 2 else."""
    made = sound()
    made.engine = "fused"
    for row in made.rows["run_results"]:
        row["method_cost_s"] = 1.0
        row["solo_cost_s"] = saved.get(row["search"].replace("-", "_"), 2.0)
    return made


def test_packs_are_told_with_what_they_have_saved() -> None:
    made = in_packs(scalarization=8.0)
    searched = [row for row in made.rows["run_results"] if row["role"] == "search"]
    share = 100 * len(searched) / sum(row["solo_cost_s"] for row in searched)
    (note,) = notes_of(made, "solo-equivalent cost")
    assert "in packs, which favours large grids. Costs" in note.text
    assert f"took {share:.0f} % of that, from 12 % (Scalarization) to 50 % (EW)." in note.text
    assert note.search is None


def test_packs_that_saved_all_searches_the_same_have_one_number() -> None:
    (note,) = notes_of(in_packs(), "solo-equivalent cost")
    assert note.text.endswith("the searches took 50 % of that.")


def test_packs_that_were_slower_are_told_too() -> None:
    (note,) = notes_of(
        in_packs(uw_so=0.5, ew=0.5, uw=0.5, scalarization=0.5), "solo-equivalent cost"
    )
    assert "in packs. Costs" in note.text
    assert "took 200 % of that." in note.text


def test_packs_that_cost_the_largest_grid_more_are_not_said_to_favour_it() -> None:
    (note,) = notes_of(in_packs(scalarization=0.9), "solo-equivalent cost")
    assert "favours" not in note.text


def test_packs_before_the_first_epoch_have_no_note() -> None:
    made = synthetic.reader(epochs=3, empty=True, fused=True)
    assert notes_of(made, "solo-equivalent cost") == notes_of(made, "cost not calibrated") == []


def test_runs_in_packs_without_a_calibration_are_counted() -> None:
    made = in_packs(uw_so=1.0)
    (note,) = notes_of(made, "cost not calibrated")
    n_runs = len(made.rows["run_results"])
    assert note.text.startswith(f"{len(runs_of(made, 'uw-so'))} of {n_runs} runs in packs have no")


def test_runs_in_step_without_a_calibration_are_counted_too() -> None:
    made = in_packs(uw_so=1.0)
    made.engine = "solo"
    assert notes_of(made, "cost not calibrated")


def test_a_search_that_is_in_no_pack_needs_no_calibration_among_those_that_are() -> None:
    made = in_packs(uw_so=1.0)
    made.engine = "solo"
    made.solo_only["uw-so"] = "it is so"
    assert notes_of(made, "cost not calibrated") == []


def test_runs_that_were_alone_need_no_calibration() -> None:
    made = in_packs()
    made.engine = "solo"
    for row in made.rows["run_results"]:
        row["solo_cost_s"] = row["method_cost_s"]
    assert notes_of(made, "cost not calibrated") == notes_of(made, "solo-equivalent cost") == []


def test_runs_no_longer_planned_are_told_with_their_cost() -> None:
    made = sound()
    for row in runs_of(made, "uw")[:2]:
        row |= {"planned": 0, "device_s": 21.0}
    (note,) = notes_of(made, "no longer planned")
    assert "42 device-seconds" in note.text
