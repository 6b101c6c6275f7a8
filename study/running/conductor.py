"""Applies what `advance` says to the database, until every search waits or has ended."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from storage.objectives import known
from storage.objectives.delta_m import NAME as DELTA_M
from storage.records import (
    Baseline,
    BaselineValue,
    Reference,
    SearchHistory,
    SearchRecord,
    StudyRecord,
)
from storage.scoring import Selection
from study.deciding.advance import (
    AddRuns,
    Decide,
    Finished,
    NextStep,
    Propose,
    Rules,
    SearchStopped,
    WaitForBaseline,
    WaitForRuns,
    advance,
)
from study.deciding.breeding import Breed, children
from study.deciding.judging import RungJudge
from study.deciding.outlook import Outlook, outlook
from study.deciding.rungs import Judge
from study.deciding.trials import Contest, contest
from study.errors import BaselineMissing
from study.planning.baseline import (
    imported_values,
    meaningless,
    trained_values,
)
from study.planning.keys import digest
from study.planning.plan import Plan
from study.planning.search_plan import Search
from study.running.baseline_failures import missing_baseline
from study.running.initial_networks import InitialNetworks
from study.running.new_runs import new_runs, queue_rank

if TYPE_CHECKING:
    from storage import Storage


class Conductor:
    """Moves the searches of one study forward; several may work on one study at once.

    Attributes:
        steps: Last step of each search.
        outlooks: What is still to come in each search.
        contests: How the runs of each search stood when it was last looked at.
    """

    def __init__(self, plan: Plan, storage: Storage, study: StudyRecord) -> None:
        self.plan, self._storage, self._study = plan, storage, study
        records = {record.name: record for record in storage.searches(study.id)}
        self._searches: dict[int, tuple[Search, SearchRecord]] = {
            records[search.name].id: (search, records[search.name]) for search in plan.searches
        }
        self._initial = InitialNetworks(storage, study.name, self._searches, plan.spec.seeds)
        self._selection = Selection.of(plan.spec.compare.select_epoch)
        self._baseline = storage.baseline(study.id)
        self._baseline_settled = False
        self._waits_for_baseline = any(s.objective.needs_baseline for s in plan.searches)
        self.steps: dict[str, NextStep] = {}
        self.outlooks: dict[str, Outlook] = {}
        self.contests: dict[str, Contest] = {}
        self._pruned: list[int] = []
        self._judging = self._judging_under(None)

    @property
    def baseline(self) -> Baseline | None:
        """The baseline in force, the one of an earlier `run` until this one's is final."""
        return self._baseline

    @property
    def finished(self) -> bool:
        """Whether every search has ended, by its last stage or before."""
        return len(self.steps) == len(self._searches) and all(
            isinstance(step, Finished | SearchStopped) for step in self.steps.values()
        )

    @property
    def stopped(self) -> dict[str, str]:
        """Searches that ended before their last stage, with the reason."""
        return {n: step.reason for n, step in self.steps.items() if isinstance(step, SearchStopped)}

    def follow(self, plan: Plan) -> None:
        """Go by a plan with other budgets; searches that had to end early may go on."""
        self.plan = plan
        searches = {search.name: search for search in plan.searches}
        self._searches = {
            search_id: (searches[search.name], record)
            for search_id, (search, record) in self._searches.items()
        }
        for name in self.stopped:
            del self.steps[name]

    def take_pruned(self) -> list[int]:
        """Runs that were pruned since the last call."""
        found, self._pruned = self._pruned, []
        return found

    def move(self, ended: Sequence[int] | None = None) -> None:
        """Move every search as far as it goes now.

        Args:
            ended: Runs that have ended since the last call; None at the start, for all.

        Raises:
            BaselineMissing: The single-task runs of a task failed or diverged throughout, and
                trials are ranked by what needs them.
        """
        self._score(ended)
        self._move_role("function")
        self._move_role("baseline")
        self._settle_baseline()
        self._move_role("search")
        self._move_role("followup")

    def _move_role(self, role: str) -> None:
        open_ = {
            search_id: search
            for search_id, (search, _) in self._searches.items()
            if search.role == role
            and not isinstance(self.steps.get(search.name), Finished | SearchStopped)
        }
        waiting = self._waiting() if open_ else frozenset()
        for search_id, search in open_.items():
            held_up = self._initial.held_up(search, self.steps)
            if isinstance(held_up, SearchStopped):
                self.steps[search.name] = held_up
            elif held_up is None and self._can_move(search, waits=search_id in waiting):
                self._move(search_id, self._initial.planned(search))

    def _waiting(self) -> frozenset[int]:
        """Searches that cannot go on before runs of theirs have ended."""
        busy = self._storage.busy_searches(self._study.id)
        early = {i for i, (search, _) in self._searches.items() if search.asynchronous}
        if busy & early:
            return busy - (early & self._storage.paused_searches(self._study.id))
        return busy

    def _can_move(self, search: Search, *, waits: bool) -> bool:
        step = self.steps.get(search.name)
        if isinstance(step, WaitForRuns):
            return not waits
        return not isinstance(step, WaitForBaseline) or self._can_score(search)

    def _can_score(self, search: Search) -> bool:
        """Whether ended runs of a search have values: delta_m needs the final baseline."""
        return not search.objective.needs_baseline or self._baseline_settled

    def _move(self, search_id: int, search: Search) -> None:
        while True:
            history = self._storage.history(search_id, beside=search.beside, last=self._selection.k)
            step = advance(search, history, self._rules(search))
            unscored = isinstance(step, WaitForBaseline) and self._can_score(search)
            if unscored and self.steps.get(search.name) != step:
                self._score(None)  # runs that another driver ended
            elif isinstance(step, WaitForRuns | WaitForBaseline | Finished | SearchStopped):
                self.steps[search.name] = step
                self.outlooks[search.name] = self._outlook(search, history, step)
                if self._can_score(search) and search.followup is None:
                    seeds = self.plan.spec.seeds
                    self.contests[search.name] = contest(search, history, seeds=seeds)
                return
            else:
                self._apply(search_id, search, step)
            self.steps[search.name] = step

    def _outlook(self, search: Search, history: SearchHistory, step: NextStep) -> Outlook:
        confirm = self.plan.spec.confirm
        return outlook(
            search,
            history,
            step,
            n_seeds=len(self.plan.spec.seeds),
            epochs=search.epochs_of(self.plan.training),
            confirm=(confirm.top, confirm.seeds) if confirm else (0, 0),
        )

    def _apply(self, search_id: int, search: Search, step: NextStep) -> None:
        if isinstance(step, Breed):
            step = self._bred(search, step)
        if isinstance(step, Propose):
            self._storage.propose(
                search_id,
                stage=step.stage,
                kind="baseline" if search.role == "baseline" else step.kind,
                tuned=",".join(step.tuned),
                new=step.new,
                retired=step.retired,
                plan=self._study.plan,
                most_trials=self._most_trials(search),
            )  # refused for another search's trials, it is asked for anew, with what is left
        elif isinstance(step, AddRuns):
            rank = queue_rank(search, step, baseline_first=self._waits_for_baseline)
            initial = partial(self._initial.key, search)
            new = new_runs(self.plan, self._study, search, step, initial=initial, rank=rank)
            self._storage.add_runs(search_id, new)
        elif isinstance(step, Judge):
            self._judge(search, step)
        elif isinstance(step, Decide):
            self._storage.decide(search_id, step.decision, plan=self._study.plan)

    def _bred(self, search: Search, step: Breed) -> Propose:
        """The children of a population, which are proposed before their rung is judged."""
        return Propose(
            stage=step.stage,
            kind=step.population.label,
            tuned=step.population.tuned,
            new=children(step, self._judging.values_of(search, step)),
            retired=(),
        )

    def _judge(self, search: Search, step: Judge) -> None:
        verdicts = self._judging.verdicts(search, step)
        moved = self._storage.judge(verdicts)  # without those that another driver judged meanwhile
        self._pruned += [v.run for v in verdicts if v.until_epoch is None and v.run in moved]

    def _judging_under(self, baseline: Baseline | None) -> RungJudge:
        return RungJudge(self.plan, self._storage, self._selection, baseline)

    def _most_trials(self, search: Search) -> int | None:
        return self.plan.spec.budget.trials if search.counts_as_tuning else None

    def _rules(self, search: Search) -> Rules:
        spec = self.plan.spec
        limit = self._most_trials(search)
        return Rules(
            seeds=spec.seeds,
            baseline_hash=self._baseline.hash
            if self._baseline and self._baseline_settled
            else None,
            trials_left=(
                None if limit is None else limit - self._storage.totals(self._study.id).trials
            ),
            confirm_seeds=self.plan.confirm_seeds,
            confirm_top=0 if spec.confirm is None else spec.confirm.top,
            address=f"{self._study.first_name}/{spec.seeds[0]}",
        )

    def _score(self, only: Sequence[int] | None) -> None:
        """What ended runs are worth: under the baseline once it is final, or without one."""
        reference = None
        if self._baseline is not None and self._baseline_settled:
            delta_m = known(self.plan.metrics)[DELTA_M]
            reference = Reference(baseline=self._baseline, delta_m=delta_m)
        alone = {
            search.name: search.objective
            for search in self.plan.searches
            if search.role != "search" and not search.objective.needs_baseline
        }
        together = {
            search.name: search.objective
            for search in self.plan.searches
            if search.name not in alone and (reference or not search.objective.needs_baseline)
        }
        for objectives, under in ((alone, None), (together, reference)):
            if objectives:
                self._storage.score(
                    self._study.id, objectives, self._selection, reference=under, only=only
                )

    def _settle_baseline(self) -> None:
        """Put the baseline in force once all its searches have ended (M2)."""
        spec = self.plan.spec.baseline
        imported = None if spec is None else spec.metrics
        trained = any(search.role == "baseline" for search in self.plan.searches)
        if self._baseline_settled or not (trained or imported):
            return
        if imported is not None:
            values: Sequence[BaselineValue] | None = imported_values(imported)
        else:
            values = self._trained()
        if values is None:
            return
        plain = [[v.task, v.metric, v.split, v.value, v.params] for v in values]
        baseline = Baseline(
            hash=digest(plain), source="trained" if imported is None else "imported", values=values
        )
        if self._baseline is None or self._baseline.hash != baseline.hash:
            whys = [why for value in values if (why := meaningless(self.plan.card, value))]
            if whys and self._waits_for_baseline:
                raise BaselineMissing(f"The baseline's {whys[0]}")
            if whys:
                return
            self._storage.set_baseline(self._study.id, baseline, plan=self._study.plan)
            self._baseline = baseline
        self._baseline_settled = True
        self._judging = self._judging_under(self._baseline)
        self._score(None)

    def _trained(self) -> list[BaselineValue] | None:
        values: list[BaselineValue] = []
        for search_id, (search, _) in self._searches.items():
            if search.role != "baseline":
                continue
            step = self.steps[search.name]
            if isinstance(step, SearchStopped) and self._waits_for_baseline:
                raise missing_baseline(self._storage, self._study, search, step.reason)
            if not isinstance(step, Finished):
                return None
            outcomes = self._storage.history(search_id).outcomes
            runs = {o.seed: o.run for o in outcomes if o.params == step.winner}
            tables = [self._storage.run_table(runs[seed]) for seed in self.plan.spec.seeds]
            (task,) = (task for task in self.plan.card.tasks if task.name in search.tasks)
            values += trained_values(task, step.winner, tables, self._selection)
        return values
