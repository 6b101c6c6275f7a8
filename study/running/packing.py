"""From claimed runs to the pack that a worker trains."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from search_spaces.lineage import Origin, without_origin
from storage.objectives import DirectedMetric
from storage.records import Claim
from study.deciding.trials import to_point
from study.planning.followups import PARENT
from study.planning.function import as_listed
from study.planning.keys import segment_key
from study.planning.optimisers import OF_OPTIMIZERS, training_of
from study.planning.plan import Plan
from study.planning.search_plan import Search
from study.running.engine_state import EngineState
from trainers.gradients import GradientDiagnostics
from trainers.jobs import Checkpoint, Corruptions, InitialNetwork, Job, Pack, Training
from trainers.keeping.paths import is_url

_NO_HYPERS = (*OF_OPTIMIZERS, PARENT)


class Packer:
    """Makes packs of runs that were claimed together: of one seed, segment of epochs and engine.

    One run of each search's first pack is a canary, to be trained again alone.

    Args:
        checkpoints: Folder for checkpoint files, a path or a URL.
    """

    def __init__(self, plan: Plan, engine: EngineState, *, checkpoints: str, device: str) -> None:
        self._plan, self._engine = plan, engine
        self._checkpoints, self._device = checkpoints, device
        self._searches = {search.name: search for search in plan.searches}
        self._uncanaried = {
            search.name: search.expected_trials * len(plan.spec.seeds)
            for search in plan.searches
            if search.followup is None and not search.trains_itself
        }

    def pack(self, claims: Sequence[Claim], code: str) -> Pack:
        """The pack of these runs.

        Args:
            code: Fingerprint of the code that its worker has loaded.
        """
        plan, searches = self._plan, self._searches
        first = claims[0]
        engine = self._engine.of(first.search) or "solo"
        return Pack(
            problem=plan.problem,
            training=training_for(plan, searches[first.search], first),
            seed=claims[0].seed,
            until_epoch=claims[0].until_epoch,
            jobs=tuple(job_of(plan, searches[of.search], of) for of in claims),
            device=self._device,
            engine=engine,
            rows=self._engine.rows(engine),
            checkpoints=self._checkpoints,
            checkpoint_s=plan.spec.training.checkpoint_s,
            canaries=self._canaries(claims),
            waits_at_rung=any(_goes_on_at_once(searches[of.search]) for of in claims),
            unsaved=self._engine.unsaved(code),
            ends=ends_early(plan, searches[claims[0].search], claims[0]),
            corruptions=corruptions_of(searches[first.search]),
            gradients=_gradients(plan, searches[first.search]),
        )

    def _canaries(self, claims: Sequence[Claim]) -> dict[int, float]:
        """The runs that are chosen, with the packs that their search will fill."""
        found: dict[int, float] = {}
        for claim in claims:
            if claim.search in self._uncanaried and not claim.checkpoints:
                n_runs = sum(of.search == claim.search for of in claims)
                found[claim.run] = max(1.0, self._uncanaried.pop(claim.search) / n_runs)
        return found


def _goes_on_at_once(search: Search) -> bool:
    """Whether a run may be judged at a rung, and go on, as soon as it is there."""
    return search.trains_itself and search.asynchronous


def _gradients(plan: Plan, search: Search) -> GradientDiagnostics | None:
    """How gradients are compared, if the study asks; a trunk that stays has none."""
    asked = plan.spec.diagnostics.gradients
    if asked is None or search.followup is not None:
        return None
    return GradientDiagnostics(every=asked.every, samples=asked.samples)


def training_for(plan: Plan, search: Search, claim: Claim) -> Training:
    """What a run shares with its pack: the study's, with the optimiser of its point."""
    if search.trains_itself:
        return plan.training
    if search.followup is not None:  # of heads alone: there is little to compile or to share
        return replace(plan.training, epochs=search.followup.epochs, compile=False, data_parallel=1)
    return training_of(plan.training, to_point(claim.written), plan.problem.folder)


def ends_early(plan: Plan, search: Search, claim: Claim) -> bool:
    """Whether a run ends at the rung where it stands, as a rule of patience has said."""
    until, epochs = claim.until_epoch, search.epochs_of(plan.training)
    if until >= epochs:
        return False
    here = segment_key(
        search,
        frozen=plan.frozen,
        epochs=epochs,
        seed=claim.seed,
        first=until,
        last=until,
        point=to_point(claim.written),
    )
    return claim.pack_key == here


def corruptions_of(search: Search) -> Corruptions | None:
    """The corruptions that a search's runs are trained on, if any."""
    return None if search.followup is None else search.followup.corruptions


def job_of(plan: Plan, search: Search, claim: Claim) -> Job:
    """What a worker is told of a run."""
    origin = Origin.of(to_point(claim.written))
    born = 0 if origin is None else origin.epoch
    point = without_origin(to_point(claim.written))
    lr = weight_decay = 0.0
    if search.trains_itself:
        point = as_listed(search, point)
    else:
        point = {name: value for name, value in point.items() if name not in _NO_HYPERS}
        lr, weight_decay = float(point.pop("lr")), float(point.pop("weight_decay"))  # type: ignore[arg-type]
    return Job(
        run=claim.run,
        token=claim.token,
        weighting=search.weighed_by,
        tasks=search.tasks,
        lr=lr,
        weight_decay=weight_decay,
        hyper=point,
        address=claim.params,
        key=claim.key,
        recorded=claim.recorded,
        initial=None
        if claim.initial is None
        else InitialNetwork(path=claim.initial.path, sha256=claim.initial.sha256),
        select_by=_select_by(plan, search, claim),
        folder=plan.problem.folder,
        born=born,
        resume=tuple(
            Checkpoint(path=path, epoch=epoch, of_run=claim.parent if epoch <= born else None)
            for path, epoch in claim.checkpoints
            # others were tidied away, or lie on another host; a URL is looked at by the worker
            if is_url(path) or os.path.exists(path)
        ),
    )


def _select_by(plan: Plan, search: Search, claim: Claim) -> tuple[DirectedMetric, ...] | None:
    """What may decide which epoch of a run is selected; None if its network is not kept."""
    keeps = plan.spec.keep.networks
    if search.trains_itself or keeps == "none":
        return None
    if keeps == "winners" and claim.role in ("confirm", "followup"):  # they choose nothing
        return None
    return search.objective.metrics if plan.spec.compare.select_epoch == "best" else ()
