"""What `plan` tells beforehand: a forecast, what is unfair by construction, what was asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from study.api import Study
from study.cli._fitting import Fitting, fitting, show_fitting
from study.cli._forecast import show_forecast, to_plain
from study.cli._output import note
from study.cli._resolve import Resolved, margin_note, pilot_needs, resolved, show_resolved
from study.deciding.forecast import Forecast
from study.errors import StudyError
from study.planning.fair_play import unfair
from study.running.forecasting import known_of

if TYPE_CHECKING:
    from reports.comparing.resolving import Needs
    from study.planning.packs import PackPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of a plan.

    Attributes:
        like: A study of the same problem, for its timings and as a pilot.
        resolve: Difference to be resolved, in the objective's unit.
        budget: What is to be spent at most, as it was typed.
    """

    like: str | None
    resolve: float | None
    budget: str | None
    storage: str
    device: str
    workers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """Answers, as far as there are any."""

    question: Question
    forecast: Forecast
    unfair: list[str]
    resolved: Resolved | None
    fitting: Fitting | None

    def to_plain(self) -> dict[str, Any]:
        """JSON-ready values."""
        workers = self.question.workers
        return {
            "forecast": to_plain(self.forecast, workers=workers),
            "unfair": self.unfair,
            "resolve": self.resolved and self.resolved.to_plain(workers=workers),
            "budget": self.fitting and self.fitting.to_plain(),
        }


def look_ahead(study: Study, packs: PackPlan, question: Question) -> Ahead:
    """Answer what is asked of a plan.

    Raises:
        StudyError: It makes no sense, or the study that `like` names does not tell it.
    """
    device = question.device
    known = known_of(study.plan, packs, storage=question.storage, device=device, like=question.like)
    unequal, answer, fits = unfair(study.plan), None, None
    pilot = _pilot(study, question)
    if pilot is not None and (coarse := margin_note(study, pilot)):
        unequal.append(coarse)
    if pilot is not None and question.resolve is not None:
        answer = resolved(study, pilot, known, device=device)
    if question.budget is not None:
        fits = fitting(study, question.budget, known, pilot, device=device)
    return Ahead(
        question=question,
        forecast=known.forecast(study.plan, device=device),
        unfair=unequal,
        resolved=answer,
        fitting=fits,
    )


def _pilot(study: Study, question: Question) -> Needs | None:
    """What a pilot tells; None where none is asked for, or it tells times only."""
    named, storage = question.like or study.name, question.storage
    if question.resolve is not None:
        return pilot_needs(study, question.resolve, pilot=named, storage=storage)
    if question.like is None and question.budget is None:
        return None
    try:
        return pilot_needs(study, study.plan.spec.compare.margin, pilot=named, storage=storage)
    except StudyError:  # it may have one seed, be sealed, or not be there
        return None


def show_ahead(ahead: Ahead, study: Study) -> None:
    """All of it in words."""
    show_forecast(ahead.forecast, workers=ahead.question.workers)
    like = ahead.question.like
    if like is not None and not ahead.forecast.rests_on_others:
        note(
            f"--like {like}: none of its packs count here. It has trained none on this kind of "
            "device, or this study's own tell more, or its steps are of another shape: batch "
            "sizes, optimiser, `clip_norm`, threads and precision of [training] must agree."
        )
    for sentence in ahead.unfair:
        note(sentence)
    if ahead.resolved is not None:
        show_resolved(ahead.resolved, n_seeds=len(study.plan.spec.seeds))
    if ahead.fitting is not None:
        show_fitting(ahead.fitting)
