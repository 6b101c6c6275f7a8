"""Takes the network of a search's best run out of a study's files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from search_spaces.lineage import Origin
from search_spaces.written import as_written
from storage.records import (
    Claim,
    RunOutcome,
    SearchRecord,
    SelectedEpoch,
    StudyRecord,
)
from storage.scoring import Selection
from study._version import __version__
from study.commands import command_line
from study.deciding.trials import Winner, winner
from study.drivers import Driver
from study.errors import NetworkMissing
from study.planning.plan import Plan
from study.planning.search_plan import Search
from study.running.packing import corruptions_of, job_of, training_for
from study.running.retraining import trained_again
from study.searches import Tried
from trainers.errors import NetworkUnreadable
from trainers.jobs import Pack
from trainers.suggestions import did_you_mean

if TYPE_CHECKING:
    from storage import Reader
    from trainers.trained_network import TrainedNetwork

_SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, slots=True, kw_only=True)
class Retraining:
    """Where a run is trained again.

    Attributes:
        driver: Makes a driver of one worker.
    """

    driver: Callable[[], Driver]
    device: str


def refuse_function(plan: Plan) -> None:
    """Refuse studies of training functions and trainers, of whose networks nothing is known here.

    Raises:
        NetworkMissing: It is one.
    """
    spec, name = plan.spec, plan.spec.name
    if spec.trains_itself:
        what = "trainer" if spec.function is None else "training function"
        target = spec.trainer if spec.function is None else spec.function.target
        raise NetworkMissing(
            f"A {what} saves its own network, in the folder that it is given. Got the "
            f"study {name!r} of {target}. `weighbridge log {name} RUN` says "
            "where the files of a run are."
        )


def trained_network(
    plan: Plan,
    reader: Reader,
    study: str,
    *,
    search: str | None = None,
    seed: int | None = None,
    again: Retraining | None = None,
) -> TrainedNetwork:
    """The network of a run of a search's best trial (M5), as it was after its selected epoch.

    Args:
        search: Its name; None: of those over weightings, the one whose best trial is the best.
        seed: Of the run; None for the best one on validation.
        again: How the run is trained again if its network is not there; None: it is not.

    Raises:
        NetworkMissing: There is none, or it was not kept, or is gone; with the way out.
        WorkersUnusable: The run cannot be trained again here.
    """
    record = reader.find_study(study)
    if record is None:
        raise NetworkMissing(
            f"The study {study!r} has not been started in {reader.url}. "
            f"Start it with: {command_line('run', study, storage=reader.url)}"
        )
    found = _Best(plan, reader, record)
    of, best = found.search(search)
    outcome, tried = found.run(best, seed), best.trial
    selected = reader.selected_epoch(outcome.run)
    if selected is None:
        raise NetworkMissing(f"Run {outcome.run} has no score yet. Let the study run on.")
    metrics = _metrics(reader, study, outcome.run, selected.epoch)
    try:
        state = _kept(selected, of, outcome)
    except NetworkMissing as error:
        if (origin := Origin.of(tried.point)) is not None:
            raise NetworkMissing(
                f"{error} It cannot be trained once more by itself, as it goes on from {origin}. "
                'Train the study anew under another `name`, with [keep] `networks = "all"`.'
            ) from None
        which = ("--search", of.name, "--seed", str(outcome.seed))
        retrain = command_line("network", study, *which, "--retrain", storage=reader.url)
        if again is None:
            raise NetworkMissing(f"{error} `{retrain}` trains the run once more.") from None
        stored = found.stored(of)
        pack = _pack(plan, stored, of, tried, outcome, device=again.device, until=selected.epoch)
        state = trained_again(again.driver(), pack, metrics)
    from trainers.trained_network import TrainedNetwork  # loads torch

    return TrainedNetwork(
        state_dict=state["network"],
        outside=state["outside"],
        problem=plan.problem,
        tasks=of.tasks,
        card=plan.card.to_plain(),
        study=study,
        search=of.name,
        trial=tried.trial,
        run=outcome.run,
        weighting=of.weighting,
        params=tried.point,
        seed=outcome.seed,
        epoch=selected.epoch,
        precision=plan.training.precision,
        metrics=metrics,
        version=__version__,
    )


class _Best:
    """The best trials of a stored study, by the seeds that it is stored with."""

    def __init__(self, plan: Plan, reader: Reader, record: StudyRecord) -> None:
        self._reader, self._seeds = reader, [int(seed) for seed in record.spec["seeds"]]
        self._last = Selection.of(record.spec["compare"]["select_epoch"]).k
        self._stored = {stored.name: stored for stored in reader.searches(record.id)}
        self._searches = {of.name: of for of in plan.searches if of.name in self._stored}

    def search(self, name: str | None) -> tuple[Search, Winner]:
        """The search of that name, or the best one, and its best trial."""
        if name is not None and name not in self._searches:
            raise NetworkMissing(
                f"There is no search {name!r} in this study.{did_you_mean(name, self._searches)} "
                f"It has {', '.join(self._searches)}."
            )
        wanted = [
            of
            for of in self._searches.values()
            if name in (of.name, None)
            if name is not None or of.role == "search"
        ]
        best = [(of, found) for of in wanted if (found := self._best(of)) is not None]
        if not best:
            raise NetworkMissing(
                f"{'No search' if name is None else f'Search {name}'} has a best trial yet: one "
                "that has run to its end on every seed, and is scored. Let the study run on."
            )
        return min(best, key=lambda found: found[1].trial.rank[0])

    def run(self, best: Winner, seed: int | None) -> RunOutcome:
        """The winner's run on a seed, or its best one."""
        if seed is not None and seed not in self._seeds:
            raise NetworkMissing(
                f"There is no seed {seed} in this study. It has {', '.join(map(str, self._seeds))}."
            )
        return next(run for run in best.runs if seed in (run.seed, None))

    def stored(self, search: Search) -> SearchRecord:
        """A search as the database has it."""
        return self._stored[search.name]

    def _best(self, search: Search) -> Winner | None:
        history = self._reader.history(
            self._stored[search.name].id, beside=search.beside, last=self._last
        )
        return winner(search, history, seeds=self._seeds)


def _kept(selected: SelectedEpoch, search: Search, outcome: RunOutcome) -> Mapping[str, Any]:
    """``network`` and ``outside`` of the selected epoch.

    Raises:
        NetworkMissing: There is no file of them, or it is gone.
    """
    from trainers.keeping import networks  # loads torch

    if selected.network is None:
        raise NetworkMissing(
            f"The network of run {outcome.run} (search {search.name}, trial {outcome.trial}, seed "
            f"{outcome.seed}) was not kept as it was after its selected epoch, {selected.epoch}: "
            "the run is older than [keep], was over its `cap_mib`, or had too many epochs to "
            "choose from when the baseline was not known or was another one."
        )
    try:
        return networks.load(selected.network.path, sha256=selected.network.sha256)
    except NetworkUnreadable as error:
        raise NetworkMissing(str(error)) from error


def _pack(
    plan: Plan,
    stored: SearchRecord,
    search: Search,
    tried: Tried,
    outcome: RunOutcome,
    *,
    device: str,
    until: int,
) -> Pack:
    """A pack in which a run is trained from its beginning as it was then."""
    claim = Claim(
        run=outcome.run,
        token=1,
        attempt=0,
        key="",
        search=search.name,
        role=outcome.role,
        weighting=search.weighting,
        params=outcome.params,
        written=as_written(tried.point),
        seed=outcome.seed,
        until_epoch=until,
        checkpoints=(),
        initial=stored.initial.of(outcome.seed) if stored.initial else None,
    )
    engine = stored.engine or "solo"
    return Pack(
        problem=plan.problem,
        training=training_for(plan, search, claim),
        seed=outcome.seed,
        until_epoch=until,
        jobs=(job_of(plan, search, claim),),
        device=device,
        engine=engine,
        rows=stored.stack_rows if engine == "fused" else None,
        corruptions=corruptions_of(search),
    )


def _metrics(
    reader: Reader, study: str, run: int, epoch: int
) -> dict[str, dict[str, dict[str, float]]]:
    """Split to task to metric to value of one epoch of a run."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for split in _SPLITS:
        names, values = reader.epochs(study, split=split, runs=[run])
        for _, number, series, value in values:
            if number == epoch:
                task, metric = names[series]
                found.setdefault(split, {}).setdefault(task, {})[metric] = value
    return found
