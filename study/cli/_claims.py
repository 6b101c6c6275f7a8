"""``weighbridge claims``: what studies say to the claims of their field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.padding import Padding

from study.cli._estimators import estimators
from study.cli._frames import opened_all, placed
from study.cli._options import STORAGE, AsJson, StorageUrl
from study.cli._output import console, json_alone, next_step, print_json, say, styled
from study.errors import NetworkMissing

if TYPE_CHECKING:
    from reports import StudyFrames
    from reports.claims import Claim, Sized

NAME = "claims"
_STYLES: Final = {"supported": "green", "not supported": "red", "undecided": "yellow"}


def command(
    studies: Annotated[
        list[str],
        typer.Argument(
            metavar="STUDY",
            help="Stored studies, of another database as DATABASE::STUDY; several, of networks of "
            "different sizes, for C3.",
        ),
    ],
    storage: StorageUrl = STORAGE,
    as_json: AsJson = False,
) -> None:
    """Say what studies find of each claim: supported, not supported, undecided, or not asked.

    With the effect and its interval, the runs it rests on, and what would decide. C1 and C2: is
    UW-SO comparable to Scalarization, and better than what tunes nothing? C3: do larger networks
    care less? C4: does weight decay matter less than the learning rate? C5: does sharing gain?
    C6: does Adam dominate SGD at equal trials?
    C7: do gradients of tasks conflict no more than those of samples?
    C8: do features learned together transfer better to corrupted images?
    C9: do UW and UW-SO turn noisy labels down?
    """
    from reports.across import check_distinct
    from reports.claims import claims_of, in_order, size_matters

    words = list(dict.fromkeys(studies))
    urls = [placed(word, storage=storage)[1] for word in words]
    with json_alone(as_json), opened_all(words, storage) as frames:
        check_distinct(frames)
        found = {label: claims_of(one, estimators) for label, one in frames.items()}
        sizes = size_matters(
            [
                _sized(one, url, count=len(frames) > 2)
                for one, url in zip(frames.values(), urls, strict=True)
            ]
        )
    if as_json:
        print_json(
            "claims",
            {
                "studies": {
                    name: [claim.to_plain() for claim in claims] for name, claims in found.items()
                },
                "together": [sizes.to_plain()],
            },
        )
        return
    if len(found) == 1:
        found = {name: in_order(*claims, sizes) for name, claims in found.items()}
    else:
        found[", ".join(found)] = (sizes,)
    for name, claims in found.items():
        if len(found) > 1:
            say((name, "bold underline"))
        for claim in claims:
            _print(claim)
    next_step("compare", words[0], storage=storage)


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
    for sentence in claim.sentences:
        console.print(Padding(styled(sentence), (0, 0, 0, 3), expand=False))
    console.print()
