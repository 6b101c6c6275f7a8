"""What follow-ups say of corrupted images is what their test values come to by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.claims.transfers_better import better, transfers_better
from reports.comparing.transfer import conditions_table, transfers
from reports.frames import StudyFrames
from reports.html._transfer import transfer_section
from reports.inference import Estimate
from tests.unit.reports import synthetic

KINDS, SEVERITIES = ("fog", "snow"), (1, 5)
ENDS = [f"{kind}/{severity}" for kind in KINDS for severity in SEVERITIES]
ALL = synthetic.frames(epochs=6)
SEARCH = ALL.searches[0]
BASE = replace(ALL, runs=ALL.runs[ALL.runs["search"].isin((SEARCH, *ALL.searches_alone))])
"""With one method."""
PARENTS = [SEARCH, *(f"stl/{task}" for task in BASE.tasks)]


class Rows:
    """Test values of the last epoch, and of one before that says nothing."""

    def __init__(self, values: Mapping[tuple[int, str, str], float]) -> None:
        self._values = values

    def rows(self, *, split: str, runs: list[int], **_: Any) -> pd.DataFrame:
        assert split == "test"
        found = [
            (run, epoch, task, metric, value if epoch == 2 else 9e9)
            for (run, task, metric), value in self._values.items()
            for epoch in ((1, 2) if "/" not in metric else (2,))
            if run in runs
        ]
        return pd.DataFrame(found, columns=["run", "epoch", "task", "metric", "value"])


class Decided:
    def __init__(self, followups: Sequence[str]) -> None:
        self._followups = followups

    def frame(self, view: str) -> pd.DataFrame:
        assert view == "stage_decisions"
        rows = [(f"{name}/{parent}", 1, True) for name in self._followups for parent in PARENTS]
        return pd.DataFrame(rows, columns=["search", "trial", "standing"])


def study(
    value: Any,
    *,
    state: str = "done",
    sealed: bool = False,
    base: StudyFrames = BASE,
    followups: Sequence[str] = ("corruptions",),
) -> StudyFrames:
    """A study whose first method was followed up.

    Args:
        value: Parent, seed, metric's place and condition (empty: clean) to a test value.
    """
    runs, values, number = [], {}, 900
    for followup, parent in product(followups, PARENTS):
        for trial in (0, 1):  # of which the second one was decided for
            for seed in BASE.seeds:
                number += 1
                name = f"{followup}/{parent}"
                runs.append((name, trial, seed, number, state, True, 1.0))
                for place, metric in enumerate(BASE.metrics):
                    if parent in (SEARCH, f"stl/{metric.task}"):
                        for end in ("", *ENDS):
                            at = number, metric.task, f"{metric.name}/{end}" if end else metric.name
                            values[at] = value(parent, seed, place, end) if trial else -7.0
    columns = ["search", "trial", "seed", "run", "state", "planned", "method_cost_s"]
    return replace(
        base,
        followups=pd.DataFrame(runs, columns=columns),
        epochs=Rows(values),  # type: ignore[arg-type]
        views=Decided(followups),  # type: ignore[arg-type]
        spec={**BASE.spec, "followup": [{"name": n, "from": "winners"} for n in followups]},
        sealed=sealed,
    )


def noisy(parent: str, seed: int, place: int, end: str) -> float:
    rng = np.random.default_rng([PARENTS.index(parent), seed, place, len(end), len(end[-1:])])
    return float(rng.uniform(0.5, 2.0)) + (ENDS.index(end) if end else 0)


def test_delta_t_is_the_mean_of_ratios_by_hand() -> None:
    (found,) = transfers(study(noisy))
    assert found.conditions == (("fog", 1), ("fog", 5), ("snow", 1), ("snow", 5))
    for task in BASE.tasks:
        for s, seed in enumerate(BASE.seeds):
            terms = [
                metric.sign
                * (
                    noisy(SEARCH, seed, place, end) / noisy(SEARCH, seed, place, "")
                    - noisy(f"stl/{task}", seed, place, end) / noisy(f"stl/{task}", seed, place, "")
                )
                for place, metric in enumerate(BASE.metrics)
                if metric.task == task
                for end in ENDS
            ]
            assert found.by_task[task][s].mean() == pytest.approx(np.mean(terms))
    by_seed = np.mean([table.mean(axis=1) for table in found.by_task.values()], axis=0)
    assert found.whole.value == pytest.approx(by_seed.mean())
    error = by_seed.std(ddof=1) / np.sqrt(len(by_seed))
    assert found.whole.standard_error == pytest.approx(error)
    means = found.by_seed.mean(axis=0)
    assert dict(conditions_table(found))["snow"] == pytest.approx({1: means[2], 5: means[3]})


def test_what_loses_less_than_single_tasks_is_below_zero() -> None:
    def value(parent: str, seed: int, place: int, end: str) -> float:
        sign = BASE.metrics[place].sign
        loss = (1.5 if parent == SEARCH else 2.0) + 0.01 * seed
        return 1.0 if not end else loss**sign

    (found,) = transfers(study(value))
    assert found.whole.value < 0
    claim = transfers_better(study(value))
    assert claim.finding == "supported"
    assert claim.runs[BASE.name] == found.runs
    assert len(found.runs) == len(PARENTS) * len(BASE.seeds)


def test_a_metric_without_a_clean_value_is_left_out_and_named() -> None:
    def value(parent: str, seed: int, place: int, end: str) -> float:
        return (
            0.0
            if not end and (place, seed) == (0, BASE.seeds[0])
            else noisy(parent, seed, place, end)
        )

    first = BASE.metrics[0]
    claim = transfers_better(study(value))
    assert any(f"{first.task}.{first.name}" in remark for remark in claim.remarks)


def test_it_waits_for_methods_that_are_not_followed_up_yet() -> None:
    frames = study(noisy, base=ALL)
    claim = transfers_better(frames)
    assert (claim.finding, claim.effects) == ("undecided", ())
    assert claim.said.startswith("Not followed up yet: ")
    section = transfer_section(frames)
    assert section is not None
    assert "Whether multi-task features transfer better is undecided: δ" in section
    assert claim.said in section


def test_several_follow_ups_of_a_method_are_told_apart() -> None:
    frames = study(noisy, followups=("weather", "noise"))
    titles = [one.title for one in transfers(frames)]
    assert [title.partition(" (")[2] for title in titles] == ["weather)", "noise)"]
    claim = transfers_better(frames)
    assert [effect.name for effect in claim.effects[1:]] == [f"δ of {title}" for title in titles]
    assert "the winners of 1 method in 2 follow-ups on average" in claim.said
    assert "In noise tested on 4 conditions: fog, snow." in (transfer_section(frames) or "")


def test_what_is_not_there_is_not_told() -> None:
    assert transfers_better(BASE).finding == "not asked"
    waiting = transfers_better(study(noisy, state="waiting"))
    assert waiting.finding == "undecided"
    assert "have not ended well" in waiting.said
    assert transfers(study(noisy, sealed=True)) == ()
    assert transfer_section(BASE) is None


@given(st.floats(-5, 5), st.floats(0.01, 5))
def test_the_finding_goes_by_the_interval(value: float, error: float) -> None:
    estimate = Estimate(value=value, standard_error=error, df=4, n_seeds=5)
    known = estimate.interval()
    assert known is not None
    assert (better(estimate) == "supported") == (known.high < 0)
    assert (better(estimate) == "not supported") == (known.low > 0)


def test_the_report_begins_with_words_and_has_a_cell_for_each_condition() -> None:
    section = transfer_section(study(noisy))
    assert section is not None
    assert section.index("<p>") < section.index("<table")
    assert "Tested on 4 conditions: fog, snow." in section
    assert section.count("background:rgba") == len(ENDS)
    assert 'class="swatch"' in section
    assert "95 % intervals over seeds" in section
