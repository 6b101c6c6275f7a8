"""A study as a notebook shows it: HTML without script or style, that opens anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from storage import without_password
from storage.wording import counted
from study.planning.plan import Plan


def notebook_html(plan: Plan, *, storage: str) -> str:
    """The study's question as a row a search, and where its results are."""
    spec = plan.spec
    problem = spec.problem or (spec.function.target if spec.function else "")
    seeds = f"{counted(len(spec.seeds), 'seed')} ({', '.join(map(str, spec.seeds))})"
    head = f"Study <b>{escape(spec.name)}</b> on {escape(problem)}: {seeds}, about "
    rows = [
        (
            search.name,
            search.title or search.weighting,
            ", then ".join(
                f"{stage.label} over {', '.join(stage.tuned)}" if stage.tuned else stage.label
                for stage in search.stages
            ),
            str(search.expected_trials),
        )
        for search in plan.searches
    ]
    heads = ("search", "weighting", "stages", "trials expected")
    body = "\n".join(f"<tr>{_cells('td', row)}</tr>" for row in rows)
    return (
        f"<p>{head}{counted(plan.expected_runs, 'run')}, "
        f"in {escape(without_password(storage))}.</p>\n"
        f"<table>\n<thead><tr>{_cells('th', heads)}</tr></thead>\n<tbody>\n{body}\n</tbody>\n"
        "</table>"
    )


def _cells(name: str, texts: Sequence[str]) -> str:
    return "".join(f"<{name}>{escape(text)}</{name}>" for text in texts)
