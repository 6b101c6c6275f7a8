"""A population at a rung: who gets a child in its place, and from whom (population-based training).

A child goes on from the network that its parent has at the rung, with parameters of its own, and
stands in the stage like any other trial. Who was replaced is read off the children: what has been
proposed stands, and a kill between proposing and judging changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from search_spaces import Point, canonical
from search_spaces.lineage import KEY, Origin
from search_spaces.perturbing import mutated, place_drawn
from search_spaces.written import as_written
from storage import RunState
from storage.records import Proposal, RunOutcome
from study.deciding.rungs import AtRung, Judge
from study.planning.search_plan import Stage
from study.searches import Proposals, Tried
from study.spec.stopping import PopulationRule


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A trial of a population that stands at a rung with all its runs.

    Attributes:
        born: Epochs that its parents trained before it; 0 for one of the first.
    """

    trial: int
    point: Point
    born: int
    runs: Sequence[RunOutcome]


@dataclass(frozen=True, slots=True, kw_only=True)
class Breed:
    """A population stands at a rung, and its worst have no children in their place yet.

    Attributes:
        stage: Number of the stage.
        population: The stage itself.
        round: Of the children.
        lost: Trials that have diverged on the way to the rung.
        address: Names study seed, search and stage; addresses all draws.
    """

    stage: int
    population: Stage
    rule: PopulationRule
    rung: int
    round: int
    members: Sequence[Member]
    lost: Sequence[int]
    address: str

    @property
    def needs_values(self) -> bool:
        """It goes by what the members are worth."""
        return True

    @property
    def n_children(self) -> int:
        """How many there will be."""
        return self.rule.n_replaced(len(self.members) + len(self.lost), len(self.lost))


def born(point: Point) -> int:
    """Epochs that the parents of a point's runs trained before them."""
    origin = Origin.of(point)
    return 0 if origin is None else origin.epoch


def with_children(wanted: Proposals, here: Sequence[Tried]) -> Proposals:
    """What a stage wants, and the children that stand in it."""
    bred = [(tried.round, tried.point) for tried in here if Origin.of(tried.point)]
    return replace(wanted, points=[*wanted.points, *bred]) if bred else wanted


def at_rung(judge: Judge, stage: Stage, here: Sequence[Tried], *, address: str) -> Breed | Judge:
    """What is to be done with a population at a rung: breed first, then judge.

    Args:
        judge: Of all trials that stand in the stage; those born there or later are left out.
        here: What stands in the stage.
    """
    rule, rung = judge.rule, judge.rung
    if not isinstance(rule, PopulationRule) or rung not in rule.rungs:
        return judge
    points = {tried.trial: tried.point for tried in here}
    there = [trial for trial in judge.trials if born(points[trial.trial]) < rung]
    replaced = _replaced(points, rung)
    breed = Breed(
        stage=judge.stage,
        population=stage,
        rule=rule,
        rung=rung,
        round=1 + rule.rungs.index(rung),
        members=[
            Member(
                trial=of.trial, point=points[of.trial], born=born(points[of.trial]), runs=of.runs
            )
            for of in there
            if of.standing is None
        ],
        lost=[of.trial for of in there if _is_lost(of, rung)],
        address=address,
    )
    if not replaced and breed.n_children:
        return breed
    return replace(judge, trials=there, replaced=replaced)


def children(breed: Breed, values: Mapping[int, float]) -> list[Proposal]:
    """The children of a population, in the order of those that they replace, the lost ones first.

    The lost and the worst quantile are replaced. The parent of each is drawn among the best one, as
    in Ray Tune; of equal trials the one that was proposed first is better.

    Args:
        values: What each member is worth at the rung, lower is better.
    """
    ranked = sorted(breed.members, key=lambda member: (values[member.trial], member.trial))
    n_best = max(1, breed.rule.quantile(len(breed.members) + len(breed.lost)))
    n_worst = breed.n_children - len(breed.lost)
    worst = [member.trial for member in reversed(ranked[len(ranked) - n_worst :])]
    parents = ranked[: min(n_best, len(ranked) - n_worst)]
    return [_child(breed, trial, parents) for trial in [*breed.lost, *worst]]


def _child(breed: Breed, replaced: int, parents: Sequence[Member]) -> Proposal:
    key = f"{breed.address}/{breed.rung}/{replaced}"
    parent = parents[place_drawn(len(parents), key=key)]
    rule = breed.rule
    point = mutated(
        breed.population.space,
        parent.point,
        factors=rule.perturbation_factors,
        resample_probability=rule.resample_probability,
        key=key,
    )
    point[KEY] = Origin(trial=parent.trial, epoch=breed.rung, replaces=replaced).to_value()
    return Proposal(params=canonical(point), written=as_written(point), round=breed.round)


def _replaced(points: Mapping[int, Point], rung: int) -> dict[int, int]:
    """Trial to the child that has come in its place at a rung."""
    origins = ((trial, Origin.of(point)) for trial, point in points.items())
    return {of.replaces: trial for trial, of in origins if of is not None and of.epoch == rung}


def _is_lost(at: AtRung, rung: int) -> bool:
    return any(run.state is RunState.DIVERGED and run.until_epoch == rung for run in at.runs)
