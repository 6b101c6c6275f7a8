"""Population-based training: at a rung children of the best take the place of the worst."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from typing import Any

import pytest

from search_spaces.lineage import Origin
from storage import Liveness, RunState, Storage
from storage.records import Claim, Unfinished
from study.deciding.advance import Rules, SearchStopped
from study.deciding.outlook import outlook
from study.deciding.settling import Settled, settled
from study.deciding.trials import to_point
from study.planning.plan import Plan
from tests.unit.study.fake_trainer import FakeStudy
from tests.unit.study.specs import a_plan

METRICS = {"left": {"error_rate": 2.0}, "right": {"error_rate": 2.0}, "sum": {"mae": 2.0}}
PBT = {"rule": "pbt", "rungs": [1, 3], "quantile_fraction": 0.5}
RATES = [0.001, 0.002, 0.003, 0.004]
EPOCHS = 4


def planned(stage: Mapping[str, Any] | None = None, **keys: Any) -> Plan:
    stage = {"lr": RATES, "stop": PBT} if stage is None else stage
    keys = {"baseline": {"metrics": METRICS}, "seeds": [0]} | keys
    training = {"epochs": EPOCHS, "batch_size": 8}
    return a_plan({"weighting": "ew", "stages": [stage]}, training=training, **keys)


def by_rate(claim: Claim, point: Mapping[str, Any]) -> float:
    """The lower the rate the better; seeds differ by less than rates."""
    return 1.0 + 100.0 * float(point["lr"]) + 0.01 * claim.seed


def origins(study: FakeStudy) -> dict[int, Origin]:
    entries, _, _ = study.history("ew")
    found = {entry.trial: Origin.of(to_point(entry.written)) for entry in entries}
    return {trial: origin for trial, origin in found.items() if origin is not None}


def states(study: FakeStudy) -> dict[int, set[tuple[RunState, int]]]:
    """Trial to the ends of its runs: state and last epoch."""
    (record,) = [r for r in study.storage.searches(study.record.id) if r.name == "ew"]
    found: dict[int, set[tuple[RunState, int]]] = {}
    for outcome in study.storage.history(record.id).outcomes:
        found.setdefault(outcome.trial, set()).add((outcome.state, outcome.until_epoch))
    return found


def test_the_worst_quantile_ends_and_children_of_the_best_go_on() -> None:
    study = FakeStudy(planned(), level=by_rate).run()
    assert study.conductor.finished
    born = origins(study)
    assert [(of.epoch, of.replaces) for of in born.values()][:2] == [(1, 3), (1, 2)]
    assert {of.trial for of in born.values() if of.epoch == 1} <= {0, 1}
    assert len(born) == 4
    ended = states(study)
    assert {trial for trial, end in ended.items() if end == {(RunState.PRUNED, 1)}} == {2, 3}
    assert sum(end == {(RunState.DONE, EPOCHS)} for end in ended.values()) == len(RATES)


def test_a_child_has_its_own_epochs_and_its_parents_checkpoint() -> None:
    study = FakeStudy(planned(seeds=[0, 1]), level=by_rate)
    study.conductor.move()
    for claim in study.claim():
        study.end(claim)
        study.conductor.move([claim.run])
    claims = {claim.run: claim for claim in study.claim()}
    born = [claim for claim in claims.values() if Origin.of(to_point(claim.written))]
    assert len(born) == 4  # two children of two seeds
    for claim in born:
        origin = Origin.of(to_point(claim.written))
        assert origin is not None
        parent = next(
            run
            for run, of in claims.items()
            if of.seed == claim.seed and json.loads(of.params)["lr"] == RATES[origin.trial]
        )
        assert claim.parent == parent
        assert claim.checkpoints == ((f"run{parent}-epoch1.pt", 1),)
        assert (claim.until_epoch, claim.epochs_left) == (3, 2)
        assert claim.pack_key == claims[parent].pack_key or claim.seed != claims[parent].seed


@pytest.mark.parametrize("shuffle", [0, 1])
def test_the_order_in_which_runs_end_changes_nothing(shuffle: int) -> None:
    straight = FakeStudy(planned(), level=by_rate).run()
    shuffled = FakeStudy(planned(), level=by_rate).run(random.Random(shuffle))
    assert straight.history("ew") == shuffled.history("ew")


class Killed(Exception):
    """The process is gone."""


class Dying:
    """A storage whose process is killed after some changes of the plan.

    Args:
        changes: That are made.
    """

    def __init__(self, storage: Storage, changes: int) -> None:
        self._storage, self._left = storage, changes

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._storage, name)
        return self._dying(found) if name in ("propose", "add_runs", "judge", "decide") else found

    def _dying(self, change: Any) -> Any:
        def changed(*args: Any, **more: Any) -> Any:
            if self._left == 0:
                raise Killed
            self._left -= 1
            return change(*args, **more)

        return changed


# proposed, added; at each rung: children proposed, their runs added, judged
@pytest.mark.parametrize("changes", [2, 3, 4, 6])
def test_killed_between_two_steps_it_ends_the_same(changes: int) -> None:
    straight = FakeStudy(planned(), level=by_rate).run()
    storage = Storage(None)
    with pytest.raises(Killed):
        FakeStudy(planned(), Dying(storage, changes), level=by_rate).run()  # type: ignore[arg-type]
    (record,) = storage.studies()
    storage.take_back(record.id, liveness=lambda _: Liveness.DEAD)
    killed = FakeStudy(planned(), storage, level=by_rate).run()
    assert killed.history("ew") == straight.history("ew")
    assert states(killed) == states(straight)


def test_a_trial_that_diverged_has_a_child_in_its_place() -> None:
    def level(claim: Claim, point: Mapping[str, Any]) -> float | RunState:
        bad = float(point["lr"]) == RATES[1] and claim.until_epoch == 1
        return RunState.DIVERGED if bad else by_rate(claim, point)

    study = FakeStudy(planned(), level=level).run()
    assert study.conductor.finished
    first = [of.replaces for of in origins(study).values() if of.epoch == 1]
    assert first == [1, 3]


def test_nobody_is_replaced_by_nobody() -> None:
    study = FakeStudy(planned(), level=lambda *_: RunState.DIVERGED).run()
    assert not origins(study)
    assert isinstance(study.conductor.steps["ew"], SearchStopped)


def test_one_network_of_two_is_enough_for_a_child() -> None:
    def level(claim: Claim, point: Mapping[str, Any]) -> float | RunState:
        return RunState.DIVERGED if float(point["lr"]) == RATES[1] else by_rate(claim, point)

    stage = {"lr": RATES[:2], "stop": PBT | {"resample_probability": 0.0}}
    study = FakeStudy(planned(stage), level=level).run()
    assert {(of.trial, of.replaces) for of in origins(study).values() if of.epoch == 1} == {(0, 1)}


def test_trials_of_a_budget_are_the_childrens_too() -> None:
    study = FakeStudy(planned(budget={"trials": 5}), level=by_rate).run()
    assert study.conductor.stopped == {
        "ew": "the trial budget ended in stage 1, with 2 points of it left"
    }
    assert not origins(study)
    more = FakeStudy(planned(budget={"trials": 8}), study.storage, level=by_rate).run()
    assert more.conductor.finished
    assert more.history("ew") == FakeStudy(planned(), level=by_rate).run().history("ew")


def looked_at(study: FakeStudy) -> Settled:
    """A search as a forecast sees it, which changes nothing."""
    search = study.plan.searches[-1]
    (record,) = [r for r in study.storage.searches(study.record.id) if r.name == "ew"]
    history = study.storage.history(record.id, beside=search.beside)
    return settled(search, history, Rules(seeds=[0], baseline_hash="b"), epochs=EPOCHS)


def test_what_is_left_can_be_told_of_a_population_that_stands_at_a_rung() -> None:
    study = FakeStudy(planned(), level=by_rate)
    study.conductor.move()
    for claim in study.claim():
        study.end(claim)
    state = looked_at(study)
    ahead = outlook(study.plan.searches[-1], state.history, state.step, n_seeds=1, epochs=EPOCHS)
    assert (ahead.stage, ahead.runs) == (0, 4)


def test_children_without_runs_have_their_own_epochs_to_come() -> None:
    storage = Storage(None)
    with pytest.raises(Killed):
        FakeStudy(planned(), Dying(storage, 3), level=by_rate).run()  # type: ignore[arg-type]
    state = looked_at(FakeStudy(planned(), storage))
    assert state.added == [Unfinished(until_epoch=3, runs=2, epochs_done=2)]


def test_an_outlook_counts_the_epochs_of_a_population_once() -> None:
    study = FakeStudy(planned(), level=by_rate)
    study.conductor.move()
    first = study.conductor.outlooks["ew"]
    assert first.runs == 4  # children to come
    assert sum(of.epochs for of in first.coming) == 0
    study.run()
    ended = study.conductor.outlooks["ew"]
    assert ended.runs == 0
    (status,) = [s for s in study.storage.search_status(study.record.id) if s.search == "ew"]
    assert status.epochs_done - ended.inherited_epochs == len(RATES) * EPOCHS
