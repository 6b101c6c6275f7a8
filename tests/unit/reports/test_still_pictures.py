"""Still pictures: the same points as in the figure, as SVG without script."""

import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import figures, html, load
from reports.drawing.svg._frame import _even, _powers
from reports.drawing.svg._still import Page
from reports.figures import NoFigure
from reports.figures.svg import picture
from reports.trials import trials
from tests.unit.reports import synthetic
from tests.unit.reports.drawn import drawn, lines

_SVG = "{http://www.w3.org/2000/svg}"


def parsed(figure: go.Figure, page: Page = "wide") -> ElementTree.Element:
    return ElementTree.fromstring(picture(figure, page=page).svg)


def texts(root: ElementTree.Element) -> list[str]:
    return ["".join(part.itertext()) for part in root.iter(f"{_SVG}text")]


def small(trace: dict[str, object], **layout: object) -> go.Figure:
    x = {"range": [0, 10]}
    return go.Figure([trace], {"height": 300, "xaxis": x, "yaxis": {"range": [0, 1]}} | layout)


def all_figures() -> list[go.Figure]:
    frames = synthetic.frames()
    made = load(synthetic.function_reader(), synthetic.STUDY)
    search = trials(made)[0]
    several = synthetic.search_front(synthetic.reader(epochs=4), "left.error", "sum.within_1")
    front = load(several, synthetic.STUDY)
    return [
        drawn(figures.cost_versus_performance(frames)),
        drawn(figures.weight_simplex(frames, "scalarization")),
        drawn(figures.temperature_curve(frames, "uw-so")),
        drawn(figures.weight_trajectories(frames)),
        drawn(figures.sensitivity(frames)),
        drawn(figures.trial_history(made, search)),
        drawn(figures.learning_curves(made, search)),
        drawn(figures.parallel_coordinates(made, search)),
        drawn(figures.task_front(front)),
        drawn(figures.volume_versus_cost(front)),
    ]


@pytest.mark.parametrize("page", ["wide", "narrow"])
def test_every_figure_can_be_drawn_inside_its_box(page: Page) -> None:
    for figure in all_figures():
        root = parsed(figure, page)
        width, height = (float(n) for n in root.attrib["viewBox"].split()[2:])
        assert width == {"wide": 1040, "narrow": 358}[page]
        assert root.find(f"{_SVG}script") is None
        for text in root.iter(f"{_SVG}text"):
            if text.attrib["x"] != "0.0":  # as of titles that are turned
                assert 0 <= float(text.attrib["x"]) <= width
                assert -10 <= float(text.attrib["y"]) <= height + 10


def test_a_line_goes_through_its_points() -> None:
    trace = {"type": "scatter", "x": [0, 10], "y": [0.0, 0.5], "mode": "lines"}
    root = parsed(small(trace))
    (path,) = (p.attrib["d"] for p in root.iter(f"{_SVG}path") if "linejoin" in str(p.attrib))
    x0, y0, x1, y1 = map(float, re.findall(r"[\d.]+", path))
    assert (x0, x1) == (58.0, 1024.0)  # the margins' inner edges
    bottom, top = 300 - 48, 16
    assert (y0, y1) == (bottom, (bottom + top) / 2)


def test_steps_and_logarithms_are_drawn_as_such() -> None:
    trace = {"type": "scatter", "x": [1, 10, 100], "y": [0, 0.5, 1], "line": {"shape": "hv"}}
    figure = small(trace | {"mode": "lines"}, xaxis={"type": "log", "range": [0, 2]})
    (path,) = re.findall(r'd="(M[^"]+HV?[^"]+)"', picture(figure).svg.replace("H", "HV"))[-1:]
    places = [float(n) for n in re.findall(r"HV([\d.]+)V", path)]
    assert places == pytest.approx([541.0, 1024.0])  # half the way is ten of a hundred


def test_a_gap_begins_a_new_piece_and_an_area_is_closed() -> None:
    trace = {"type": "scatter", "x": [1, 2, 3, 4], "y": [0.1, None, 0.3, 0.4], "mode": "lines"}
    assert re.search(r'd="M[^M"]+M[^M"]+"', picture(small(trace)).svg)
    filled = trace | {"fill": "toself", "fillcolor": "red"}
    assert 'Z" fill="red"' in picture(small(filled)).svg


def test_what_waits_in_the_legend_is_left_out() -> None:
    trace = {"type": "scatter", "x": [1], "y": [1], "name": "later", "visible": "legendonly"}
    assert "later" not in picture(small(trace, showlegend=True)).svg


def test_labels_are_there_on_a_wide_page_only() -> None:
    figure = drawn(figures.cost_versus_performance(synthetic.frames()))
    label = f"Scalarization {lines(figure)['Scalarization'].y[-1]:+.1f}".replace("-", "−")
    assert any(label in text for text in texts(parsed(figure)))
    assert not any(label in text for text in texts(parsed(figure, "narrow")))
    assert {"EW", "UW", "UW-SO", "Scalarization"} <= set(texts(parsed(figure, "narrow")))


def test_all_weight_vectors_have_a_cell_and_the_best_its_ring() -> None:
    svg = picture(drawn(figures.weight_simplex(synthetic.frames(), "scalarization"))).svg
    n_cells = sum(path.count("M") for path in re.findall(r'd="([^"]+Z)"', svg))
    assert n_cells == len(synthetic.simplex())
    assert svg.count('stroke="#d6425c"') == 2  # one of them in the legend


def test_the_upper_corners_name_ends_above_it_however_many_lines_it_has() -> None:
    figure = drawn(figures.weight_simplex(synthetic.frames(), "scalarization"))

    def top(name: str) -> float:
        figure.layout.ternary.aaxis.title.text = name
        found = re.search(r'y="([\d.]+)"[^>]*><tspan[^>]*>Top', picture(figure).svg)
        assert found is not None
        return float(found[1])

    assert top("Top") - top("Top<br>line") == pytest.approx(16.25, abs=0.1)


def test_a_name_cannot_become_markup() -> None:
    trace = {"type": "scatter", "x": [1], "y": [1], "mode": "lines", "name": "<img src=x>"}
    notes = [{"text": "<b>a</b> <script>&lt;", "x": 1, "y": 1}]
    svg = picture(small(trace, showlegend=True, annotations=notes)).svg
    assert "<img" not in svg
    assert "<script" not in svg
    assert '<tspan font-weight="600">a</tspan> &lt;script&gt;&lt;' in svg
    ElementTree.fromstring(svg)


def test_a_notebook_shows_the_picture_or_why_there_is_none() -> None:
    figure = drawn(figures.sensitivity(synthetic.frames()))
    shown, plain = picture(figure)._repr_html_(), picture(figure).svg
    assert shown == plain.replace("<svg", '<svg style="max-width:100%;height:auto"', 1)
    assert "style=" not in plain  # pages with a strict policy hold it as it is
    assert NoFigure(reason="a < b")._repr_html_() == "<p>a &lt; b</p>"


@given(low=st.floats(-1e6, 1e6), span=st.floats(1e-6, 1e6), most=st.integers(2, 12))
def test_ticks_of_an_axis_lie_on_it_evenly(low: float, span: float, most: int) -> None:
    high = low + span
    found = _even(low, high, most)
    assert len(found) <= most + 1
    slack = 1e-6 * span + 1e-9 * abs(low)
    assert all(low - slack <= value <= high + slack for value in found)
    assert np.allclose(np.diff(found), np.diff(found)[:1], atol=slack)


@given(low=st.floats(-12, 12), span=st.floats(0.7, 12))
def test_ticks_of_a_logarithmic_axis_lie_on_it(low: float, span: float) -> None:
    found = _powers(low, low + span)
    assert all(low - 1e-9 <= np.log10(value) <= low + span + 1e-9 for value in found)


# -- the light report -----------------------------------------------------------------------


def test_a_light_report_has_all_figures_and_no_script(tmp_path: Path) -> None:
    html.write(synthetic.frames(), tmp_path / "light.html", light=True)
    text = (tmp_path / "light.html").read_text(encoding="utf-8")
    assert len(text.encode()) < 1_000_000
    assert "<script" not in text
    assert text.count('<div class="still wide"><svg') == text.count("<figcaption>") == 5
    assert text.count('<div class="still narrow"><svg') == 5
    assert 'role="img" aria-label="Cost versus performance"' in text
    assert "A light report" in text
