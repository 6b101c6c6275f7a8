"""``weighbridge claims``: what studies say to the claims of their field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from study.cli._frames import opened
from study.cli._options import STORAGE, AsJson, StorageUrl
from study.cli._output import console, next_step, print_json, say, styled
from study.errors import NetworkMissing

if TYPE_CHECKING:
    from reports import StudyFrames
    from reports.claims import Claim, Sized

NAME = "claims"
_STYLES: Final = {"supported": "green", "not supported": "red", "undecided": "yellow"}
_MOST_RUNS: Final = 40


def command(
    studies: Annotated[
        list[str],
        typer.Argument(
            metavar="STUDY...",
            help="Stored studies; several, of networks of different sizes, for C3.",
        ),
    ],
    storage: StorageUrl = STORAGE,
    as_json: AsJson = False,
) -> None:
    """Say what studies find of each claim: supported, not supported, undecided, or not asked.

    With the effect and its interval, the runs it rests on, and what would decide. C1 and C2: is
    UW-SO comparable to Scalarization, and better than what tunes nothing? C3: do larger networks
    care less? C4: does weight decay matter less than the learning rate? C5: does sharing gain?
    """
    from reports.claims import claims_of, size_matters

    with ExitStack() as stack:
        frames = [stack.enter_context(opened(name, storage)) for name in dict.fromkeys(studies)]
        found = {one.name: claims_of(one, _estimators) for one in frames}
        sizes = size_matters([_sized(one, storage, count=len(frames) > 2) for one in frames])
    if as_json:
        print_json(
            {
                "studies": {
                    name: [claim.to_plain() for claim in claims] for name, claims in found.items()
                },
                "together": [sizes.to_plain()],
            }
        )
        return
    if len(found) == 1:
        found = {name: _in_order(*claims, sizes) for name, claims in found.items()}
    else:
        found[", ".join(found)] = (sizes,)
    for name, claims in found.items():
        if len(found) > 1:
            say((name, "bold underline"))
        for claim in claims:
            _print(claim)
    next_step("compare", frames[0].name, storage=storage)


def _estimators(
    points: Sequence[Mapping[str, Any]], values: Sequence[float]
) -> Mapping[str, Mapping[str, float]]:
    """Importances of Optuna, which loads with them."""
    from study.searches.importances import importances

    return importances(points, values)


def _in_order(*claims: Claim) -> tuple[Claim, ...]:
    return tuple(sorted(claims, key=lambda claim: int(claim.name.removeprefix("C"))))


def _sized(frames: StudyFrames, storage: str, *, count: bool) -> Sized:
    """A study with the size of its network, which is built to be counted, or left untold."""
    from reports.claims import Sized

    return Sized(frames=frames, n_parameters=_n_parameters(frames.name, storage) if count else None)


def _n_parameters(study: str, storage: str) -> int | None:
    from study.api import Study
    from trainers.network import count_parameters
    from trainers.parts import Marked, described
    from trainers.problems import build

    problem = build(Study.open(study, storage=storage).plan.problem)
    try:
        return count_parameters(Marked(problem))
    except Exception as error:  # a user's network may raise anything
        raise NetworkMissing(
            f"Networks of several sizes must be built to count their parameters, and that of "
            f"{study} cannot be: {described(error)}. Mend it, or leave the study out."
        ) from error


def _print(claim: Claim) -> None:
    style = _STYLES.get(claim.finding, "dim")
    say((claim.name, "bold"), " ", (claim.finding, f"bold {style}"), f": {claim.states}.")
    rests = [f"Rests on runs {_ranges(runs)} of {study}." for study, runs in claim.runs.items()]
    decides = [f"Would decide it: {claim.would_decide}."] if claim.would_decide else []
    explained = [f"What explains it: {one.sentence}" for one in claim.importances]
    for sentence in (claim.said, *decides, *claim.remarks, *explained, *rests):
        console.print(styled(f"   {sentence}"))
    console.print()


def _ranges(runs: tuple[int, ...]) -> str:
    """``3 to 5, 9``: numbers of runs, those in a row in short."""
    rows = [
        [run for _, run in group]
        for _, group in groupby(enumerate(runs), key=lambda at: at[1] - at[0])
    ]
    said = [str(row[0]) if len(row) == 1 else f"{row[0]} to {row[-1]}" for row in rows]
    more = len(said) - _MOST_RUNS
    return ", ".join(said[:_MOST_RUNS]) + (f" and {more} more (--json has all)" if more > 0 else "")
