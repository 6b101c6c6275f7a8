"""What a study says to each claim goes by its intervals alone."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import load
from reports.claims import Claim, claims_of
from reports.claims.better import of_six
from reports.claims.claim import ranges
from reports.claims.comparable import no_worse
from reports.claims.no_gain import gain_left, gain_missing
from reports.claims.size_matters import Sized, size_matters
from reports.comparing.differences import Difference, adjusted
from reports.errors import NoTable
from reports.frames import StudyFrames
from reports.html._claims import claims as claims_section
from reports.inference import Estimate
from tests.unit.reports import synthetic

OF_OTHER_STUDIES = ("C6", "C7", "C8", "C9")
"""They ask for two optimisers, gradients, a follow-up, and noisy labels."""
FRESH = (11, 12, 13, 14, 15)
values = st.floats(-5, 5)
errors = st.floats(0.01, 5)


def gap(value: float, error: float, *, n_seeds: int = 3, margin: float | None = 1.0) -> Difference:
    estimate = Estimate(value=value, standard_error=error, df=6, n_seeds=n_seeds)
    return Difference(
        a="uw-so",
        b="other",
        estimate=estimate,
        interval=estimate.interval(),
        basis="pooled",
        sign=1.0,
        margin=margin,
    )


def frames_of(**changes: Any) -> StudyFrames:
    """The made-up study; few epochs do."""
    return synthetic.frames(epochs=6, **changes)


def asked(frames: StudyFrames, name: str) -> Claim:
    return next(claim for claim in claims_of(frames) if claim.name == name)


# -- what the interval says -----------------------------------------------------------------


@given(values, errors)
def test_comparable_is_what_is_no_more_than_the_margin_worse(value: float, error: float) -> None:
    found = gap(value, error)
    assert found.interval is not None
    finding = no_worse(found, 1.0)
    assert (finding == "supported") == (found.interval.high <= 1.0)
    assert (finding == "not supported") == (found.interval.low > 1.0)


@given(st.lists(st.tuples(values, errors), min_size=6, max_size=6))
def test_better_than_six_is_better_than_each_of_them(pairs: list[tuple[float, float]]) -> None:
    found = adjusted([gap(value, error) for value, error in pairs])
    verdicts = [one.verdict for one in found]
    finding = of_six(found)
    assert (finding == "supported") == (verdicts == ["better"] * 6)
    assert (finding == "not supported") == bool({"worse", "comparable"} & {*verdicts})


@given(values, errors, st.sampled_from([None, 0.5, 2.0]))
def test_no_gain_is_refuted_by_what_is_better_and_supported_within_the_margin(
    value: float, error: float, margin: float | None
) -> None:
    found = gap(value, error, margin=margin)
    assert found.interval is not None
    finding = gain_missing(found)
    open_gain = finding == "supported" and found.interval.low < 0
    assert bool(gain_left(found)) == open_gain  # what is said beside it
    assert (finding == "not supported") == (found.verdict == "better")
    if finding == "supported":
        assert found.interval.low >= -(margin or 0.0)
    if finding == "undecided":
        assert found.interval.low < -(margin or 0.0)


def test_a_supported_no_gain_says_which_gain_is_open() -> None:
    assert "up to the interval's end" in " ".join(gain_left(gap(1.0, 0.6, margin=1.5)))


# -- a whole study --------------------------------------------------------------------------


def test_claims_come_in_order_each_with_its_effect_and_runs() -> None:
    claims = claims_of(frames_of(claimed=True))
    assert [claim.name for claim in claims] == [
        "C1",
        "C2",
        "C4",
        "C5",
        "C6",
        "C7",
        "C8",
        "C9",
        "C10",
    ]
    known = set(frames_of(claimed=True).runs["run"])
    for claim in claims:
        if claim.name in OF_OTHER_STUDIES:
            continue
        assert claim.finding != "not asked"
        assert claim.effects
        assert set(claim.runs[synthetic.STUDY]) <= known
        assert bool(claim.would_decide) == (claim.finding == "undecided")


def test_the_method_that_is_best_by_five_points_is_better_than_six() -> None:
    found = asked(frames_of(claimed=True), "C2")
    assert found.finding == "supported"
    assert len(found.effects) == 6
    levels = sorted(effect.interval.level for effect in found.effects if effect.interval)
    assert levels == pytest.approx([1 - 0.05 / m for m in range(1, 7)])  # after Holm


def test_what_gains_five_points_on_single_tasks_refutes_that_nothing_does() -> None:
    found = asked(frames_of(), "C5")
    assert found.finding == "not supported"
    assert "Scalarization, the best of 4 methods" in found.said


def test_fresh_seeds_do_not_flatter_the_best() -> None:
    def flattered(frames: StudyFrames) -> bool:
        return any("flatters" in remark for remark in asked(frames, "C5").remarks)

    assert flattered(frames_of())
    assert not flattered(frames_of(confirm=FRESH))


def test_a_study_without_the_methods_says_what_it_would_need() -> None:
    found = asked(frames_of(), "C2")
    assert (found.finding, found.effects, found.runs) == ("not asked", (), {})
    assert "rlw, dwa, gls, imtl-l" in found.said


def test_outstanding_runs_leave_a_claim_undecided() -> None:
    found = asked(frames_of(unfinished=True), "C1")
    assert found.finding == "undecided"
    assert "35 of 36 runs" in found.said
    assert found.would_decide == "the runs that are missing"


def test_one_seed_decides_nothing() -> None:
    for claim in claims_of(frames_of(seeds=(1,), claimed=True)):
        if claim.name in OF_OTHER_STUDIES:
            continue
        assert claim.finding == "undecided"
        assert "second seed" in claim.would_decide


def test_by_another_objective_there_is_no_margin_to_be_within() -> None:
    reader = synthetic.rank_by(synthetic.reader(epochs=3), "sum.mae", baseline=False)
    frames = load(reader, synthetic.STUDY)
    assert asked(frames, "C1").finding == "not asked"
    assert asked(frames, "C5").finding == "not asked"


def test_the_claim_that_a_study_was_made_for_is_marked() -> None:
    reader = synthetic.reader(epochs=3)
    reader.spec["compare"] |= {"claim": "C5"}
    marked = {
        claim.name
        for claim in claims_of(load(reader, synthetic.STUDY))
        if any("named before the first run" in remark for remark in claim.remarks)
    }
    assert marked == {"C5"}


def test_a_trainers_study_says_nothing() -> None:
    reader = synthetic.reader(epochs=3)
    reader.spec["trainer"] = "cam"
    frames = load(reader, synthetic.STUDY)
    with pytest.raises(NoTable, match="All claims compare weightings"):
        claims_of(frames)
    with pytest.raises(NoTable, match="All claims compare weightings"):
        size_matters([Sized(frames=frames, n_parameters=None)])
    assert claims_section(frames, None) is None


def test_a_sealed_study_says_nothing() -> None:
    reader = synthetic.reader(epochs=3)
    reader.sealed = True
    frames = load(reader, synthetic.STUDY)
    with pytest.raises(NoTable, match="weighbridge unseal"):
        claims_of(frames)
    assert claims_section(frames, None) is None


@pytest.mark.parametrize(
    ("runs", "said"), [((), ""), ((3, 4, 5, 9, 11, 12), "3 to 5, 9, 11, 12"), ((7,), "7")]
)
def test_runs_in_a_row_are_told_in_short(runs: tuple[int, ...], said: str) -> None:
    assert ranges(runs) == said


def test_of_very_many_ranges_the_rest_is_counted() -> None:
    assert ranges(range(0, 300, 3)).endswith("117 and 60 more (all by --json)")


def test_all_of_it_can_be_written_as_json() -> None:
    for frames in (frames_of(seeds=(1,)), frames_of(empty=True), frames_of()):
        plain = [claim.to_plain() for claim in claims_of(frames)]
        assert json.loads(json.dumps(plain, allow_nan=False)) == plain


def test_in_the_report_each_opens_to_what_its_finding_rests_on() -> None:
    section = claims_section(frames_of(), None)
    assert section is not None
    for claim in claims_of(frames_of()):
        summary = f"<strong>{claim.name} {claim.finding}</strong>: {claim.states}."
        assert f"<summary>{summary}</summary>" in section
        for sentence in claim.sentences:
            assert f"<p>{sentence}</p>" in section
