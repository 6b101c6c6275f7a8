"""``weighbridge claims``: what a study says to the claims of its field."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from study.cli._frames import opened
from study.cli._options import STORAGE, AsJson, StorageUrl, Study
from study.cli._output import console, next_step, print_json, say, styled

if TYPE_CHECKING:
    from reports.claims import Claim

NAME = "claims"
_STYLES: Final = {"supported": "green", "not supported": "red", "undecided": "yellow"}
_MOST_RUNS: Final = 40


def command(study: Study, storage: StorageUrl = STORAGE, as_json: AsJson = False) -> None:
    """Say what a study finds of each claim: supported, not supported, undecided, or not asked.

    With the effect and its interval, the runs it rests on, and what would decide.
    """
    from reports.claims import claims_of

    with opened(study, storage) as frames:
        found = claims_of(frames)
        if as_json:
            print_json({"study": frames.name, "claims": [claim.to_plain() for claim in found]})
            return
        for claim in found:
            _print(claim)
        next_step("compare", frames.name, storage=storage)


def _print(claim: Claim) -> None:
    style = _STYLES.get(claim.finding, "dim")
    say((claim.name, "bold"), " ", (claim.finding, f"bold {style}"), f": {claim.states}.")
    rests = [f"Rests on runs {_ranges(runs)} of {study}." for study, runs in claim.runs.items()]
    decides = [f"Would decide it: {claim.would_decide}."] if claim.would_decide else []
    for sentence in (claim.said, *decides, *claim.remarks, *rests):
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
