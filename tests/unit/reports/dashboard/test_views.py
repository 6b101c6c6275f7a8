"""Search views: whatever trials there are, what is drawn is them, few enough, and leads to them."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports._importance import Importance, Share
from reports.dashboard.views import VIEWS, Cloud, Drawn, Undrawn, View
from tests.unit.reports.dashboard.clouds import WEIGHTINGS, cloud, metrics, record, seen

OF_MIRROR = [view for view in VIEWS if view.key not in ("weights", "conflicts", "curves")]
LINK = re.compile(r'<a href="/study/7/trial/(\d+)\?search=([\w-]+)"')
RNG = np.random.default_rng(0)
IMPORTANCE = Importance(
    search="uw-so",
    title="UW-SO",
    method="sums of squares",
    answers="how much",
    shares=tuple(Share(param=one, value=0.5, interval=None) for one in ("lr", "b")),
    n_trials=4,
    n_left_out=0,
)


def view(key: str) -> View:
    return next(one for one in VIEWS if one.key == key)


def many(n: int, n_tasks: int = 3) -> Cloud:
    weights = RNG.dirichlet(np.ones(n_tasks), n)
    named = {f"w_t{k}": weights[:, k].tolist() for k in range(n_tasks)}
    rates = 10 ** RNG.uniform(-4, 0, n)
    temperatures = 10 ** RNG.uniform(-1, 2, n)
    value = RNG.normal(size=n) + np.log10(rates) ** 2
    more = {"lr": rates.tolist(), "temperature": temperatures.tolist()}
    return cloud(value.tolist(), n_tasks=n_tasks, **more, **named)


def drawn(key: str, trials: Cloud, **params: str) -> Drawn:
    values = np.column_stack([trials.parameters["lr"], 1 / trials.parameters["lr"] + trials.value])
    answers = {"metrics": metrics(trials, values), "importances": (IMPORTANCE,)}
    found = view(key).draw(seen(trials, answers, params))
    assert isinstance(found, Drawn), found
    return found


def linked(svg: str) -> set[int]:
    """The trials that links lead to, by their places, as `cloud` numbers them."""
    return {2 * int(number) + WEIGHTINGS.index(search) for number, search in LINK.findall(svg)}


@pytest.mark.parametrize("key", [one.key for one in OF_MIRROR])
def test_a_view_is_two_pictures_a_table_and_a_file(key: str) -> None:
    found = drawn(key, many(40))
    for svg in (found.pictures.wide, found.pictures.narrow):
        ElementTree.fromstring(svg)
        if key != "importances":
            assert linked(svg)
            assert 'role="group"' in svg
    assert all(len(row) == len(found.heads) for row in found.rows)
    head, *rows = found.csv()
    assert rows
    assert all(len(row) == len(head) for row in rows)


@pytest.mark.parametrize("key", ["course", "simplex", "temperature", "parameter", "rates"])
def test_of_very_many_trials_a_picture_shows_few_and_the_best_and_newest(key: str) -> None:
    trials = many(20_000)
    found = drawn(key, trials)
    assert found.pictures.wide.count("<a ") <= 4_000
    assert found.pictures.narrow.count("<a ") <= 1_000
    assert "1 dot = up to" in found.pictures.dots
    assert "trials" in found.pictures.dots
    best = int(trials.key.argmin())
    mine = trials.of(trials.searches[best % 2]) if key in ("simplex", "rates") else trials
    assert linked(found.pictures.wide) >= {*mine.at[-50:].tolist(), best}


def test_the_front_of_two_tasks_is_there_and_can_be_walked_along() -> None:
    trials = many(5_000)
    x = trials.parameters["lr"]
    y = RNG.normal(size=len(x))
    answers = {"metrics": metrics(trials, np.column_stack([x, y]))}
    found = view("tradeoff").draw(seen(trials, answers))
    assert isinstance(found, Drawn)
    front = {at for at in range(len(x)) if ((x <= x[at]) & (y <= y[at])).sum() == 1}
    assert linked(found.pictures.wide) >= front
    stops = [one[0] for one in re.finditer(f"{LINK.pattern}>", found.pictures.wide)]
    assert linked(" ".join(stops)) == front
    assert {cell[0].href for cell in found.rows} == {trials.link(at) for at in front}


def test_metrics_belong_to_their_trials_whatever_order_they_come_in() -> None:
    trials = many(60)
    values = np.column_stack([np.arange(60.0), -np.arange(60.0)])
    known = metrics(trials, values)
    order = RNG.permutation(60)[:50]
    some = replace(
        known, search=known.search[order], number=known.number[order], values=values[order]
    )
    found = view("tradeoff").draw(seen(trials, {"metrics": some}))
    assert isinstance(found, Drawn)
    _, *rows = found.csv()
    told = {(row[0], row[1]): float(row[-2]) for row in rows}
    assert told == {
        (trials.searches[trials.code[at]], int(trials.number[at])): float(at) for at in order
    }


@pytest.mark.parametrize(("n_tasks", "panels"), [(2, 0), (3, 0), (4, 6), (6, 6)])
def test_weights_of_more_than_three_tasks_are_shown_in_pairs(n_tasks: int, panels: int) -> None:
    found = drawn("simplex", many(30, n_tasks))
    assert found.pictures.wide.count("→ × ") == panels


def test_two_tasks_that_are_one_are_refused() -> None:
    same = {f"task{k}": "t1" for k in range(1, 5)}
    found = view("simplex").draw(seen(many(30, 5), {}, same))
    assert isinstance(found, Undrawn)
    assert "not the same" in found.reason


def test_a_grid_is_a_map_of_cells_and_the_best_of_a_cell_counts() -> None:
    x, y = (one.ravel().tolist() for one in np.meshgrid([1e-3, 1e-2, 1e-1], [0.0, 1e-4, 1e-3]))
    both = [[v for v in one for _ in (0, 1)] for one in (x, y)]  # both methods try all
    trials = cloud(np.arange(18.0).tolist(), lr=both[0], weight_decay=both[1])
    found = drawn("rates", trials)
    assert "cell" in found.caption
    assert 'opacity="0"' in found.pictures.wide
    assert len(linked(found.pictures.wide)) == 9


@pytest.mark.parametrize("key", [one.key for one in VIEWS])
@pytest.mark.parametrize("value", [[], [float("inf")] * 4])
def test_where_nothing_can_be_seen_the_reason_is_told(key: str, value: list[float]) -> None:
    found = view(key).draw(seen(cloud(value, lr=[0.1] * len(value))))
    assert isinstance(found, Undrawn)
    assert found.reason.endswith(".")


@pytest.mark.parametrize("key", ["tradeoff", "importances", "weights"])
def test_what_is_worked_out_elsewhere_is_waited_for(key: str) -> None:
    found = view(key).draw(seen(many(40)))
    assert isinstance(found, Undrawn)
    assert found.waits


def test_rubbish_in_an_address_chooses_what_is_chosen_by_itself() -> None:
    rubbish = dict.fromkeys(("search", "by", "x", "y", "task1"), "<script>")
    trials = many(40)
    for one in OF_MIRROR:
        assert drawn(one.key, trials, **rubbish).choices == drawn(one.key, trials).choices


def test_hostile_titles_are_text() -> None:
    trials = replace(many(40), titles=("<script>alert(1)</script>", '"><img src=x>'))
    for one in OF_MIRROR:
        svg = drawn(one.key, trials).pictures.wide
        assert "<script" not in svg
        assert "<img" not in svg
        ElementTree.fromstring(svg)


def test_studies_of_functions_have_what_applies() -> None:
    keys = {one.key for one in VIEWS if one.is_of(record(function=True))}
    assert keys == {"course", "parameter", "rates", "parallel", "importances", "curves"}


def test_a_function_with_several_objectives_has_the_front() -> None:
    several = replace(record(function=True), spec={"function": {"metric": ["loss", "size"]}})
    assert view("tradeoff").is_of(several)


def test_a_front_begins_with_the_objectives() -> None:
    trials = many(40)
    known = metrics(trials, RNG.normal(size=(40, 3)))
    known = replace(known, objectives=[known.names[2], known.names[0]])
    found = view("tradeoff").draw(seen(trials, {"metrics": known}))
    assert isinstance(found, Drawn)
    assert [choice.chosen for choice in found.choices] == ["2", "0"]
    assert found.heads[1:3] == [known.titles[2], known.titles[0]]


numbers = st.one_of(
    st.sampled_from([0.0, 1.0, -1.0, 1e-30, 1e30, float("nan")]),
    st.floats(-1e6, 1e6, allow_subnormal=False),
)


@given(
    st.lists(st.tuples(numbers, numbers, numbers, numbers), min_size=1, max_size=12),
    st.sampled_from([one.key for one in OF_MIRROR]),
)
def test_no_trials_are_too_odd(rows: list[tuple[float, ...]], key: str) -> None:
    value, lr, decay, weight = (list(column) for column in zip(*rows, strict=True))
    weights = {"w_t0": weight, "w_t1": [abs(w) for w in weight], "w_t2": lr}
    trials = cloud(value, lr=lr, weight_decay=decay, temperature=decay, **weights)
    found = view(key).draw(seen(trials, {"metrics": metrics(trials, np.array(rows)[:, :2])}))
    if isinstance(found, Drawn):
        ElementTree.fromstring(found.pictures.wide)
        ElementTree.fromstring(found.pictures.narrow)
        assert "nan" not in found.pictures.wide
