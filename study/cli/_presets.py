"""``weighbridge presets``: what is shipped."""

from __future__ import annotations

from typing import Any

from study.catalogue import presets
from study.cli._options import STORAGE, AsJson, StorageUrl
from study.cli._output import console, json_alone, next_step, note, print_json, table
from trainers.jobs import ProblemRef
from trainers.problems import summaries
from trainers.problems.checking import reads_files
from trainers.problems.files.where import VARIABLE
from trainers.weightings import names, weighting

NAME = "presets"


def command(storage: StorageUrl = STORAGE, as_json: AsJson = False) -> None:
    """List shipped studies, problems and weightings."""
    with json_alone(as_json):
        found = _plain()
    if as_json:
        print_json("presets", found)
        return
    studies = table("study", "problem", "data", "searches", title="Studies", right=("searches",))
    for one in found["studies"]:
        data = "files of yours" if one["reads_files"] else "in a package"
        studies.add_row(one["study"], one["problem"], data, str(one["n_searches"]))
    problems = table("problem", "what it is", title="Problems")
    for one in found["problems"]:
        problems.add_row(one["problem"], one["title"])
    weightings = table("weighting", "title", "tuned", "paper", title="Weightings")
    for one in found["weightings"]:
        weightings.add_row(one["weighting"], one["title"], ", ".join(one["tuned"]), one["paper"])
    for part in (studies, problems, weightings):
        console.print(part)
    note(
        f"Where files of yours are, {VARIABLE} says: /data, if they are in /data/nyuv2, "
        "/data/cityscapes and so on. `weighbridge problem check nyuv2` looks through them."
    )
    next_step("methods", why="what a step of each weighting costs, and what it needs")
    next_step("plan", "digits", storage=storage)


def _plain() -> dict[str, list[dict[str, Any]]]:
    methods = {name: weighting(name) for name in names()}
    return {
        "studies": [
            {
                "study": name,
                "problem": spec.problem,
                "reads_files": reads_files(ProblemRef(target=spec.problem or "")),
                "n_searches": sum(len(part.weightings) for part in spec.search),
            }
            for name, spec in presets().items()
        ],
        "problems": [{"problem": name, "title": title} for name, title in summaries().items()],
        "weightings": [
            {
                "weighting": name,
                "title": method.title,
                "tuned": [hyper.name for hyper in method.hypers],
                "paper": method.paper,
            }
            for name, method in methods.items()
        ],
    }
