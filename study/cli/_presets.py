"""``weighbridge presets``: what is shipped."""

from __future__ import annotations

from study.catalogue import presets
from study.cli._options import STORAGE, StorageUrl
from study.cli._output import console, next_step, table
from trainers.problems import summaries
from trainers.weightings import names, weighting

NAME = "presets"


def command(storage: StorageUrl = STORAGE) -> None:
    """List shipped studies, problems and weightings."""
    studies = table("study", "problem", "searches", title="Studies", right=("searches",))
    for name, spec in presets().items():
        n_searches = sum(len(part.weightings) for part in spec.search)
        studies.add_row(name, spec.problem, str(n_searches))
    problems = table("problem", "what it is", title="Problems")
    for name, title in summaries().items():
        problems.add_row(name, title)
    weightings = table("weighting", "title", "tuned", "paper", title="Weightings")
    for name in names():
        method = weighting(name)
        tuned = ", ".join(hyper.name for hyper in method.hypers)
        weightings.add_row(name, method.title, tuned, method.paper)
    for part in (studies, problems, weightings):
        console.print(part)
    next_step("plan", "digits", storage=storage)
