"""What tuning was worth: a method beside itself with its defaults."""

import math
from collections.abc import Sequence

import numpy as np
import pytest

from reports import compare, load
from reports.comparing.tuning import Tuning, paired_gain, tuning_of, tuning_sentences
from reports.inference import Components, mixed_share
from storage.objectives import known
from tests.unit.reports import synthetic

DELTA_M = known([("left", "error", "min")])["delta_m"]


def tuned(
    validation: Sequence[Sequence[float | None]], test: Sequence[Sequence[float]] | None = None
) -> Tuning:
    """Learning rates 0.001, 0.002, ...: the defaults are near the middle of them."""
    stages = [("grid", range(len(validation)))]
    made = synthetic.tabled(validation, test or validation, stages)  # type: ignore[arg-type]
    (found,) = tuning_of(load(made, "x"), ["ew"])
    return found


def test_the_gain_is_that_of_the_cross_fitted_winner_over_the_defaults() -> None:
    """Of 0.001, 0.002, 0.003 the second is the default; the third one is chosen by both seeds."""
    found = tuned([[5.0, 5.0], [4.0, 4.0], [1.0, 1.0]], [[9.0, 9.0], [6.0, 8.0], [2.0, 3.0]])
    assert found.untuned is not None
    assert found.gain is not None
    assert (found.untuned.trial, found.untuned.value) == (1, 7.0)
    assert found.untuned.params == {"lr": 0.002}
    assert found.gain.value == pytest.approx(2.5 - 7.0)


def test_what_a_seed_is_worth_to_all_trials_is_not_in_the_gain() -> None:
    """Seeds are 10 apart for all trials alike: the gain is known all the same."""
    test = [[9.0, 19.0, 29.0], [6.0, 16.0, 26.5], [2.0, 12.0, 22.0]]
    found = tuned([[5.0] * 3, [4.0] * 3, [1.0] * 3], test)
    assert found.gain is not None
    assert found.gain.verdict == "better"
    assert found.gain.resolution < 1.0
    assert found.untuned is not None
    assert found.untuned.interval is not None
    assert found.untuned.interval.half_width > 10.0


def test_five_seeds_tell_by_themselves_how_much_gains_vary() -> None:
    found = tuned([[3.0] * 5, [2.0] * 5, [1.0] * 5], [[3.0] * 5, [2.0] * 5, [1.0, 1, 1, 1, 2]])
    assert found.gain is not None
    assert (found.gain.basis, found.gain.estimate.df) == ("paired", 4)


@pytest.mark.parametrize(("n_seeds", "n_trials"), [(3, 15), (5, 5)])
def test_intervals_of_gains_cover(n_seeds: int, n_trials: int) -> None:
    """In 500 simulated searches they hold what the chosen trials are truly worth beside it."""
    rng, default = np.random.default_rng(0), n_trials // 2
    held = []
    for _ in range(500):
        truth = rng.normal(0, 1, n_trials)
        level = truth[:, None] + rng.normal(0, 1, n_seeds)
        validation, test = (level + rng.normal(0, 0.6, level.shape) for _ in range(2))
        chosen = [int(np.delete(validation, s, 1).mean(1).argmin()) for s in range(n_seeds)]
        if set(chosen) == {default}:
            continue
        best = validation.mean(1).argsort()[: max(4, n_trials // 3)].tolist()
        table = test[sorted({*best, default})]
        interval = paired_gain(
            test[chosen, range(n_seeds)],
            test[default],
            mixed=mixed_share(chosen),
            moved=float(np.mean([row != default for row in chosen])),
            layout=Components.of(table),
        ).interval()
        assert interval is not None
        held.append(not interval.excludes(float(truth[chosen].mean() - truth[default])))
    assert 0.93 <= np.mean(held) <= 0.985


def test_a_search_that_ends_with_its_defaults_gains_nothing_and_claims_nothing() -> None:
    found = tuned([[3.0, 3.0], [1.0, 1.0], [2.0, 2.0]])
    assert (found.kept, found.gain) == (True, None)


def test_defaults_that_diverge_are_the_worst() -> None:
    found = tuned([[3.0, 3.0], [None, 1.0], [2.0, 2.0]])
    assert found.untuned is not None
    assert found.untuned.value == math.inf
    plain = found.untuned.to_plain()
    assert (plain["value"], plain["diverged"]) == (None, True)
    assert found.gain is not None
    assert (found.gain.value, found.gain.verdict) == (-math.inf, "undecided")


def test_one_seed_tells_the_value_without_tuning_and_no_gain() -> None:
    found = tuned([[3.0], [4.0], [2.0]])
    assert found.untuned is not None
    assert (found.untuned.value, found.untuned.interval, found.gain) == (4.0, None, None)
    assert not tuned([[3.0], [1.0], [2.0]]).kept


def test_several_gains_are_one_family_and_those_that_kept_their_defaults_are_not_in_it() -> None:
    frames = synthetic.frames()
    found = {one.search: one for one in tuning_of(frames, frames.searches)}
    family = [one for one in found.values() if one.gain is not None]
    assert {one.gain.n_compared for one in family if one.gain} == {len(family)}
    assert len(family) + sum(one.kept for one in found.values()) == 4


def test_the_sentences_count_verdicts_and_name_who_lost_most() -> None:
    found = [
        tuned([[5.0] * 3, [4.0] * 3, [1.0] * 3], [[9.0] * 3, [7.0, 7.1, 7.0], [2.0] * 3]),
        tuned([[3.0, 3.0], [1.0, 1.0], [2.0, 2.0]], [[3.0, 3.0], [2.0, 2.0], [2.0, 2.0]]),
    ]
    gains, lost = tuning_sentences(found, DELTA_M)
    assert gains.endswith("of 2 methods better 1 (EW); 1 ended with its defaults (EW).")
    assert lost == ("Overtuning: of 2 methods none lost anything on test after its best incumbent.")


def test_overtuning_is_told_with_its_spread_and_share() -> None:
    found = tuned([[2.0, 2.0], [1.0, 1.0], [3.0, 3.0]], [[1.0, 1.0], [3.0, 5.0], [6.0, 6.0]])
    (*_, lost) = tuning_sentences([found], DELTA_M)
    assert (
        "EW lost most on test after its best incumbent: 1.50 points (1.00 to 2.00 by seed)" in lost
    )


def test_methods_that_may_still_change_are_left_out() -> None:
    searches = [one.search for one in compare(synthetic.frames(unfinished=True)).tuning]
    assert set(searches) == {"ew", "uw"}


def test_a_sealed_study_tells_nothing_of_it() -> None:
    made = synthetic.reader(epochs=3)
    made.sealed = True
    for row in made.rows["run_results"]:
        row["delta_m_test"] = None
    comparison = compare(load(made, "x"))
    assert (comparison.tuning, comparison.robustness, comparison.caveats) == ((), None, ())
