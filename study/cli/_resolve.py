"""``plan --resolve``: seeds and trials that tell a difference of some size, and what they cost."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from storage.objectives import named, title_of
from storage.objectives.delta_m import NAME as DELTA_M
from study.api import Study
from study.cli._forecast import between, to_plain
from study.cli._frames import opened
from study.cli._output import counted, duration, note, say
from study.cli._wide import Column, show
from study.deciding.forecast import Forecast
from study.errors import BadSpec, UnknownStudyName
from study.planning.plan import Plan, make_plan
from study.spec.study_spec import parse

if TYPE_CHECKING:
    from reports.comparing.resolving import Needs
    from storage.objectives import Objective
    from study.running.forecasting import Known


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """What it takes, by a pilot.

    Attributes:
        seeds: Of a study that resolves the difference for a typical pair; None: above 10,000.
        ahead: What such a study takes yet.
    """

    needs: Needs
    seeds: Sequence[int] | None
    ahead: Forecast | None

    def to_plain(self, *, workers: int) -> dict[str, Any]:
        """JSON-ready values."""
        return {
            **self.needs.to_plain(),
            "seed_list": self.seeds,
            "forecast": self.ahead and to_plain(self.ahead, workers=workers),
        }


def pilot_needs(study: Study, half_width: float, *, pilot: str, storage: str) -> Needs:
    """What it takes to resolve a difference, by the variance components of a pilot.

    Args:
        half_width: To be resolved, in the objective's unit.
        pilot: A stored study of the same problem and objective: this one, or one like it.

    Raises:
        BadSpec: The half-width is none, or the pilot's objective is another one.
        StudyError: The pilot is not there, or does not tell it.
    """
    from reports.comparing.resolving import needs

    if not 0 < half_width < math.inf:
        raise BadSpec(
            "--resolve takes a difference above 0, in the objective's unit (of Δm, points). "
            f"Got {half_width:g}. Write it like --resolve 1.0."
        )
    try:
        with opened(pilot, storage) as frames:
            mine = named(study.plan.spec.objective)[0]
            theirs = named(frames.spec.get("objective"))[0]
            if mine != theirs:
                raise BadSpec(
                    f"A pilot has the study's objective. {study.name} goes by {title_of(mine)}, "
                    f"{frames.name} by {title_of(theirs)}. Name another one with --like."
                )
            return needs(frames, half_width)
    except UnknownStudyName as error:
        raise UnknownStudyName(
            f"--resolve goes by a pilot: runs that have ended, and {pilot} has not been started in "
            "this database. Run it on a few seeds first, or name a study like it with --like."
        ) from error


def resolved(study: Study, needs: Needs, known: Known, *, device: str) -> Resolved:
    """What a study of so many seeds costs.

    Args:
        known: What was timed of the study.
    """
    n_seeds = needs.typical.seeds.value
    if n_seeds is None:
        return Resolved(needs=needs, seeds=None, ahead=None)
    seeds = _extended(study.plan.spec.seeds, n_seeds)
    plan = version(study, {"seeds": seeds})
    return Resolved(needs=needs, seeds=seeds, ahead=known.forecast(plan, device=device))


def version(study: Study, changes: Mapping[str, Any]) -> Plan:
    """The plan of a study with some of its spec changed."""
    plan = study.plan
    spec = parse({**plan.spec.to_plain(), **changes}, source=f"of {study.name}, changed")
    return make_plan(spec, folder=plan.problem.folder)


def _extended(seeds: Sequence[int], n_seeds: int) -> list[int]:
    """At least so many: those there are, and the smallest numbers that are free."""
    free = (number for number in range(n_seeds) if number not in seeds)
    return [*seeds, *free][: max(n_seeds, len(seeds))]


def show_resolved(found: Resolved, *, n_seeds: int) -> None:
    """Seeds, trials and cost in words.

    Args:
        n_seeds: Of the study as it is.
    """
    needs = found.needs
    size = _size(needs.objective, needs.half_width)
    typical, hardest = needs.typical, needs.hardest
    now = _size(needs.objective, needs.half_width_at(needs.n_seeds))
    say(
        ("resolve:", "bold"),
        f" {typical.seeds.said} seeds tell two methods apart to ±{size} (95 %, one comparison; the "
        f"pair in the middle, {typical.a} and {typical.b}), {hardest.seeds.said} every pair, by "
        f"{needs.n_seeds} seeds of {needs.pilot}, which tell ±{now}. In brackets: what the spread "
        "of so few seeds leaves open. Several comparisons at once (Holm) take more",
    )
    show(
        Column(head="method", cells=[one.title for one in needs.trials], text=True),
        [
            Column(head="trials tried", cells=[f"{one.of:g}" for one in needs.trials]),
            Column(
                head=f"trials until within\n{size} of its end",
                cells=[f"{one.trials:g}" for one in needs.trials],
            ),
        ],
    )
    _say_cost(found, n_seeds)


def _say_cost(found: Resolved, n_seeds: int) -> None:
    if found.seeds is None:
        note("Seeds will not do it: take a larger difference, or methods that vary less.")
        return
    more = len(found.seeds) - n_seeds
    if more <= 0:
        say(f"{counted(n_seeds, 'seed')} of the spec are enough for that pair")
        return
    cost = ""
    if found.ahead is not None and found.ahead.left_s is not None:
        left_s = found.ahead.left_s
        cost = f"; {duration(left_s.value)}{between(left_s)} of device time are then left to run"
    say(f"{counted(more, 'more seed')} in the spec{cost}:")
    say(f"    seeds = {list(found.seeds)}")


def margin_note(study: Study, needs: Needs) -> str:
    """That the seeds of a spec cannot resolve its margin; empty where they can."""
    spec, objective = study.plan.spec, needs.objective
    half_width = needs.half_width_at(len(spec.seeds))
    if objective.name != DELTA_M or half_width <= spec.compare.margin:
        return ""
    known = "nothing tells" if math.isinf(half_width) else f"tell ±{_size(objective, half_width)}"
    return (
        f"The margin is {spec.compare.margin:g}, and {counted(len(spec.seeds), 'seed')} {known} "
        f"between two methods (95 %, the pair in the middle, by {needs.pilot}): what lies within "
        "the margin will be undecided. `--resolve` says how many seeds it takes."
    )


def sized(needs: Needs, value: float) -> str:
    """A difference in the pilot's unit."""
    return _size(needs.objective, value)


def _size(objective: Objective, value: float) -> str:
    from reports.comparing.wording import gaps_of

    unit = gaps_of(objective).unit
    said = f"{value:.2g}"
    return f"{said} {'point' if (said, unit) == ('1', 'points') else unit}".rstrip()
