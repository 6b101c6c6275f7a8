"""The report of several studies, and its figure."""

from io import StringIO
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go
import pytest

from reports import html
from reports.across import StudiesComparison, compare_studies
from reports.across.methods import Studies
from reports.errors import UnknownFormat
from reports.figures import NoFigure, performance_profile
from reports.figures.points import gap_points
from tests.unit.reports.several import plain_study, study


@pytest.fixture(scope="module")
def three() -> Studies:
    return {
        "small": plain_study(),
        "<large>": study("one", better={"uw": 40.0}),
        "other": plain_study("two"),
    }


@pytest.fixture(scope="module")
def comparison(three: Studies) -> StudiesComparison:
    return compare_studies(three)


def written(studies: Studies, folder: Path, *, light: bool) -> str:
    html.write_studies(studies, folder / "both.html", light=light)
    return (folder / "both.html").read_text(encoding="utf-8")


def test_profiles_rise_to_the_share_of_problems_that_are_near(
    comparison: StudiesComparison,
) -> None:
    figure = performance_profile(comparison)
    assert isinstance(figure, go.Figure) and comparison.ranking
    for trace, standing in zip(figure.data, comparison.ranking.standings, strict=True):
        assert trace.name == standing.method.title
        for gap, share in zip(trace.x, trace.y, strict=True):
            near = {label for label, found in standing.gaps.items() if found <= gap}
            expected = 50 * (len(near & {"small", "<large>"}) / 2 + ("other" in near))
            assert share == pytest.approx(expected)
        assert (trace.y[0], trace.y[-1]) == (pytest.approx(100 * standing.best), 100)


def test_points_are_the_distances_to_the_best(comparison: StudiesComparison) -> None:
    points = gap_points(comparison)
    assert len(points) == 9
    assert (points.groupby("study")["worse_than_best"].min() == 0).all()
    assert pd.read_csv(StringIO(points.to_csv(index=False))).shape == points.shape


def test_without_two_studies_with_values_there_is_no_profile() -> None:
    found = compare_studies({"a": plain_study(), "b": study("two", empty=True)})
    assert isinstance(performance_profile(found), NoFigure)


def test_the_page_says_what_the_comparison_does(three: Studies, tmp_path: Path) -> None:
    page = written(three, tmp_path, light=True)
    for part in ("tell nothing, whatever the results", "One setting for all", "&lt;large&gt;"):
        assert part in page
    assert "<large>" not in page and "<script" not in page


def test_the_full_page_has_the_figure_for_plotly(three: Studies, tmp_path: Path) -> None:
    assert 'id="data-profile"' in written(three, tmp_path, light=False)


def test_a_page_of_sealed_studies_shows_no_value(tmp_path: Path) -> None:
    sealed = {"a": study(sealed=True), "b": study("two", sealed=True)}
    page = written(sealed, tmp_path, light=True)
    assert "a is sealed: no test value of it is shown" in page
    assert "Fewer than two methods" in page and "[" not in page[page.index("<main>") :]


def test_a_page_has_a_suffix_that_browsers_open(three: Studies, tmp_path: Path) -> None:
    with pytest.raises(UnknownFormat):
        html.write_studies(three, tmp_path / "both.pdf")
