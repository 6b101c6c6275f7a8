"""The parts of figures: looks, labels, windows, the hexagons of the simplex."""

import re
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports._palette import LOOKS, OF_TRAINERS, OTHERS, TASKS, TraceStyle, look
from reports.drawing._marks import short, ticks
from reports.drawing._panels import panels
from reports.drawing._ternary import hexagons, on_grid, step_of
from reports.drawing._window import window
from reports.figures._curve_traces import band
from reports.figures._labels import apart
from tests.unit.reports import synthetic

# -- palette --------------------------------------------------------------------------------


def contrast(one: str, other: str) -> float:
    """WCAG 2.2 contrast ratio."""

    def luminance(colour: str) -> float:
        shares = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
        linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("page", ["#ffffff", "#12161c"])
def test_every_colour_can_be_seen_on_both_pages(page: str) -> None:
    colours = [item.colour for item in (*LOOKS.values(), *OTHERS)] + list(TASKS)
    assert min(contrast(colour, page) for colour in colours) >= 3


@pytest.mark.parametrize("looks", [LOOKS, OF_TRAINERS])
def test_no_two_known_methods_of_one_study_look_alike(looks: Mapping[str, TraceStyle]) -> None:
    assert len({item.colour for item in looks.values()}) == len(looks)
    assert len({item.symbol for item in looks.values()}) == len(looks)


def test_an_unknown_weighting_keeps_its_look() -> None:
    assert look("mine") == look("mine")
    assert look("mine") in OTHERS


# -- parts ----------------------------------------------------------------------------------

FINITE = st.floats(-100, 100)


@given(st.lists(FINITE, min_size=1, max_size=12), st.floats(1, 20))
def test_labels_stand_apart_and_keep_their_order(positions: list[float], gap: float) -> None:
    before = np.array(positions)
    after = apart(before, gap=gap, limit=1000.0)
    assert (np.diff(np.sort(after)) >= gap - 1e-9).all()
    assert (np.argsort(after) == np.argsort(before, kind="stable")).all()


def test_labels_that_have_room_do_not_move() -> None:
    before = np.array([30.0, 0.0, 60.0])
    assert (apart(before, gap=10, limit=100) == before).all()


def test_the_window_cuts_a_diverging_value() -> None:
    values = np.array([-5.0, -4.0, 1.0, 3.0, 0.0, 127.0])
    view = window(values, core=values)
    assert view.high < 10
    assert view.n_cut == 1


@given(st.lists(FINITE, min_size=1, max_size=20))
def test_the_window_never_cuts_what_is_good(values: list[float]) -> None:
    drawn_values = np.array(values)
    assert window(drawn_values, core=drawn_values).low <= drawn_values.min()


def test_a_window_of_nothing_has_a_width() -> None:
    view = window(np.array([np.nan, np.inf]), core=np.array([]))
    assert view.low < view.high


@pytest.mark.parametrize("step", [0.1, 0.05, 0.25])
def test_the_step_of_a_grid_is_found(step: float) -> None:
    assert step_of(np.array(synthetic.simplex(step))) == pytest.approx(step)


def test_an_anchor_off_the_grid_does_not_hide_it() -> None:
    weights = np.array([*synthetic.simplex(0.1), (1 / 3, 1 / 3, 1 / 3)])
    assert step_of(weights) == pytest.approx(0.1)
    assert on_grid(weights, 0.1).tolist() == [True] * 36 + [False]


def test_random_weights_have_no_grid() -> None:
    assert step_of(np.random.default_rng(0).dirichlet(np.ones(3), size=20)) is None


def test_hexagons_tile_the_simplex() -> None:
    """Inside the simplex the cells of a grid cover the area of their lattice, no more, no less."""
    weights = np.array(synthetic.simplex(0.1))
    x, y = hexagons(weights, 0.1)[..., 0], hexagons(weights, 0.1)[..., 1]
    area = np.abs((x[:, :-1] * y[:, 1:] - x[:, 1:] * y[:, :-1]).sum(axis=1)) / 2
    # In coordinates (a, b) the simplex has area 1/2 and its lattice 0.1 has cells of 0.1 squared.
    assert area == pytest.approx(np.full(36, 0.01))


def test_hexagons_stay_inside_the_simplex() -> None:
    cells = hexagons(np.array([(0.0, 0.0, 1.0), (0.0, 0.5, 0.5)]), 0.1)
    assert cells.min() >= 0
    assert cells.sum(axis=-1) == pytest.approx(1)


def test_a_band_is_the_area_between_two_steps() -> None:
    x, y = band(np.array([1.0, 2.0]), np.array([0.0, 1.0]), np.array([3.0, 4.0]))
    assert x.tolist() == [1, 2, 2, 2, 2, 1, 1]
    assert y.tolist() == [3, 3, 4, 1, 0, 0, 3]


def test_a_band_leaves_out_what_has_no_bounds() -> None:
    x, _ = band(np.array([1.0, 2.0]), np.array([np.nan, np.nan]), np.array([1.0, 1.0]))
    assert x.size == 0


@pytest.mark.parametrize(
    ("value", "text"),
    [(3e-4, "3e-4"), (0.05, "0.05"), (16.0, "16"), (0.0, "0"), (2.5e-5, "2.5e-5")],
)
def test_values_are_written_short(value: float, text: str) -> None:
    assert short(value) == text


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([1.0, 3.0, 3.162, 10.0], ["1", "3", "", "10"]),
        ([1.0, 5.0, 9.8, 10.0], ["1", "5", "", "10"]),
        ([1e-3, 3e-3, 1e-2], ["1e-3", "3e-3", "0.01"]),
        ([1.0, 1.02], ["1", "1.02"]),
        ([5.0], ["5"]),
    ],
)
def test_labels_of_ticks_do_not_touch_and_both_ends_stay(
    values: list[float], said: list[str]
) -> None:
    found = ticks(np.array(values))
    assert found["ticktext"] == said
    assert [*found["tickvals"]] == values


# -- panels ---------------------------------------------------------------------------------


def test_a_title_that_is_wider_than_its_panel_takes_several_lines() -> None:
    axis = {"title": ""}
    long = "Scalarization (population): length (magnitude)"
    fits = panels([], ["UW", long], x=axis, y=axis).layout["meta"]
    plain = panels([], ["UW", "EW"], x=axis, y=axis).layout["meta"]
    narrow = fits["narrow"]["annotations[1].text"].split("<br>")
    assert [re.sub("</?b>", "", line) for line in narrow] == [
        "Scalarization",
        "(population):",
        "length (magnitude)",
    ]
    assert fits["narrow"]["annotations[0].text"] == "<b>UW</b>"
    assert fits["narrow"]["margin.t"] > plain["narrow"]["margin.t"]
