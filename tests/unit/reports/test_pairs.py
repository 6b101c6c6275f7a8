"""Studies of pairs of tasks side by side: one study a pair, whichever task is named first."""

from __future__ import annotations

from collections.abc import Mapping

from reports.across.methods import methods_of
from reports.across.pairs import PairTable, pair_tables, pairs_asked_twice
from reports.frames import StudyFrames
from tests.unit.reports.several import plain_study, study

Asked = Mapping[str, tuple[str, str, float]]
APART: Asked = {"first": ("a", "b", 1.0), "second": ("b", "c", 1.0)}


def asked(pairs: Asked) -> dict[str, StudyFrames]:
    """A study of each label's two tasks, with its share of labels."""
    found = {}
    for label, (one, other, share) in pairs.items():
        frames = study(spec={"train_fraction": share})
        frames.card["tasks"] = [{"name": one}, {"name": other}]  # type: ignore[index]
        found[label] = frames
    return found


def tables(pairs: Asked) -> tuple[PairTable, ...]:
    methods = methods_of({label: plain_study() for label in pairs})
    return pair_tables(asked(pairs), methods)


def test_each_pair_is_in_the_table_either_way_round() -> None:
    table, *_ = tables(APART)
    assert table.tasks == ["a", "b", "c"]
    assert set(table.values) == {("a", "b"), ("b", "a"), ("b", "c"), ("c", "b")}
    assert pairs_asked_twice(asked(APART)) == ()


def test_a_pair_that_two_studies_ask_leaves_the_table_out_and_is_told() -> None:
    for third in [("b", "a", 1.0), ("a", "b", 1.0)]:
        pairs = {**APART, "third": third}
        assert tables(pairs) == ()
        assert pairs_asked_twice(asked(pairs)) == (
            "There is no table of pairs of one with all labels: a and b are asked by first and "
            "third. Compare one study of each pair to see it.",
        )


def test_one_pair_asked_twice_is_no_matter_of_pairs() -> None:
    pairs: Asked = {"first": ("a", "b", 1.0), "second": ("b", "a", 1.0)}
    assert tables(pairs) == ()
    assert pairs_asked_twice(asked(pairs)) == ()


def test_noisy_labels_are_a_table_of_their_own() -> None:
    noise = {"task": ["b"], "kind": "symmetric", "rate": 0.4}
    found = asked({**APART, "third": ("a", "b", 1.0), "fourth": ("b", "c", 1.0)})
    for label in ("third", "fourth"):
        found[label].spec["label_noise"] = noise  # type: ignore[index]
    methods = methods_of({label: plain_study() for label in found})
    assert {table.labels for table in pair_tables(found, methods)} == {
        "all labels",
        "all labels, symmetric noise 0.4",
    }


def test_pairs_without_noisy_tasks_stand_beside_the_noisy_ones() -> None:
    found = asked({**APART, "third": ("a", "b", 1.0), "fourth": ("b", "c", 1.0)})
    for label in ("third", "fourth"):
        noise = {"task": ["b"], "kind": "symmetric", "rate": 0.4}
        found[label].spec["label_noise"] = noise  # type: ignore[index]
    found["clean"] = asked({"clean": ("c", "a", 1.0)})["clean"]
    methods = methods_of({label: plain_study() for label in found})
    for table in pair_tables(found, methods):
        assert {pair for pair, _ in table.pairs} == {("a", "b"), ("b", "c"), ("a", "c")}


def test_shares_that_differ_late_are_different_tables() -> None:
    near: Asked = {"third": ("a", "b", 0.1234567), "fourth": ("b", "c", 0.12345671)}
    assert {table.labels for table in tables({**APART, **near})} == {"all labels"}
    same: Asked = {"third": ("a", "b", 0.1234567), "fourth": ("b", "c", 0.1234567)}
    assert "0.1234567 of the labels" in {table.labels for table in tables(same)}
