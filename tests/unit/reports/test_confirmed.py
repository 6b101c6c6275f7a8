"""Winners on fresh seeds: what several of them come to, and what is missing."""

import math
from collections.abc import Sequence

import numpy as np
import pytest

from reports import MethodRow, compare, load
from reports.comparing.scores import Scores, scores_of
from reports.comparing.winners import Winner, winner_of
from reports.inference import Components, mixed_share
from reports.tables.method_table import method_table
from tests.unit.reports import synthetic
from tests.unit.reports.noted import notes_of, runs_of
from tests.unit.reports.synthetic import FakeReader

TRIED = [[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]
"""Three trials on two seeds: the search's order is that of their numbers."""
WORST = None


def confirmed(
    validation: Sequence[Sequence[float | None]], test: Sequence[Sequence[float]], top: int
) -> FakeReader:
    """The first trials were trained on fresh seeds, ``[top, S]``; None where one diverged."""
    made = synthetic.tabled(TRIED, TRIED, [("grid", (0, 1, 2))])
    made.spec["confirm"] = {"top": top, "seeds": len(test[0])}
    runs = made.rows["run_results"]
    for trial, row in enumerate(validation):
        first = next(run for run in runs if run["trial"] == trial)
        for at, value in enumerate(row):
            done = {"state": "done", "delta_m_val": value, "delta_m_test": test[trial][at]}
            lost = {"state": "diverged", "delta_m_val": None, "delta_m_test": None}
            fresh = {"role": "confirm", "seed": 1000 + at, "run": len(runs)}
            runs.append(first | fresh | (lost if value is None else done))
    return made


def winner(made: FakeReader) -> Winner:
    found = winner_of(load(made, "x"), "ew")
    assert found is not None
    return found


def row(made: FakeReader) -> MethodRow:
    return next(row for row in compare(load(made, "x")).rows if row.search == "ew")


def test_fresh_seeds_choose_for_each_other_among_several() -> None:
    """Without the first seed, trial 1 is the best; without any other one, trial 0 is."""
    validation = [[0.0, 5.0, 5.0], [9.0, 4.0, 4.0]]
    found = winner(confirmed(validation, [[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]], top=2))
    assert [score.trial for score in found.scores] == [1, 0, 0]
    assert found.value == pytest.approx((10.0 + 2.0 + 3.0) / 3)
    assert (found.trial, found.kind) == (0, "confirmed")


def test_the_winner_is_that_of_the_fresh_seeds() -> None:
    made = confirmed([[5.0, 5.0], [1.0, 1.0]], [[5.0, 5.0], [3.0, 4.0]], top=2)
    found = row(made)
    assert found.params == {"lr": 0.002}
    assert (found.winner_value, found.value_test) == (3.5, 3.5)
    assert found.notes == ("fresh seeds chose another trial than the search did",)


def test_of_one_confirmed_trial_others_do_not_count() -> None:
    made = confirmed([[5.0, 5.0], [1.0, 1.0]], [[5.0, 7.0], [3.0, 4.0]], top=1)
    assert (winner(made).trial, winner(made).value) == (0, 6.0)


def test_a_table_says_that_fresh_seeds_chose() -> None:
    values = [[5.0, 5.0], [1.0, 1.0]]
    for top, wanted in ((1, "winners trained again"), (2, "scored with the one that the others")):
        caption = method_table(load(confirmed(values, values, top=top), "x")).caption
        assert wanted in caption


def test_one_fresh_seed_chooses_nothing() -> None:
    found = winner(confirmed([[5.0], [1.0]], [[5.0], [3.0]], top=2))
    assert (found.trial, found.value, found.fresh) == (0, 5.0, None)


def test_a_trial_that_diverged_on_a_fresh_seed_is_chosen_by_those_who_do_not_know() -> None:
    """The seed on which the best trial diverges has it chosen for it: the value is the worst."""
    validation = [[WORST, 1.0, 1.0], [2.0, 2.0, 2.0]]
    found = winner(confirmed(validation, [[1.0, 1.0, 1.0], [2.0, 2.0, 2.0]], top=2))
    assert [score.trial for score in found.scores] == [0, 1, 1]
    assert (found.trial, found.value) == (1, math.inf)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("waiting", "1 of 4 runs on fresh seeds not finished: not confirmed yet"),
        ("failed", "1 of 4 runs on fresh seeds failed: not confirmed"),
    ],
)
def test_all_fresh_runs_of_all_confirmed_trials_must_be_final(state: str, said: str) -> None:
    made = confirmed([[1.0, 1.0], [2.0, 2.0]], [[1.0, 1.0], [2.0, 2.0]], top=2)
    made.rows["run_results"][-1] |= {"state": state, "delta_m_val": None, "delta_m_test": None}
    found = row(made)
    assert (found.delta_m_kind, found.notes) == ("cross-fit", (said,))


def test_a_value_that_fresh_seeds_can_still_change_is_not_compared() -> None:
    made = synthetic.reader(epochs=3, confirm=(11, 12))
    runs_of(made, "ew")[-1] |= {"state": "waiting", "delta_m_val": None, "delta_m_test": None}
    comparison = compare(load(made, "x"))
    assert "ew" not in [found.b for found in comparison.differences]
    assert "Undecided against EW: runs are missing." in comparison.sentence
    bold = {line.search: line.cells[0].bold for line in method_table(load(made, "x")).lines}
    assert not bold["ew"]


def test_several_confirmed_trials_say_together_how_much_seeds_differ() -> None:
    """Both trials move with the seed: the rest is nothing, and seeds are all that differs."""
    steps = [0.0, 1.0, 2.0]
    made = confirmed([[0.0] * 3, [9.0] * 3], [steps, [9.0 + step for step in steps]], top=2)
    frames = load(made, "x")
    layout = scores_of(frames, "ew", winner(made)).layout
    assert layout is not None
    assert layout[0].n_trials == 2
    assert layout[0].residual_variance == pytest.approx(0.0)
    single = confirmed([[0.0] * 3], [steps], top=1)
    assert scores_of(load(single, "x"), "ew", winner(single)).layout is None


def test_intervals_of_what_fresh_seeds_chose_cover() -> None:
    """In 500 simulated searches they hold what the chosen trials are truly worth."""
    rng, n_seeds = np.random.default_rng(0), 5
    held = []
    for _ in range(500):
        truth = rng.normal(0, 0.5, 3)
        level = truth[:, None] + rng.normal(0, 1, n_seeds)
        validation, test = (level + rng.normal(0, 0.6, level.shape) for _ in range(2))
        chosen = [int(np.delete(validation, s, 1).mean(1).argmin()) for s in range(n_seeds)]
        by_seed = dict(enumerate(test[chosen, range(n_seeds)].tolist()))
        layout = (Components.of(test), mixed_share(chosen))
        interval = Scores(by_seed=by_seed, layout=layout).estimate.interval()
        assert interval is not None
        held.append(not interval.excludes(float(truth[chosen].mean())))
    assert 0.93 <= np.mean(held) <= 0.985


def test_values_that_rest_on_different_things_are_noted() -> None:
    made = synthetic.reader(epochs=3, confirm=(11, 12))
    assert notes_of(made, "unlike values") == []
    runs = made.rows["run_results"]
    made.rows["run_results"] = [
        run for run in runs if run["search"] != "ew" or run["role"] != "confirm"
    ]
    (note,) = notes_of(made, "unlike values")
    assert "cross-fit: EW; confirmed: UW, UW-SO, Scalarization" in note.text
