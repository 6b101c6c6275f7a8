"""What searches begin from: networks of another search's best trial, once that is final.

That of its best run, for all runs of a search: it is fixed before the first run, and stands when
the other search is decided anew. Runs of a follow-up begin from the trial's run of their own seed;
when another trial is the best one, it is followed up instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from storage.records import (
    InitialNetwork,
    NetworkFile,
    ParentNetworks,
    SearchRecord,
    SelectedEpoch,
    StudyRecord,
)
from study.commands import command_line
from study.deciding.advance import Finished, NextStep, SearchStopped, WaitForRuns
from study.deciding.trials import winner
from study.planning.followups import of_parent
from study.planning.plan import Plan
from study.planning.search_plan import Search
from study.running.checkpoint_path import settle_files
from trainers.errors import NetworkUnreadable
from trainers.keeping import paths

if TYPE_CHECKING:
    from storage import Reader, Storage
    from trainers.trained_network import TrainedNetwork


class InitialNetworks:
    """The networks that a study's searches begin from.

    Args:
        study: Its name, for what is advised.
        searches: By id.
        seeds: Of the study.
    """

    def __init__(
        self,
        storage: Storage,
        study: str,
        searches: Mapping[int, tuple[Search, SearchRecord]],
        seeds: Sequence[int],
    ) -> None:
        self._storage, self._study, self._seeds = storage, study, seeds
        self._searches = {search.name: (id_, search) for id_, (search, _) in searches.items()}
        self._fixed = {record.name: record.initial for _, record in searches.values()}
        self._followed: set[str] = set()  # whose parents have been looked at since they ended

    def key(self, search: Search, seed: int) -> tuple[str, int] | None:
        """Key and epoch of the run that another one begins from; None: it begins as always."""
        fixed = self._fixed[search.name]
        network = None if fixed is None else fixed.of(seed)
        return None if network is None else (network.run_key, network.epoch)

    def planned(self, search: Search) -> Search:
        """A search as it is to be moved: a follow-up is one of a certain trial."""
        fixed = self._fixed[search.name]
        return search if fixed is None else of_parent(search, fixed.trial)

    def held_up(self, search: Search, steps: Mapping[str, NextStep]) -> NextStep | None:
        """Why a search cannot begin: it waits, or never will; None if it can.

        Args:
            steps: Last step of each search.
        """
        if not search.init_from or search.name in self._followed:
            return None
        if search.followup is None and self._fixed[search.name] is not None:
            return None
        step = steps.get(search.init_from)
        if isinstance(step, SearchStopped):
            return _never(f"search {search.init_from}, from which it begins, has stopped")
        if not isinstance(step, Finished):
            return WaitForRuns(0)
        fixed = self._fixed[search.name]
        found = self._own(search) if search.followup else self._shared(search)
        if isinstance(found, SearchStopped):
            return found
        if found != fixed:
            id_, _ = self._searches[search.name]
            self._fixed[search.name] = self._storage.fix_initial(id_, found, instead=fixed)
        self._followed.add(search.name)
        return None

    def _shared(self, search: Search) -> ParentNetworks | SearchStopped:
        """The network of the best run of all."""
        origin_id, origin = self._searches[search.init_from]
        selected = _selected(self._storage, origin_id, origin, self._seeds)
        if selected is None or selected.network is None:
            return _never(_not_kept(search.init_from, self._study, self._storage.url))
        return ParentNetworks(shared=_initial(selected, selected.network))

    def _own(self, search: Search) -> ParentNetworks | SearchStopped:
        """The network of each seed's run of the best trial."""
        parent_id, parent = self._searches[search.init_from]
        best = winner(parent, self._storage.history(parent_id), seeds=self._seeds)
        if best is None:
            return _never(f"search {parent.name}, which it follows up, has no best trial")
        fixed = self._fixed[search.name]
        same = fixed is not None and fixed.trial == best.trial.trial
        found = dict(fixed.by_seed) if fixed is not None and same else {}
        for run in best.runs:
            if run.seed in found:
                continue
            selected = self._storage.selected_epoch(run.run)
            if selected is None or selected.network is None:
                url = self._storage.url
                return _never(_not_kept(parent.name, self._study, url, seed=run.seed))
            found[run.seed] = _initial(selected, selected.network)
        return ParentNetworks(trial=best.trial.trial, by_seed=found)


def _initial(selected: SelectedEpoch, file: NetworkFile) -> InitialNetwork:
    return InitialNetwork(
        run_key=selected.run_key, epoch=selected.epoch, path=file.path, sha256=file.sha256
    )


def not_begun(plan: Plan, reader: Reader, record: StudyRecord) -> dict[str, str]:
    """Why searches have not begun for want of the network that they begin from, and what to do."""
    stored = {search.name: search for search in reader.searches(record.id)}
    waiting = [
        search
        for search in plan.searches
        if search.init_from and search.followup is None
        if search.name in stored and stored[search.name].initial is None
    ]
    origins = {search.name: search for search in plan.searches}
    return {
        search.name: _told(
            origins[search.init_from], stored[search.init_from].id, plan, reader, record.name
        )
        for search in waiting
    }


def _told(origin: Search, origin_id: int, plan: Plan, reader: Reader, study: str) -> str:
    goes_on = command_line("run", study, storage=reader.url)
    decided = {decision.stage for decision in reader.history(origin_id).decisions}
    if not decided >= set(range(len(origin.stages))):
        return (
            f"search {origin.name}, from which it begins, has not ended. `{goes_on}` goes on with "
            "it, or says why not"
        )
    selected = _selected(reader, origin_id, origin, plan.spec.seeds)
    if selected is None or selected.network is None:
        return _not_kept(origin.name, study, reader.url)
    return f"`{goes_on}` begins it, from the network of search {origin.name}"


def keep_awaited(network: TrainedNetwork, plan: Plan, storage: Storage) -> list[str]:
    """Keep a network, trained again, for the searches that cannot begin without it.

    Returns:
        Their names; none if the network is not the one that they begin from, or is there.

    Raises:
        OSError: It cannot be written.
    """
    from trainers.keeping import networks  # loads torch

    record = storage.study(network.study)
    stored = {search.name: search for search in storage.searches(record.id)}
    origin = next(search for search in plan.searches if search.name == network.search)
    history = storage.history(stored[origin.name].id)
    best = winner(origin, history, seeds=plan.spec.seeds)
    runs = [] if best is None else [run.run for run in best.runs]
    selected = storage.selected_epoch(network.run)
    waiting = [
        search.name
        for search in plan.searches
        if search.init_from == network.search
        if _lacks(
            stored.get(search.name),
            selected,
            is_best=network.run in (runs if search.followup else runs[:1]),
        )
    ]
    if not waiting:
        return []
    folders = storage.file_folders(record.id)
    place = paths.folder_of(folders[0]) if folders else None
    folder, _ = settle_files(place, storage, record)
    path = paths.inside(folder, f"network-run{network.run}-again-epoch{network.epoch}.pt")
    state = {"network": network.state_dict, "outside": network.outside}
    file = networks.write(path, state, epoch=network.epoch)
    storage.keep_network(network.run, NetworkFile(**asdict(file)))
    return waiting


def _lacks(search: SearchRecord | None, of_run: SelectedEpoch | None, *, is_best: bool) -> bool:
    """Whether a search is to begin from a run's network, and cannot.

    Args:
        search: As stored; None if it is new.
        is_best: Whether the run is the one that searches begin from which have not begun.
    """
    if of_run is None:
        return False
    if search is None or search.initial is None:
        return is_best and not _is_there(of_run.network)
    return any(
        (one.run_key, one.epoch) == (of_run.run_key, of_run.epoch) and not _is_there(one)
        for one in search.initial.networks
    )


def _is_there(file: NetworkFile | InitialNetwork | None) -> bool:
    """Whether a network can be read."""
    from trainers.keeping import networks  # loads torch

    if file is None:
        return False
    try:
        networks.load(file.path, sha256=file.sha256)
    except NetworkUnreadable:
        return False
    return True


def _best_run(
    storage: Storage | Reader, search_id: int, search: Search, seeds: Sequence[int]
) -> int | None:
    """The run whose network others begin from; None if there is none yet."""
    best = winner(search, storage.history(search_id), seeds=seeds)
    return None if best is None else best.runs[0].run


def _selected(
    storage: Storage | Reader, search_id: int, search: Search, seeds: Sequence[int]
) -> SelectedEpoch | None:
    run = _best_run(storage, search_id, search, seeds)
    return None if run is None else storage.selected_epoch(run)


def _not_kept(origin: str, study: str, storage: str, *, seed: int | None = None) -> str:
    """That a network is not there, and how it comes back.

    Args:
        seed: Of the run that it is of; None for the best one.
    """
    of_seed = () if seed is None else ("--seed", str(seed))
    which = ("--search", origin, *of_seed)
    again = command_line("network", study, *which, "--retrain", storage=storage)
    goes_on = command_line("run", study, storage=storage)
    said = "" if seed is None else f" on seed {seed}"
    return (
        f"the network of search {origin}{said}, from which it begins, was not kept: its run is "
        f"older than [keep], or was over its `cap_mib`. `{again}` trains it again and keeps it, "
        f"then `{goes_on}` goes on"
    )


def _never(reason: str) -> SearchStopped:
    return SearchStopped(stage=0, reason=reason)
