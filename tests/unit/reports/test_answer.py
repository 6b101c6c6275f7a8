"""The first screen's answer: which method with how much, how sure, and what would tell more."""

from itertools import pairwise
from typing import Any

import pytest

from reports import StudyFrames, compare, load
from reports._ranking import number, objective_of
from reports.comparing.answer import Answer, answer
from reports.comparing.differences import difference
from reports.spending import equal_budgets
from storage.wording import listed
from tests.unit.reports import synthetic
from tests.unit.reports.drawn import moved


def answered(frames: StudyFrames) -> Answer | None:
    return answer(frames, compare(frames), equal_budgets(frames))


def told(**changes: Any) -> Answer:
    found = answered(synthetic.frames(**changes))
    assert found is not None
    return found


def test_the_first_at_each_budget_is_named_once_with_its_value() -> None:
    frames = synthetic.frames()
    budgets = equal_budgets(frames)
    firsts = [one.methods[0] for one in budgets]
    which = told().which
    assert len(which) == 1 + sum(a.search != b.search for a, b in pairwise(firsts))
    assert f"{budgets[-1].budget.said}: {firsts[-1].title}, expected test Δm" in which[-1]
    assert number(objective_of(frames), firsts[-1].value) in which[-1]
    assert "95 % interval" in which[-1]


def test_a_study_in_packs_says_once_which_device_time_it_is() -> None:
    alone = "Device time is that of each run alone."
    assert told(fused=True).which[-1].endswith(alone)
    assert alone not in " ".join(told().which)


def test_methods_that_draws_do_not_rule_out_keep_first_place_open() -> None:
    last = equal_budgets(synthetic.frames())[-1]
    rivals = sorted(one.title for one in last.methods[1:] if one.rank_low == 1)
    assert rivals
    assert (
        f"first place is open: 2.5 % of draws over seeds or more give it to {listed(rivals)}"
        in (" ".join(told().sure))
    )


def test_a_method_that_no_draw_endangers_is_first() -> None:
    sure = answered(moved("uw-so", by=20.0))
    assert sure is not None
    assert "Scalarization is first: less than 2.5 % of draws" in sure.sure[-3]


def test_what_is_undecided_says_how_many_seeds_would_decide() -> None:
    frames = moved("uw-so", by=-0.4)
    best, following = equal_budgets(frames)[-1].methods[:2]
    found = difference(frames, best.search, following.search)
    assert found is not None
    assert found.verdict == "undecided"
    said = answered(frames)
    assert said is not None
    assert f"against {following.title} it is undecided" in " ".join(said.sure)
    assert f"about {found.seeds_to_decide} seeds would decide" in " ".join(said.surer)


def test_one_seed_is_sure_of_nothing() -> None:
    found = told(seeds=(1,))
    assert "no interval with one seed" in found.which[0]
    assert "one seed does not tell" in found.sure[0]
    assert "Add seeds: from two on" in found.surer[0]


def test_confirmed_winners_need_no_fresh_seeds() -> None:
    assert "[confirm]" in " ".join(told().surer)
    assert "[confirm]" not in " ".join(told(confirm=(11, 12, 13)).surer)


def test_no_verdict_on_what_outstanding_runs_can_change() -> None:
    assert not any(
        "better than" in said or "undecided" in said for said in told(unfinished=True).sure
    )
    assert "confirmed on fresh seeds, beside the next" in " ".join(told(confirm=(11, 12, 13)).sure)


def test_outstanding_runs_come_first_of_what_would_tell_more() -> None:
    assert told(unfinished=True).surer[0].startswith("Finish the study: ")


@pytest.mark.parametrize("sealed", [False, True])
def test_nothing_is_answered_without_values(sealed: bool) -> None:
    made = synthetic.reader(empty=not sealed)
    made.sealed = sealed
    for row in made.rows["run_results"]:
        row["delta_m_test"] = None
    assert answered(load(made, synthetic.STUDY)) is None


@pytest.mark.parametrize(
    ("names", "said"), [(["A"], "A"), (["A", "B"], "A and B"), (["A", "B", "C"], "A, B and C")]
)
def test_names_in_a_row(names: list[str], said: str) -> None:
    assert listed(names) == said


def test_it_says_why_a_value_has_two_intervals_and_whom_the_sentence_is_about() -> None:
    reading = told().reading
    assert "leave out the seed error of single-task networks" in reading
    assert reading.endswith("The sentence below is about UW-SO, whichever is first here.")
    first = answered(moved("uw-so", by=-20.0))
    assert first is not None
    assert "The sentence below" not in first.reading
