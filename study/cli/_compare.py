"""``weighbridge compare``: the comparison table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Final

import typer

from storage.objectives.delta_m import NAME as DELTA_M
from study.cli._budgets import show_budgets
from study.cli._cells import ends, params_said, written
from study.cli._compare_studies import show_studies
from study.cli._details import show_details
from study.cli._frames import named_each, opened, placed
from study.cli._front import show_front
from study.cli._optimizers import show_optimizers
from study.cli._options import STORAGE, AsJson, StorageUrl, Studies
from study.cli._output import duration, next_step, note, print_json, say
from study.cli._trials import show_trials
from study.cli._wide import Column, fits, show

if TYPE_CHECKING:
    from reports import Comparison, MethodRow, StudyFrames
    from reports.comparing.differences import Difference

NAME = "compare"
_ALL: Final[list[str]] = []
_CHARGED: Final = (
    "cost: what methods are charged with, for start-up, training and validation of their planned "
    "runs; `status` has all that was paid"
)


def command(
    studies: Studies,
    storage: StorageUrl = STORAGE,
    at: Annotated[
        list[str],
        typer.Option(
            metavar="BUDGET",
            help="Compare what methods reach with so much instead: 600s, 8h, 200epochs, 30runs, "
            "2Tflops, 1kWh, 5money; `full` for what each search has cost. Several of one unit.",
        ),
    ] = _ALL,
    as_run: Annotated[
        bool, typer.Option("--as-run", help="Time of --at is that in packs, not of runs alone.")
    ] = False,
    details: Annotated[
        bool,
        typer.Option(
            "--details",
            help="With what each metric adds, who is ahead in other readings, and what tuning was "
            "worth.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Compare the methods: quality, cost, winning parameters, fair-play notes.

    Of several studies: values side by side, mean ranks, differences over problems, and what sets
    the studies apart.
    """
    studies = named_each(studies, storage=storage)
    if as_run and not at:
        raise typer.BadParameter(
            "--as-run says which time --at means. Add --at, such as --at 600s."
        )
    if details and at:
        raise typer.BadParameter(
            "--details goes with whole searches. Leave out --at, or --details."
        )
    if studies[1:]:
        if at or details:
            raise typer.BadParameter("--at and --details look into one study. Leave them out.")
        show_studies(studies, storage=storage, as_json=as_json)
        return
    study, storage = placed(studies[0], storage=storage)
    with opened(study, storage) as frames:
        if at:
            show_budgets(frames, at, storage=storage, as_run=as_run, as_json=as_json)
            return
        if frames.of_function:
            if details:
                raise typer.BadParameter(
                    f"--details is about methods, and {frames.name} is a study of a training "
                    "function. Leave it out for its trials."
                )
            show_trials(frames, storage=storage, as_json=as_json)
            return
        _show(frames, storage=storage, details=details, as_json=as_json)


def _show(frames: StudyFrames, *, storage: str, details: bool, as_json: bool) -> None:
    """Print the comparison of one study's methods."""
    from reports import compare, fair_play_notes, merged

    comparison = compare(frames)
    if as_json:
        print_json("compare.methods", {"study": frames.name, **comparison.to_plain()})
        return
    say((comparison.sentence, "bold"))
    for claim in (comparison.sparser_grids, comparison.break_even):
        if claim:
            say(claim.sentence)
    for sentence in comparison.caveats:
        say(sentence)
    _print_rows(frames, comparison)
    show_front(frames)
    if comparison.optimizers:
        show_optimizers(frames, comparison.optimizers)
    _print_differences(comparison)
    if details:
        show_details(frames, comparison)
    for row in comparison.rows:
        for remark in row.notes:
            note(f"{row.title}: {remark}")
    for sentence in comparison.error_sources:
        note(sentence)
    for found in merged(fair_play_notes(frames)):
        about = f"{', '.join(found.about)}: " if found.about else ""
        note(f"{about}{found.text}")
    next_step("report", frames.name, "-o", "report.html", storage=storage)


def _print_rows(frames: StudyFrames, comparison: Comparison) -> None:
    """One table if it fits; else the metrics of the tasks come in tables of their own."""
    from reports._selected import untested

    rows, apart = comparison.rows, untested(frames)
    key = Column(head="method", cells=[row.title for row in rows], text=True)
    score = _scores(comparison)
    metrics = [
        Column(
            head=f"{'validation' if (metric.task, metric.name) in apart else metric.task}\n"
            f"{metric.name} {_arrow(metric.direction)}",
            cells=_of_metric(rows, (metric.task, metric.name)),
        )
        for metric in frames.metrics
        if not frames.sealed
    ]
    effort = [
        Column(head="trials", cells=[str(row.n_trials) for row in rows]),
        Column(head="runs", cells=[str(row.n_runs) for row in rows]),
        *_costs(frames, rows),
        Column(
            head="winner",
            cells=[params_said(frames, row.search, row.params) for row in rows],
            text=True,
        ),
    ]
    if fits([key, *score, *metrics, *effort]):
        show(key, [*score, *metrics, *effort])
    else:
        show(key, [*score, *effort])
        show(key, metrics)
    say((_CHARGED, "dim"))


def _of_metric(rows: Sequence[MethodRow], key: tuple[str, str]) -> list[str]:
    """A metric of all methods, with four decimals, or more digits where it is small."""
    from reports._digits import format_of

    values = [row.metrics.get(key, math.nan) for row in rows]
    small = max(map(abs, filter(math.isfinite, values)), default=1.0) < 0.01
    shown = format_of(values) if small else ".4f"
    return [written(value, shown) for value in values]


def _print_differences(comparison: Comparison) -> None:
    """The method that the sentence is about against each other one."""
    found = comparison.differences
    if not found:
        return
    from reports.comparing.wording import gaps_of

    gaps = gaps_of(comparison.objective)
    titles = {row.search: row.title for row in comparison.rows}
    subject = titles[found[0].a]
    side = "negative" if comparison.objective.sign > 0 else "positive"
    unit = f", in {gaps.unit}" if gaps.unit else ""
    margin = "" if found[0].margin is None else f"; the margin is {found[0].margin:g}"
    family = max(one.n_compared for one in found)
    wide = f"; intervals for {family} comparisons at once, after Holm" if family > 1 else ""
    head = f"{subject} minus each other method, on test{unit}"
    say((f"{head} ({side}: {subject} is better{margin}{wide})", "bold"))
    show(
        Column(head=f"{subject} against", cells=[titles[one.b] for one in found], text=True),
        [
            Column(head="difference", cells=[written(one.value, gaps.shown) for one in found]),
            Column(head="95 % interval", cells=[ends(one.interval, gaps) for one in found]),
            Column(head="verdict", cells=[one.verdict for one in found], text=True),
            Column(
                head="seeds that\nwould decide",
                cells=["" if one.verdict != "undecided" else _seeds(one) for one in found],
            ),
            Column(head="P(better)", cells=[written(one.p_better, ".2f") for one in found]),
        ],
    )


def _seeds(found: Difference) -> str:
    if found.interval is None:
        return "–"
    return "> 10,000" if found.seeds_to_decide is None else str(found.seeds_to_decide)


def _scores(comparison: Comparison) -> list[Column]:
    """What methods are ranked by, what that rests on, and delta_m beside it if there is one."""
    rows, objective = comparison.rows, comparison.objective
    delta_m = Column(head="Δm test", cells=[written(row.delta_m_test, "+.2f", "%") for row in rows])
    reach = Column(head="95 % interval", cells=[ends(row.interval, objective) for row in rows])
    kind = Column(head="value is", cells=[row.delta_m_kind for row in rows], text=True)
    if objective.name == DELTA_M:
        return [delta_m, reach, kind]
    value = Column(
        head=f"{objective.title}\ntest {_arrow(objective.direction)}",
        cells=[written(row.value_test, objective.shown, objective.unit) for row in rows],
    )
    return [value, reach, kind, *([delta_m] if comparison.against_stl else [])]


def _costs(frames: StudyFrames, rows: tuple[MethodRow, ...]) -> list[Column]:
    as_run = Column(head="cost as run", cells=[duration(row.cost_as_run_s) for row in rows])
    alone = [duration(row.cost_solo_s) for row in rows]
    fresh = Column(head="confirming", cells=[duration(row.confirm_solo_s) for row in rows])
    confirming = [fresh] if any(row.confirm_solo_s for row in rows) else []
    if frames.packed:
        return [Column(head="cost alone", cells=alone), as_run, *confirming]
    return [Column(head="cost", cells=alone), *confirming]


def _arrow(direction: str) -> str:
    return "↓" if direction == "min" else "↑"
