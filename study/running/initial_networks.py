"""What searches begin from: the network of another search's best run, once that is final.

It is fixed before the search has its first run, and stands when the other search is decided anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from storage.records import InitialNetwork, SearchRecord
from study.deciding.advance import Finished, NextStep, SearchStopped, WaitForRuns
from study.deciding.trials import winner
from study.planning.search_plan import Search

if TYPE_CHECKING:
    from storage import Storage


class InitialNetworks:
    """The networks that a study's searches begin from.

    Args:
        searches: By id.
        seeds: Of the study.
    """

    def __init__(
        self,
        storage: Storage,
        searches: Mapping[int, tuple[Search, SearchRecord]],
        seeds: Sequence[int],
    ) -> None:
        self._storage, self._seeds = storage, seeds
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
        found = self._best(search.init_from)
        if found is None:
            return _never(
                f"the network of search {search.init_from}, from which it begins, was not kept: "
                "its runs are older than [keep], or were over its `cap_mib`. Begin from another "
                "search, or give the study another `name`, which trains it anew"
            )
        id_, _ = self._searches[search.name]
        self._fixed[search.name] = self._storage.fix_initial(id_, found)
        return None

    def _best(self, name: str) -> InitialNetwork | None:
        id_, search = self._searches[name]
        best = winner(search, self._storage.history(id_), seeds=self._seeds)
        selected = None if best is None else self._storage.selected_epoch(best.runs[0].run)
        if selected is None or selected.network is None:
            return None
        return InitialNetwork(
            run_key=selected.run_key,
            epoch=selected.epoch,
            path=selected.network.path,
            sha256=selected.network.sha256,
        )


def _never(reason: str) -> SearchStopped:
    return SearchStopped(stage=0, reason=reason)
