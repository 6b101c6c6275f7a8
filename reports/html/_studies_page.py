"""The page of several studies: what all of them together say, and what sets them apart."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from reports._ranking import better
from reports._ranking import number as said
from reports.across.comparison import StudiesComparison, compare_studies
from reports.across.methods import Method, Studies
from reports.across.one_setting import Transferred
from reports.comparing.wording import gaps_of, span
from reports.figures import method_colour, performance_profile
from reports.figures.points import gap_points
from reports.html._pairs import pairs_section
from reports.html._plots import Plot, plot
from reports.html._tags import Markup, boxed, join, method_head, tag
from reports.html._words import value_of
from reports.inference import Interval
from storage.objectives import Objective
from storage.wording import counted

_VALUES = (
    "Test {title} of each method’s winner in each study, with its 95 % interval over seeds; {side} "
    "is better. In brackets: runs are outstanding, so the value can still change and is not ranked."
)
_OVER = (
    "Over {problems}. A mean rank says little by itself: the first sentence "
    "above says how far apart two must lie. Intervals are from problem to problem."
)
_AGAINST = (
    "{subject} minus each other method{unit}: {side} zero {subject} is better. First the mean "
    "over problems, with the interval from problem to problem, widened after Holm where there are "
    "several, by which the verdict goes; then each study with its 95 % interval over seeds."
)
_ONE = (
    "One setting for all: for each study the setting that is best on validation of the other "
    "studies, on test here. “Minus tuned” is how much worse that is than tuning here, mean over "
    "problems."
)
_PROFILE = (
    "Each line is a method: in which share of the {what} it is at most so much worse than the "
    "best method there. A line that starts high is often the best; one that rises soon is never "
    "far from it. The dotted line is the margin. It shows what was measured; how sure that is, the "
    "tables say."
)


def studies_body(studies: Studies, *, light: bool) -> Markup:
    """The page without its footer.

    Args:
        light: Figures are still pictures.

    Raises:
        NotComparable: Their numbers have nothing to do with each other.
    """
    comparison = compare_studies(studies)
    header = tag(
        "header",
        tag("p", "Weighbridge report", class_="eyebrow"),
        tag("h1", ", ".join(study.label for study in comparison.studies)),
        tag("p", comparison.sentence, class_="headline"),
    )
    profile = Plot(
        key="profile",
        title="How near to the best",
        seen=_seen(comparison),
        caption=_PROFILE.format(what=_over(comparison)),
        figure=performance_profile(comparison),
        points=partial(gap_points, comparison),
    )
    drawn = plot(profile, heading="h2", study="several-studies", light=light)
    return join(
        [
            header,
            tag(
                "main",
                tag("section", tag("h2", "The studies"), _studies(comparison)),
                tag("section", tag("h2", "Comparison"), *_tables(comparison)),
                tag("section", drawn),
                pairs_section(comparison, light=light),
                _differing(comparison.differing),
            ),
        ]
    )


def _seen(comparison: StudiesComparison) -> str:
    if comparison.ranking is None:
        return ""
    one = max(comparison.ranking.standings, key=lambda standing: standing.best)
    problems = counted(comparison.ranking.n_problems, "problem")
    near = ""
    if comparison.margin is not None:
        near = f", and within the margin of {comparison.margin:g} of it in {_percent(one.near)}"
    of = problems if comparison.ranking.n_problems > 1 else f"the {_over(comparison)}"
    return f"{one.method.title} is the best in {_percent(one.best)} of {of}{near}."


def _over(comparison: StudiesComparison) -> str:
    """What shares are of."""
    one = comparison.ranking is not None and comparison.ranking.n_problems == 1
    return "studies of one problem" if one else "problems"


def _studies(comparison: StudiesComparison) -> Markup:
    rows = [
        tag(
            "tr",
            tag("th", study.label, scope="row"),
            tag("td", study.problem),
            tag("td", study.network or "–"),
            tag("td", counted(study.n_seeds, "seed")),
            tag("td", f"{study.finished_runs} of {study.planned_runs} runs"),
            tag("td", "sealed" if study.sealed else "counts" if study.counts else "no value yet"),
        )
        for study in comparison.studies
    ]
    heads = _heads("Study", "Problem", "Network", "Seeds", "Finished", "State")
    return boxed("What is compared.", heads, rows, class_="words")


def _tables(comparison: StudiesComparison) -> Iterator[Markup]:
    yield _values(comparison)
    if comparison.ranking is not None:
        yield _standings(comparison)
    if comparison.differences:
        yield _against(comparison)
    if comparison.one_setting:
        yield _one_setting(comparison)


def _values(comparison: StudiesComparison) -> Markup:
    objective = comparison.objective
    labels = [study.label for study in comparison.studies]

    def cell(method: Method, label: str) -> str:
        result = method.results.get(label)
        if result is None or math.isnan(result.row.value_test):
            return "–"
        told = _with_ends(objective, result.row.value_test, result.row.interval)
        return told if result.is_final else f"({told})"

    rows = [
        tag("tr", _head(method), *(tag("td", cell(method, label)) for label in labels))
        for method in comparison.methods
    ]
    caption = _VALUES.format(title=objective.title, side=better(objective))
    return boxed(caption, _heads("Method", *labels), rows)


def _standings(comparison: StudiesComparison) -> Markup:
    ranking, objective = comparison.ranking, comparison.objective
    assert ranking is not None
    heads = ["Method", "Mean rank", f"Mean {objective.title}", "95 % interval", "Is the best in"]
    if comparison.margin is not None:
        heads.append(f"Within {comparison.margin:g} of the best in")
    rows = [
        tag(
            "tr",
            _head(one.method),
            tag("td", f"{one.mean_rank:.2f}"),
            tag("td", _number(objective, one.estimate.value)),
            tag("td", span(objective, one.interval) if one.interval else "–"),
            tag("td", _percent(one.best)),
            tag("td", _percent(one.near)) if comparison.margin is not None else None,
        )
        for one in ranking.standings
    ]
    return boxed(
        _OVER.format(problems=counted(ranking.n_problems, "problem")), _heads(*heads), rows
    )


def _against(comparison: StudiesComparison) -> Markup:
    gaps = gaps_of(comparison.objective)
    bare = replace(gaps, unit="")
    methods = {method.key: method for method in comparison.methods}
    found = comparison.differences
    labels, subject = [*found[0].by_study], methods[found[0].mean.a].title
    caption = _AGAINST.format(
        subject=subject,
        unit=f", in {gaps.unit}" if gaps.unit else "",
        side="below" if gaps.sign > 0 else "above",
    )
    rows = [
        tag(
            "tr",
            _head(methods[mean.b]),
            tag("td", _number(bare, mean.value)),
            tag("td", span(gaps, mean.interval) if mean.interval else "–"),
            tag("td", mean.verdict),
            tag("td", counted(mean.seeds_to_decide, "problem") if mean.seeds_to_decide else "–"),
            tag("td", "–" if math.isnan(mean.p_better) else f"{mean.p_better:.2f}"),
            *(
                tag("td", _with_ends(bare, alone.value, alone.interval))
                for alone in one.by_study.values()
            ),
        )
        for one in found
        for mean in (one.mean,)
    ]
    named = ("Mean over problems", "95 % interval", "Verdict", "Would decide", "P(better)", *labels)
    return boxed(caption, _heads(f"{subject} against", *named), rows)


def _one_setting(comparison: StudiesComparison) -> Markup:
    objective, gaps = comparison.objective, gaps_of(comparison.objective)
    methods = {method.key: method for method in comparison.methods}
    labels = [*comparison.one_setting[0].by_study]

    def cell(found: Transferred, named: bool) -> Markup:
        params = "; ".join(f"{name} {value_of(value)}" for name, value in found.params.items())
        told = f"{methods[found.method].title}; {params}" if named else params
        value = _with_ends(objective, found.value, found.interval)
        return tag("td", value, tag("br"), tag("span", told, class_="unit"))

    rows = []
    for row in comparison.one_setting:
        keys = {one.method for one in row.by_study.values()}
        own = next((methods[key] for key in keys if methods[key].title == row.title), None)
        rows.append(
            tag(
                "tr",
                tag("th", row.title, scope="row") if own is None else _head(own),
                *(cell(row.by_study[label], own is None) for label in labels),
                tag("td", _number(gaps, row.price)),
                tag("td", span(gaps, row.interval) if row.interval else "–"),
            )
        )
    return boxed(_ONE, _heads("Method", *labels, "Minus tuned", "95 % interval"), rows)


def _differing(sentences: Sequence[str]) -> Markup:
    if not sentences:
        body = tag("p", "Nothing but the problem, its data and its network.", class_="soft")
    else:
        body = tag("ul", *(tag("li", sentence) for sentence in sentences), class_="notes")
    return tag("section", tag("h2", "What else sets the studies apart"), body)


def _heads(*names: str) -> Markup:
    return tag("tr", *(tag("th", name, scope="col") for name in names))


def _head(method: Method) -> Markup:
    return method_head(method.title, method_colour(method.weighting))


def _number(objective: Objective, value: float) -> str:
    if math.isnan(value):
        return "–"
    return "diverged" if math.isinf(value) else said(objective, value)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _with_ends(objective: Objective, value: float, interval: Interval | None) -> str:
    ends = f" [{span(objective, interval)}]" if interval else ""
    return f"{_number(objective, value)}{ends}"
