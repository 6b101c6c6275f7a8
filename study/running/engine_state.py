"""How a study's runs are trained: what is found of its network, and what is fixed by it."""

from __future__ import annotations

import platform
from collections.abc import Callable, Collection
from importlib.metadata import version
from typing import TYPE_CHECKING

from storage.records import NetworkLook, SearchRecord, StudyRecord
from study.errors import WorkersUnusable
from study.planning.engine import BY_CALIBRATION, EngineChoice, engine_for
from study.planning.keys import digest
from study.planning.last_batch import refusal
from study.planning.plan import Plan
from study.planning.search_plan import Search
from trainers.events import NetworkFacts
from trainers.hardware.devices import is_gpu
from trainers.hardware.environment import code_version
from trainers.jobs import Engine

if TYPE_CHECKING:
    from storage import Storage


class EngineState:
    """The engines of a study's searches, from before they are known until they are fixed.

    Searches whose runs may be stacked share packs, and so have one engine; what is fixed for one of
    them is fixed for all. A network is looked at once for each version of its code; what is found
    is kept.

    Args:
        study: As it is stored; what is fixed for its searches stays.
        device: Of all workers.
        say: Told what makes the study slower than it might be, or its runs begin again.

    Attributes:
        undecided: A calibration is to choose the engine of what may be stacked.
        on_gpu: Stacks have a fixed number of rows.
        streamed: Data is decoded batch by batch, by what the last worker has found.
    """

    def __init__(
        self,
        plan: Plan,
        storage: Storage,
        study: StudyRecord,
        *,
        device: str,
        say: Callable[[str], None],
    ) -> None:
        self._plan, self._storage, self._study_id = plan, storage, study.id
        self._device, self._say = device, say
        self.undecided = False
        self.on_gpu = is_gpu(device)
        self.streamed = False
        self._told_unsaved = False
        self._looks: dict[str, NetworkFacts] = {}  # by the code's fingerprint
        self._recall_fixed()
        stackable = [search.name for search in plan.searches if not search.solo_only]
        self._stackable = [self._searches[name].id for name in stackable]
        self._recall(plan.code.fingerprint)

    def of(self, search: str) -> Engine | None:
        """The engine of a search's runs; None until the first worker has looked at the network."""
        return self._searches[search].engine

    @property
    def searches(self) -> Collection[SearchRecord]:
        """All searches, with what is fixed for them."""
        return self._searches.values()

    @property
    def in_use(self) -> list[Engine]:
        """The engines that are fixed for some search."""
        return sorted({of.engine for of in self._searches.values() if of.engine is not None})

    def packed(self, engine: Engine) -> bool:
        """Whether its runs are trained in packs: stacked, or in step to share the reading."""
        return engine == "fused" or (self.streamed and self._plan.training.data_parallel == 1)

    def rows(self, engine: Engine) -> int | None:
        """Rows of each of its stacks, padding included; None if it has as many as runs."""
        return self._stack_rows if engine == "fused" and self.on_gpu else None

    def looked(self, code: str) -> bool:
        """Whether anything is known of the network that this code makes."""
        return code in self._looks

    def unsaved(self, code: str) -> str:
        """Why runs of this code cannot be saved; empty if they can."""
        return self._looks[code].unsaved

    def settle(self, code: str, found: NetworkFacts | None) -> bool:
        """Fix the engines by what a worker has found of its network, or take those that are fixed.

        Args:
            code: Fingerprint of the code that the worker has loaded.
            found: None if the worker has not looked, as one has before.

        Returns:
            Whether anything is known of the network now.

        Raises:
            WorkersUnusable: The engine is `fused` and the network cannot be stacked; or the network
                fails on the last batch of an epoch, or cannot be saved for a population.
        """
        known = self._looks.get(code) if found is None else found
        if known is None:
            return False
        self._settle(known)
        if found is not None:
            self._keep(code, found)
        return True

    def fix(self, choice: EngineChoice) -> None:
        """Store the engine of what may be stacked, or take what another driver has stored."""
        self._storage.fix_engine(self._stackable, choice.engine, choice.reason)
        self._recall_fixed()
        self.undecided = False

    def fix_rows(self, rows: int) -> None:
        """Store the rows of all stacks, or take what another driver has stored before."""
        self._storage.fix_rows(self._stackable, rows)
        self._recall_fixed()

    def lower_rows(self, rows: int) -> None:
        """Have smaller stacks from now on."""
        self._storage.lower_rows(self._stackable, rows)
        self._recall_fixed()

    def _settle(self, network: NetworkFacts) -> None:
        self.streamed = network.streamed
        if network.last_batch:
            raise WorkersUnusable(refusal(network.last_batch))
        populations = [search.name for search in self._plan.searches if search.is_population]
        if network.unsaved and populations:
            raise WorkersUnusable(
                '`rule = "pbt"` lets trials go on from checkpoints of others. Got it in the search '
                f"{populations[0]}, and runs cannot be saved: the network {network.unsaved}. Keep "
                "all of its state in parameters and buffers, or take another rule."
            )
        for search in self._plan.searches:
            if self.of(search.name) is None:
                self._choose(search, network)
        if network.unsaved and not self._told_unsaved:
            self._told_unsaved = True
            self._say(f"Runs begin again after an interruption: the network {network.unsaved}.")
        if "fused" in self.in_use and network.obstacle:
            raise WorkersUnusable(
                f"The runs of study {self._plan.spec.name} are trained in stacks. Now the network "
                f"{network.obstacle}. Go back to the code it was begun with, or begin another "
                "study."
            )

    def _choose(self, search: Search, network: NetworkFacts) -> None:
        """Fix the engine of a search that has none yet."""
        choice = engine_for(
            self._plan,
            search,
            device=self._device,
            network=network,
            stored=[*self._searches.values()],
        )
        if search.solo_only:
            self._storage.fix_engine([self._searches[search.name].id], choice.engine, choice.reason)
            self._recall_fixed()
        elif choice is BY_CALIBRATION:
            self.undecided = True
        else:
            self.fix(choice)
            if network.obstacle and choice.reason.endswith(network.obstacle):
                how = "in step" if network.streamed else "one by one"
                self._say(f"Runs are trained {how}: {choice.reason}.")

    def _recall_fixed(self) -> None:
        self._searches = {of.name: of for of in self._storage.searches(self._study_id)}
        fixed = (of.stack_rows for of in self._searches.values() if of.engine == "fused")
        self._stack_rows = next(fixed, None)

    def _recall(self, code: str) -> None:
        """Take over what was found before of what the code makes now."""
        stored = self._storage.network_look(self._study_id, self._key(code))
        if stored is not None:
            self._looks[code] = NetworkFacts(
                convolutional=stored.convolutional,
                obstacle=stored.obstacle,
                streamed=stored.streamed,
                unsaved=stored.unsaved,
            )

    def _keep(self, code: str, found: NetworkFacts) -> None:
        """For workers to come, and for those who go on with the study."""
        self._looks[code] = found
        if not self._plan.spec.trains_itself:  # else there is no network to look at
            look = NetworkLook(
                convolutional=found.convolutional,
                obstacle=found.obstacle,
                streamed=found.streamed,
                unsaved=found.unsaved,
            )
            self._storage.save_network_look(self._study_id, self._key(code), look)

    def _key(self, code: str) -> str:
        """Hash of what a look depends on, beside what a study never changes."""
        kind = self._device.partition(":")[0]
        return digest([code, kind, code_version(), version("torch"), platform.python_version()])
