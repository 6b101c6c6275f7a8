"""C8: features learned on several tasks transfer better to corrupted images."""

from typing import Final

import numpy as np

from reports.claims.claim import Claim, Effect, Finding, not_asked
from reports.claims.evidence import SECOND_SEED, listed, seeds_that_decide, undecided_yet
from reports.comparing.transfer import (
    Transfer,
    methods_said,
    not_followed_up,
    outstanding_followups,
    transfers,
)
from reports.frames import StudyFrames
from reports.inference import Estimate, Interval, mean_of
from storage.wording import counted

NAME: Final = "C8"
_STATES: Final = "Features learned on several tasks transfer better to corrupted images"
_SHOWN: Final = "+.4f"
_MOVING: Final = ("glass_blur", "zoom_blur", "elastic_transform")


def transfers_better(frames: StudyFrames) -> Claim:
    """delta_t of the winners of all methods together, and of each beside it."""
    if not frames.spec.get("followup"):
        return not_asked(NAME, _STATES, 'a [[followup]] from = "winners"')
    if n_missing := outstanding_followups(frames):
        said = f"{counted(n_missing, 'run')} of follow-ups {_have(n_missing)} not ended well"
        return undecided_yet(NAME, _STATES, said)
    found = transfers(frames)
    if not found:
        return undecided_yet(NAME, _STATES, "No method and all single tasks were followed up yet")
    if missing := not_followed_up(frames, found):
        return undecided_yet(NAME, _STATES, f"Not followed up yet: {', '.join(missing)}")
    whole = together(found)
    finding = better(whole)
    return Claim(
        name=NAME,
        states=_STATES,
        finding=finding,
        said=f"Relative loss on corrupted images, {_methods(found)} minus single-task networks "
        f"(δ, below 0 is better): {told(whole)}.",
        effects=(
            _effect("δ of all methods" if len(found) > 1 else f"δ of {found[0].title}", whole),
            *(_effect(f"δ of {one.title}", one.whole) for one in found if len(found) > 1),
        ),
        would_decide=_would_decide(whole) if finding == "undecided" else "",
        remarks=remarks(frames, found),
        runs=listed(frames, [run for one in found for run in one.runs]),
    )


def together(found: tuple[Transfer, ...]) -> Estimate:
    """The mean over methods, seed by seed: one number a seed, and so one interval."""
    by_seed = np.mean([one.by_seed.mean(axis=1) for one in found], axis=0)
    return mean_of(by_seed)


def better(whole: Estimate) -> Finding:
    """All of the interval below 0, all of it above, or undecided."""
    known = whole.interval()
    if known is None or known.low <= 0 <= known.high:
        return "undecided"
    return "supported" if known.high < 0 else "not supported"


def told(estimate: Estimate) -> str:
    """``-0.0457 (95 % interval -0.0800 to -0.0110)``."""
    return f"{shown(estimate.value)} ({_ends(estimate.interval())})"


def shown(value: float) -> str:
    """With a sign, as it is written in sentences."""
    return f"{value:{_SHOWN}}".replace("-", "−")


def remarks(frames: StudyFrames, found: tuple[Transfer, ...]) -> tuple[str, ...]:
    """What must be known beside the numbers."""
    by = dict.fromkeys(name for one in found for name in one.left_out)
    left = f"Left out, for want of a clean value other than 0: {', '.join(by)}." if by else ""
    heads = (
        "Trunks were frozen and heads trained anew on images corrupted at random; the heads of "
        "one seed are compared with those of the same seed."
    )
    kinds = {kind for one in found for kind, _ in one.conditions}
    moved = (
        f"{', '.join(kind for kind in _MOVING if kind not in kinds)} were left out: they move "
        "pixels, each of which has a target of its own."
        if frames.card.get("images") == "dense"
        else ""
    )
    return tuple(filter(None, (heads, moved, left)))


def _ends(known: Interval | None) -> str:
    if known is None:
        return "no interval"
    return f"95 % interval {shown(known.low)} to {shown(known.high)}"


def _effect(name: str, estimate: Estimate) -> Effect:
    return Effect(
        name=name, value=estimate.value, interval=estimate.interval(), unit="", shown=_SHOWN
    )


def _methods(found: tuple[Transfer, ...]) -> str:
    if len(found) == 1:
        return f"the winner of {found[0].title}"
    return f"the winners of {methods_said(found)} on average"


def _would_decide(whole: Estimate) -> str:
    if whole.n_seeds < 2:
        return SECOND_SEED
    return seeds_that_decide(whole, abs(whole.value))


def _have(n: int) -> str:
    return "has" if n == 1 else "have"
