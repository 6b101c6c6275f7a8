"""The section on pairs of tasks: for each method a matrix for each amount of labels, and tables."""

import math
from collections.abc import Iterator, Sequence
from functools import partial

from reports._ranking import better, number
from reports.across.comparison import StudiesComparison
from reports.across.pairs import PairTable
from reports.figures import task_pairs
from reports.figures.points import pair_points
from reports.html._plots import Plot, plot
from reports.html._tags import Markup, boxed, tag
from storage.objectives import Objective
from storage.objectives.delta_m import NAME as DELTA_M
from storage.wording import counted, listed

_READ = (
    "Test {objective} of networks that learn two tasks, by task and by the one beside it: means "
    "over seeds, {side} is better. In the pictures the better ones are brighter, in the same "
    "colours for all methods, and a panel is an amount of labels. A dash has no final value. How "
    "sure values are, the table of all studies says."
)


def pairs_section(comparison: StudiesComparison, *, light: bool) -> Markup | None:
    """The matrices as figures and as tables; None where no pairs of one problem are asked."""
    if not comparison.pairs:
        return None
    objective = comparison.objective
    read = _READ.format(objective=objective.title, side=better(objective))
    parts = _of_methods(comparison, light=light)
    return tag("section", tag("h2", "Pairs of tasks"), tag("p", read, class_="soft"), *parts)


def _of_methods(comparison: StudiesComparison, *, light: bool) -> Iterator[Markup]:
    """Figure and tables of each method and problem."""
    objective, groups = comparison.objective, dict[tuple[str, str], list[PairTable]]()
    for table in comparison.pairs:
        groups.setdefault((table.method, table.problem), []).append(table)
    apart = len({problem for _, problem in groups}) > 1
    for at, ((method, problem), tables) in enumerate(groups.items()):
        beside = [one for one in comparison.pairs if one.problem == problem]
        drawn = Plot(
            key=f"pairs-{at}",
            title=f"{method} on {problem}" if apart else method,
            seen=_seen(objective, tables),
            caption="",
            figure=task_pairs(tables, objective, beside=beside),
            points=partial(pair_points, tables),
        )
        yield plot(drawn, heading="h3", study="pairs", light=light)
        yield from (_table(objective, table) for table in tables)


def _seen(objective: Objective, tables: Sequence[PairTable]) -> str:
    """How many pairs come out better than single-task networks, whose delta_m is 0, how surely."""
    if objective.name != DELTA_M:
        return ""
    counts = []
    for table in tables:
        pairs = [pair for pair, value in table.pairs if not math.isnan(value)]
        below = [pair for pair in pairs if table.values[pair] < 0]
        ends = [table.intervals[pair].high for pair in below if pair in table.intervals]
        surely = sum(high < 0 for high in ends)
        sure = f" ({surely} by the whole 95 % interval over seeds)" if below else ""
        counts.append(f"{len(below)} of {counted(len(pairs), 'pair')} with {table.labels}{sure}")
    return f"Below 0, better than the single-task networks: {listed(counts)}."


def _table(objective: Objective, table: PairTable) -> Markup:
    rows = [
        tag(
            "tr",
            tag("th", task, scope="row"),
            *(tag("td", _cell(objective, value)) for value in table.row(task)),
        )
        for task in table.tasks
    ]
    caption = f"{table.title}: test {objective.title}."
    heads = [tag("th", name, scope="col") for name in ("Task", *table.tasks)]
    return boxed(caption, tag("tr", *heads), rows)


def _cell(objective: Objective, value: float | None) -> str:
    if value is None:
        return ""
    if math.isnan(value):
        return "–"
    return "diverged" if math.isinf(value) else number(objective, value)
