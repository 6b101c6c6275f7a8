"""What a round's trials are worth at a rung, and what becomes of their runs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from storage import RunState
from storage.objectives import Objective
from storage.objectives.task_metric import primary
from storage.records import Baseline, RunOutcome, Verdict
from storage.scoring import Selection, mean, select
from storage.wording import counted
from study.deciding.breeding import Breed, Member
from study.deciding.rungs import AtRung, Judge
from study.deciding.trials import to_point
from study.planning.packs import pack_key_of
from study.planning.plan import Plan
from study.planning.search_plan import Search
from study.spec.stopping import OptunaRule, PatienceRule, PopulationRule, StopRule, pruned

if TYPE_CHECKING:
    from storage import Storage
    from study.searches.optuna_pruners import Fate


class RungJudge:
    """Judges rungs of one study under one baseline.

    Args:
        baseline: The final one; None as long as there is none, and rules need none.
    """

    def __init__(
        self,
        plan: Plan,
        storage: Storage,
        selection: Selection,
        baseline: Baseline | None,
    ) -> None:
        self._plan, self._storage, self._selection = plan, storage, selection
        self._baseline = baseline
        # An asynchronous rule looks at the same runs again and again, one trial more each time.
        self._known: dict[tuple[int, int, bool], list[float]] = {}
        self._curves: dict[tuple[int, int], list[float]] = {}

    def verdicts(self, search: Search, judge: Judge) -> list[Verdict]:
        """One for each run that is paused at the rung."""
        worse: frozenset[int] = frozenset()
        n_seen = 0
        if isinstance(judge.rule, PatienceRule):
            pass  # each run is asked by itself
        elif isinstance(judge.rule, PopulationRule):
            worse = frozenset(judge.replaced)
        elif isinstance(judge.rule, OptunaRule):
            if judge.needs_values:
                worse = self._by_pruner(search, judge.rule, judge)
        elif judge.rule is not None and judge.needs_values:
            values = self._values(search, judge.rule, judge)
            worse, n_seen = pruned(judge.rule, values), len(values)
        further = judge.next_rung or self._plan.training.epochs
        found = []
        for at_rung in judge.trials:
            why = self._why(search, judge, at_rung, worse, n_seen)
            for run in at_rung.paused:
                ends = not why and self._has_no_patience(search, judge, run)
                until = judge.rung if ends else further
                key = pack_key_of(
                    self._plan,
                    search,
                    seed=run.seed,
                    first=judge.rung,
                    last=until,
                    point=to_point(run.params),
                )
                found.append(
                    Verdict(run=run.run, token=run.token, until_epoch=until, pack_key=key)
                    if not why
                    else Verdict(run=run.run, token=run.token, reason=why)
                )
        return found

    def values_of(self, search: Search, breed: Breed) -> dict[int, float]:
        """Seed means of a population's members at the rung's own epoch, lower is better.

        A child goes on from there: what a parent was worth before is gone.
        """
        sign = search.objective.sign
        return {
            member.trial: sign * mean([self._last(search, breed, m, member) for m in member.runs])
            for member in breed.members
        }

    def _last(self, search: Search, breed: Breed, run: RunOutcome, member: Member) -> float:
        n_own = breed.rung - member.born  # its parents' epochs are theirs
        (curve,) = self._curves_of(search, breed.rule, run.run, n_own)
        return curve[-1]

    def _why(
        self,
        search: Search,
        judge: Judge,
        at_rung: AtRung,
        worse: Collection[int],
        n_seen: int,
    ) -> str:
        """Why a trial is pruned; empty if it goes on."""
        if at_rung.standing == "prune":
            return (
                f"Pruned at epoch {judge.rung}: another seed of its trial diverged or was pruned."
            )
        if at_rung.standing == "keep" or at_rung.trial not in worse or judge.rule is None:
            return ""
        if isinstance(judge.rule, PopulationRule):
            child = judge.replaced[at_rung.trial]
            return f"Pruned at epoch {judge.rung} by the rule pbt: trial {child} is in its place."
        under = ""
        if self._baseline is not None and search.needs_baseline(judge.rule):
            under = f" under baseline {self._baseline.hash[:12]}"
        among = (
            f" among {counted(n_seen, 'trial')} that had been there"
            if judge.rule.asynchronous
            else ""
        )
        return f"Pruned at epoch {judge.rung} by {judge.rule.by}{among}{under}."

    def _has_no_patience(self, search: Search, judge: Judge, run: RunOutcome) -> bool:
        """Whether a run ends here, as done: it has not become better for too long."""
        rule = judge.rule
        if not isinstance(rule, PatienceRule) or judge.rung not in rule.rungs:
            return False
        (curve,) = self._curves_of(search, rule, run.run, judge.rung)
        return rule.ends(curve, lower=search.objective.direction == "min")

    def _by_pruner(self, search: Search, rule: OptunaRule, judge: Judge) -> frozenset[int]:
        """Trials that a pruner of Optuna ends here."""
        from study.searches.optuna_pruners import Climb, pruned_by

        before = [
            Climb(trial=trial, values=self._climbed(search, rule, runs), fate=_fate(runs))
            for trial, runs in judge.earlier.items()
        ]
        here = [
            Climb(
                trial=at_rung.trial,
                values=self._climbed(search, rule, _told(at_rung), judge.rung),
                fate=_fate_at(at_rung, judge.rung),
            )
            for at_rung in judge.trials
        ]
        lower = search.objective.direction == "min"
        return pruned_by(rule.rule, [*before, *here], rungs=rule.rungs, lower=lower)

    def _climbed(
        self, search: Search, rule: StopRule, runs: Sequence[RunOutcome], rung: int | None = None
    ) -> list[float]:
        """``[E]`` seed means of the objective at the epochs that all the runs have had."""
        curves = []
        for run in runs:
            name = (run.run, rung or run.until_epoch)
            if name not in self._curves:
                (self._curves[name],) = self._curves_of(search, rule, *name)
            curves.append(self._curves[name])
        return [mean(column) for column in zip(*curves, strict=False)]

    def _values(self, search: Search, rule: StopRule, judge: Judge) -> dict[int, list[float]]:
        """Seed means of each trial that can be compared, lower is better."""
        values = {}
        for at_rung in judge.trials:
            if at_rung.measured:
                of_runs = [
                    self._of_run(search, rule, run.run, judge.rung) for run in at_rung.measured
                ]
                values[at_rung.trial] = [mean(column) for column in zip(*of_runs, strict=True)]
        return values

    def _of_run(self, search: Search, rule: StopRule, run: int, rung: int) -> list[float]:
        """What a run is worth by its epochs up to the rung: one value, or one a task."""
        name = (run, rung, rule.by_task)
        if name not in self._known:
            self._known[name] = self._looked_up(search, rule, run, rung)
        return self._known[name]

    def _looked_up(self, search: Search, rule: StopRule, run: int, rung: int) -> list[float]:
        """Lower is better."""
        found = []
        curves = self._curves_of(search, rule, run, rung)
        for objective, curve in zip(self._objectives(search, rule), curves, strict=True):
            lower = objective.direction == "min"
            # the epoch that would count if training ended here
            score = select(curve, curve, selection=self._selection, lower=lower)
            found.append(objective.sign * score.validation)
        return found

    def _curves_of(
        self, search: Search, rule: StopRule, run: int, rung: int
    ) -> Iterator[list[float]]:
        """``[E]`` of each objective up to a rung."""
        table = self._storage.run_table(run)
        for objective in self._objectives(search, rule):
            of_split = table[objective.split]
            until_rung = {name: values[:rung] for name, values in of_split.items()}
            under = None
            if objective.needs_baseline and self._baseline is not None:
                under = self._baseline.on(objective.split)
            # a run that was lost before its first epoch has no values
            yield objective.curve(until_rung, under) if until_rung else []

    def _objectives(self, search: Search, rule: StopRule) -> Sequence[Objective]:
        """What a rule looks at: what the search is ranked by, or its tasks one by one."""
        if not rule.by_task:
            return [search.objective]
        return [primary(task, self._plan.metrics) for task in search.tasks]


def _told(at_rung: AtRung) -> Sequence[RunOutcome]:
    """Runs whose epochs a pruner is told: of a trial that was pruned on the way, up to there."""
    if at_rung.measured or _fate(at_rung.runs) != "prune":
        return at_rung.measured
    return [run for run in at_rung.runs if run.state is RunState.PRUNED]


def _fate_at(at_rung: AtRung, rung: int) -> Fate | None:
    """What became of a trial by a rung; None where that is asked now."""
    if at_rung.measured and at_rung.standing != "prune":
        return at_rung.standing
    if _fate(at_rung.runs) != "prune":
        return "lost"
    # one that was pruned beyond the rung went on at it
    return "keep" if any(run.until_epoch > rung for run in at_rung.runs) else "prune"


def _fate(runs: Sequence[RunOutcome]) -> Fate:
    """What became of a trial whose runs have ended."""
    states = {run.state for run in runs}
    if states & {RunState.DIVERGED, RunState.FAILED}:
        return "lost"
    return "prune" if RunState.PRUNED in states else "keep"
