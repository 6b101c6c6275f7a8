"""What searches begin from: the network of another search's best run, once that is final.

It is fixed before the search has its first run, and stands when the other search is decided anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from storage.records import InitialNetwork, NetworkFile, SearchRecord, SelectedEpoch, StudyRecord
from study.commands import command_line
from study.deciding.advance import Finished, NextStep, SearchStopped, WaitForRuns
from study.deciding.trials import winner
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

    def key(self, search: Search) -> tuple[str, int] | None:
        """Key and epoch of the run that a search begins from; None: it begins as always."""
        fixed = self._fixed[search.name]
        return None if fixed is None else (fixed.run_key, fixed.epoch)

    def held_up(self, search: Search, steps: Mapping[str, NextStep]) -> NextStep | None:
        """Why a search cannot begin: it waits, or never will; None if it can.

        Args:
            steps: Last step of each search.
        """
        if not search.init_from or self._fixed[search.name] is not None:
            return None
        step = steps.get(search.init_from)
        if isinstance(step, SearchStopped):
            return _never(f"search {search.init_from}, from which it begins, has stopped")
        if not isinstance(step, Finished):
            return WaitForRuns(0)
        origin_id, origin = self._searches[search.init_from]
        selected = _selected(self._storage, origin_id, origin, self._seeds)
        if selected is None or selected.network is None:
            return _never(_not_kept(search.init_from, self._study, self._storage.url))
        id_, _ = self._searches[search.name]
        found = InitialNetwork(
            run_key=selected.run_key,
            epoch=selected.epoch,
            path=selected.network.path,
            sha256=selected.network.sha256,
        )
        self._fixed[search.name] = self._storage.fix_initial(id_, found)
        return None


def not_begun(plan: Plan, reader: Reader, record: StudyRecord) -> dict[str, str]:
    """Why searches have not begun for want of the network that they begin from, and what to do."""
    stored = {search.name: search for search in reader.searches(record.id)}
    waiting = [
        search
        for search in plan.searches
        if search.init_from and search.name in stored and stored[search.name].initial is None
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
    is_best = _best_run(storage, stored[origin.name].id, origin, plan.spec.seeds) == network.run
    selected = storage.selected_epoch(network.run)
    waiting = [
        search.name
        for search in plan.searches
        if search.init_from == network.search
        if _lacks(stored.get(search.name), selected, is_best=is_best)
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
    fixed = search.initial
    return (fixed.run_key, fixed.epoch) == (of_run.run_key, of_run.epoch) and not _is_there(fixed)


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


def _not_kept(origin: str, study: str, storage: str) -> str:
    again = command_line("network", study, "--search", origin, "--retrain", storage=storage)
    goes_on = command_line("run", study, storage=storage)
    return (
        f"the network of search {origin}, from which it begins, was not kept: its run is older "
        f"than [keep], or was over its `cap_mib`. `{again}` trains it again and keeps it, then "
        f"`{goes_on}` goes on"
    )


def _never(reason: str) -> SearchStopped:
    return SearchStopped(stage=0, reason=reason)
