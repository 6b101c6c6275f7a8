"""Optimisers side by side in the terminal: sentences, the best of each weighting, counts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from study.cli._cells import ends, params_said, written
from study.cli._output import say
from study.cli._wide import Column, show

if TYPE_CHECKING:
    from reports import StudyFrames
    from reports.comparing.optimizers import Optimizers


def show_optimizers(frames: StudyFrames, found: Optimizers) -> None:
    """Words first, then two tables."""
    from reports.comparing.optimizers_said import optimizers_said

    say(("Optimisers, each weighting by its best trial", "bold"))
    for sentence in optimizers_said(found):
        say(sentence)
    _show_best(frames, found)
    _show_pairs(found)


def _show_best(frames: StudyFrames, found: Optimizers) -> None:
    from reports.comparing.optimizers_said import trial_said

    rows, objective = found.rows, found.objective
    show(
        Column(head="method", cells=[row.title for row in rows], text=True),
        [
            Column(head="optimiser", cells=[row.optimizer for row in rows], text=True),
            Column(head="trials", cells=[str(row.n_trials) for row in rows]),
            Column(
                head=f"{objective.title}\ntest",
                cells=[
                    written(
                        row.best.scores.value if row.best else math.nan,
                        objective.shown,
                        objective.unit,
                    )
                    for row in rows
                ],
            ),
            Column(
                head="95 % interval",
                cells=[ends(row.best.interval if row.best else None, objective) for row in rows],
            ),
            Column(
                head="best trial",
                cells=[
                    trial_said(
                        objective,
                        row.best,
                        params_said(frames, row.best.search, row.best.params),
                    )
                    if row.best
                    else "–"
                    for row in rows
                ],
                text=True,
            ),
        ],
    )


def _show_pairs(found: Optimizers) -> None:
    from reports.comparing.optimizers_said import count, tau_said

    pairs = found.pairs
    if not pairs:
        return
    show(
        Column(head="optimisers", cells=[f"{one.a}, {one.b}" for one in pairs], text=True),
        [
            Column(head="trials\nof each", cells=[str(one.counts.n_drawn) for one in pairs]),
            *(
                Column(
                    head=head,
                    cells=[", ".join(map(count, getattr(one.counts, name))) for one in pairs],
                )
                for head, name in (
                    ("on the\njoint front", "on_front"),
                    ("not dominated\nby the other", "undominated"),
                )
            ),
            Column(
                head="Kendall's tau of rankings",
                cells=[tau_said(one.ranking) if one.ranking else "–" for one in pairs],
            ),
        ],
    )
