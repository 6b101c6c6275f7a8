"""What the best trials show beside their metrics: figures, tables and pictures."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import pandas as pd

from reports._exhibiting import ExhibitingRun, exhibiting_runs
from reports.drawing._exhibits import Moment, beside, curves, histograms
from reports.exhibits import OF_SPLITS, Exhibit, cell_said, grid_class
from reports.figures.exhibits import curve_panels, histogram_panels
from reports.figures.points import bin_points, line_points
from reports.frames import StudyFrames
from reports.html._plots import Plot, download, plot
from reports.html._tags import Markup, boxed, join, tag
from reports.trials import trials
from storage.wording import counted

_HISTOGRAM = (
    "How values are spread at the end of {shown}, each group as shares of itself: its outline sums "
    "to 100 %. {across}Of {of}."
)
_CURVE = "{rounds}{across}Of {of}.{bands}"
_MOST_ROWS = 20


def exhibits_section(frames: StudyFrames, *, light: bool) -> Markup | None:
    """A section for each search whose best trial shows anything; None without one."""
    found = exhibiting_runs(frames)
    if not found:
        return None
    several = len(trials(frames)) > 1
    parts = [
        join(_of_run(frames, one, f"{at}", light=light, several=several))
        for at, one in enumerate(found)
    ]
    return tag("section", tag("h2", "What the best trials show", id="exhibits"), *parts)


def _of_run(
    frames: StudyFrames, one: ExhibitingRun, key: str, *, light: bool, several: bool
) -> Iterator[Markup]:
    whose = f" of {one.search}" if several else ""
    yield tag(
        "p",
        f"Shown by the run of the first seed ({one.seed}) of trial {one.trial}, the best one"
        f"{whose} on validation ({one.metric}): one run, chosen by no look at these pictures. "
        "Other runs may look otherwise.",
    )
    if frames.sealed:
        yield tag("p", "What is made of the test split stays hidden while the study is sealed.")
    for at, exhibit in enumerate(one.exhibits):
        title = f"{one.search}: {exhibit.title}" if several else exhibit.title
        yield _shown(frames, exhibit, f"exhibit-{key}-{at}", title, light=light)


def _shown(frames: StudyFrames, exhibit: Exhibit, key: str, title: str, *, light: bool) -> Markup:
    if exhibit.kind == "histogram" or exhibit.kind == "curve":
        make = _histogram if exhibit.kind == "histogram" else _curve
        return plot(make(exhibit, key, title), heading="h3", study=frames.name, light=light)
    make_one = _pictures if exhibit.kind == "pictures" else _table
    *earlier, last = (make_one(frames.name, exhibit, moment) for moment in exhibit.moments)
    folded = None
    if earlier:
        summary = tag("summary", counted(len(earlier), "earlier round"))
        folded = tag("details", summary, *reversed(earlier))
    return join([tag("h3", title), last, folded])


def _histogram(exhibit: Exhibit, key: str, title: str) -> Plot:
    moments = exhibit.moments
    _, drawn = histograms(moments)
    shown = counted(len(drawn), "epoch")
    if len(drawn) < len(moments):
        shown = f"{len(drawn)} of {len(moments)} epochs"
    return Plot(
        key=key,
        title=title,
        seen="",
        caption=_HISTOGRAM.format(shown=shown, across=_across(drawn), of=OF_SPLITS[exhibit.split]),
        figure=histogram_panels(moments),
        points=partial(bin_points, moments),
    )


def _curve(exhibit: Exhibit, key: str, title: str) -> Plot:
    moments = exhibit.moments
    _, drawn = curves(moments)
    rounds = "" if len(drawn) == 1 else "The last of each round. "
    if len(drawn) < len(moments):
        rounds = f"The last {len(drawn)} of {len(moments)} rounds. "
    has_bands = any(one.content.get("intervals") for one in moments)
    return Plot(
        key=key,
        title=title,
        seen="",
        caption=_CURVE.format(
            rounds=rounds,
            across=_across(drawn),
            of=OF_SPLITS[exhibit.split],
            bands=" Bands are the intervals that the run has worked out." if has_bands else "",
        ),
        figure=curve_panels(moments),
        points=partial(line_points, moments),
    )


def _pictures(_study: str, exhibit: Exhibit, moment: Moment) -> Markup:
    said = f"{_when(exhibit, moment)} Of {OF_SPLITS[exhibit.split]}."
    items = [_picture(item) for item in moment.content["items"]]
    grid = tag("ul", *items, class_=grid_class(moment.content["items"]))
    return join([tag("p", said, class_="soft"), grid])


def _picture(item: dict[str, Any]) -> Markup:
    source = f"data:image/png;base64,{item['png']}"
    image = tag("img", src=source, alt=item["caption"], width=item["width"], height=item["height"])
    return tag("li", tag("figure", image, tag("figcaption", item["caption"], aria_hidden="true")))


def _table(study: str, exhibit: Exhibit, moment: Moment) -> Markup:
    rows: Sequence[Sequence[Any]] = moment.content["rows"]
    of = f"{_when(exhibit, moment)} Of {OF_SPLITS[exhibit.split]}."
    if len(rows) > _MOST_ROWS:
        of += f" The first {_MOST_ROWS} of {len(rows)} rows."
    head = tag("tr", *(tag("th", name, scope="col") for name in moment.content["columns"]))
    body = [
        tag(
            "tr",
            tag("th", cell_said(row[0]), scope="row"),
            *(tag("td", cell_said(c)) for c in row[1:]),
        )
        for row in rows[:_MOST_ROWS]
    ]
    points = pd.DataFrame(rows, columns=list(moment.content["columns"]))
    link = download(points, f"{study}-{exhibit.name}", "All rows as CSV")
    return join([boxed(of, head, body), tag("p", link)])


def _across(drawn: Sequence[Moment]) -> str:
    title = beside(drawn)
    return f"Horizontally: {title}. " if title else ""


def _when(exhibit: Exhibit, moment: Moment) -> str:
    rounds = len({one.round for one in exhibit.moments}) > 1
    return f"{moment.said(rounds=rounds)}."
