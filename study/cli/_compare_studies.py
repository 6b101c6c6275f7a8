"""``weighbridge compare`` of several studies: values side by side, mean ranks, differences."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from study.cli._cells import ends, params_said, written
from study.cli._frames import opened_all
from study.cli._output import counted, next_step, note, print_json, say
from study.cli._wide import Column, show

if TYPE_CHECKING:
    from reports import StudyFrames
    from reports.across import StudiesComparison
    from reports.across.methods import Result
    from reports.across.one_setting import OneSetting
    from reports.inference import Interval
    from storage.objectives import Objective

_OPEN = "*"


def show_studies(studies: Sequence[str], *, storage: str, as_json: bool) -> None:
    """Print the comparison of two studies or more."""
    from reports.across import compare_studies

    with opened_all(studies, storage) as frames:
        comparison = compare_studies(frames)
        if as_json:
            print_json("compare.studies", comparison.to_plain())
            return
        say((comparison.sentence, "bold"))
        _print_studies(comparison)
        _print_values(comparison)
        _print_standings(comparison)
        _print_differences(comparison)
        _print_one_setting(comparison, frames)
        _print_pairs(comparison)
        for sentence in comparison.differing:
            note(sentence)
        next_step("report", *studies, "-o", "report.html", storage=storage)


def _print_studies(comparison: StudiesComparison) -> None:
    found = comparison.studies
    show(
        Column(head="study", cells=[one.label for one in found], text=True),
        [
            Column(head="problem", cells=[one.problem for one in found], text=True),
            Column(head="network", cells=[one.network for one in found], text=True),
            Column(head="seeds", cells=[str(one.n_seeds) for one in found]),
            Column(
                head="runs finished",
                cells=[f"{one.finished_runs} of {one.planned_runs}" for one in found],
            ),
        ],
    )


def _print_values(comparison: StudiesComparison) -> None:
    """A method's value in each study, with its interval over seeds."""
    objective, methods = comparison.objective, comparison.methods
    unit = f", in {objective.unit}" if objective.unit else ""
    side = "lower" if objective.sign > 0 else "higher"
    say((f"Test {objective.title} with 95 % intervals over seeds{unit} ({side} is better)", "bold"))
    columns = [
        Column(
            head=study.label,
            cells=[_value(objective, method.results.get(study.label)) for method in methods],
        )
        for study in comparison.studies
    ]
    show(_key([method.title for method in methods]), columns)
    if any(_OPEN in cell for column in columns for cell in column.cells):
        note(f"{_OPEN} runs are outstanding: the value can still change, and is not ranked.")


def _print_standings(comparison: StudiesComparison) -> None:
    ranking, objective = comparison.ranking, comparison.objective
    if ranking is None:
        return
    found = ranking.standings
    alike = ", which count alike" if ranking.n_problems > 1 else ""
    say((f"Over {counted(ranking.n_problems, 'problem')}{alike}", "bold"))
    columns = [
        Column(head="mean rank", cells=[f"{one.mean_rank:.2f}" for one in found]),
        Column(
            head=f"mean\n{objective.title}",
            cells=[written(one.estimate.value, objective.shown) for one in found],
        ),
        Column(
            head="95 % interval\nover problems",
            cells=[ends(one.interval, objective) for one in found],
        ),
        Column(
            head="middle half\nof all values",
            cells=[written(one.iqm, objective.shown) for one in found],
        ),
        Column(head="is the best\nin", cells=[f"{100 * one.best:.0f} %" for one in found]),
    ]
    if comparison.margin is not None:
        head = f"within {comparison.margin:g} of\nthe best in"
        columns.append(Column(head=head, cells=[f"{100 * one.near:.0f} %" for one in found]))
    if all(math.isnan(one.iqm) for one in found):
        columns = [column for column in columns if "middle half" not in column.head]
    show(_key([one.method.title for one in found]), columns)


def _print_pairs(comparison: StudiesComparison) -> None:
    """What methods come to on each pair of tasks, a table for each share of labels."""
    objective = comparison.objective
    for table in comparison.pairs:
        say((f"Test {objective.title} on pairs of tasks: {table.title}", "bold"))
        columns = [
            Column(
                head=other,
                cells=[
                    "" if value is None else written(value, objective.shown)
                    for value in table.row(other)
                ],
            )
            for other in table.tasks
        ]
        show(_key([*table.tasks]), columns)


def _print_differences(comparison: StudiesComparison) -> None:
    found = comparison.differences
    if not found:
        return
    from reports.comparing.wording import gaps_of

    gaps, means = gaps_of(comparison.objective), [one.mean for one in found]
    titles = {method.key: method.title for method in comparison.methods}
    subject = titles[means[0].a]
    side = "negative" if comparison.objective.sign > 0 else "positive"
    unit = f", in {gaps.unit}" if gaps.unit else ""
    wide = f"; over problems for {len(found)} comparisons at once, after Holm" if found[1:] else ""
    head = f"{subject} minus each other method{unit}"
    say((f"{head} ({side}: {subject} is better{wide})", "bold"))
    show(
        Column(head=f"{subject} against", cells=[titles[one.b] for one in means], text=True),
        [
            Column(
                head="mean over\nproblems", cells=[written(one.value, gaps.shown) for one in means]
            ),
            Column(
                head="95 % interval\nover problems",
                cells=[ends(one.interval, gaps) for one in means],
            ),
            Column(head="verdict", cells=[one.verdict for one in means], text=True),
            Column(
                head="problems that\nwould decide",
                cells=[str(one.seeds_to_decide or "–") for one in means],
            ),
            Column(head="P(better)", cells=[written(one.p_better, ".2f") for one in means]),
            *(
                Column(
                    head=label,
                    cells=[
                        _with_ends(gaps, one.by_study[label].value, one.by_study[label].interval)
                        for one in found
                    ],
                )
                for label in found[0].by_study
            ),
        ],
    )


def _print_one_setting(comparison: StudiesComparison, studies: Mapping[str, StudyFrames]) -> None:
    """What methods reach with the setting that is best on the other studies."""
    found, objective = comparison.one_setting, comparison.objective
    if not found:
        return
    from reports.comparing.wording import gaps_of

    gaps = gaps_of(objective)
    say(("One setting for all: chosen on validation of the other studies", "bold"))
    columns = [
        Column(
            head=label,
            cells=[
                _with_ends(objective, row.by_study[label].value, row.by_study[label].interval)
                for row in found
            ],
        )
        for label in found[0].by_study
    ]
    unit = f",\n{gaps.unit}" if gaps.unit else ""
    columns += [
        Column(head=f"minus\ntuned{unit}", cells=[written(row.price, gaps.shown) for row in found]),
        Column(
            head="95 % interval\nover problems", cells=[ends(row.interval, gaps) for row in found]
        ),
        Column(
            head="setting", cells=[_settings(row, comparison, studies) for row in found], text=True
        ),
    ]
    show(_key([row.title for row in found]), columns)


def _settings(
    row: OneSetting, comparison: StudiesComparison, studies: Mapping[str, StudyFrames]
) -> str:
    """What was chosen, and for which studies where that differs."""
    methods = {method.key: method for method in comparison.methods}
    said: dict[str, list[str]] = {}
    for label, one in row.by_study.items():
        method = methods[one.method]
        params = params_said(studies[label], method.results[label].row.search, one.params)
        named = params if row.title == method.title else f"{method.title} {params}"
        said.setdefault(named, []).append(label)
    if len(said) == 1:
        return next(iter(said))
    return "; ".join(f"{', '.join(labels)}: {named}" for named, labels in said.items())


def _key(titles: Sequence[str]) -> Column:
    return Column(head="method", cells=titles, text=True)


def _value(objective: Objective, result: Result | None) -> str:
    if result is None or math.isnan(result.row.value_test):
        return "–"
    value = _with_ends(objective, result.row.value_test, result.row.interval)
    return f"{value}{'' if result.is_final else _OPEN}"


def _with_ends(objective: Objective, value: float, interval: Interval | None) -> str:
    told = f" [{ends(interval, objective)}]" if interval else ""
    return f"{written(value, objective.shown)}{told}"
