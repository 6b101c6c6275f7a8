"""What is said to beat equal weighting carries how that was tuned."""

import json

import pytest

from reports import compare, load
from reports.claims import claims_of
from reports.comparing.effort import shortfall
from tests.unit.reports import synthetic
from tests.unit.reports.noted import notes_of, runs_of, sound
from tests.unit.reports.synthetic import FakeReader

KIND = "equal weighting tuned less"


def with_decays(made: FakeReader, search: str, n_values: int = 2) -> FakeReader:
    """Give the trials of a search so many weight decays, in turn."""
    for row in runs_of(made, search):
        params = json.loads(row["params"]) | {"weight_decay": 1e-4 * (row["trial"] % n_values)}
        row["params"] = json.dumps(params, sort_keys=True)
    return made


def test_nothing_is_said_where_it_had_what_the_others_had() -> None:
    made = sound()
    assert notes_of(made, KIND) == []
    assert "tuned less" not in compare(load(made, "x")).sentence
    assert notes_of(with_decays(with_decays(made, "ew"), "uw-so"), KIND) == []


def test_a_method_that_tunes_more_is_noted() -> None:
    (note,) = notes_of(with_decays(sound(), "uw-so"), KIND)
    assert (note.search, note.about) == ("ew", "EW")
    assert "(1 weight decay, UW-SO 2)" in note.text


def test_the_sentence_that_it_is_beaten_carries_it() -> None:
    sentence = compare(load(with_decays(sound(), "uw-so"), "x")).sentence
    assert (
        "it is better than 2 (UW, EW). But EW was tuned less: with 1 weight decay, UW-SO with 2."
        in sentence
    )


def test_the_claim_that_it_is_beaten_carries_it() -> None:
    made = synthetic.reader(epochs=3, claimed=True)
    for fires in (False, True):
        claim = next(c for c in claims_of(load(made, "x")) if c.name == "C2")
        assert claim.finding == "supported"
        assert ("But EW was tuned less: with 3 weight decays, UW-SO with 9." in claim.said) is fires
        with_decays(made, "uw-so", 9)


@pytest.mark.parametrize(("other", "fires"), [("uw-so", True), ("uw", False)])
def test_only_what_the_method_itself_tunes_counts(other: str, fires: bool) -> None:
    frames = load(with_decays(sound(), "uw-so"), "x")
    assert bool(shortfall(frames, "ew", other)) is fires
