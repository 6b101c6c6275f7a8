"""How a study's runs are trained: what is found of its network, and what is fixed by it."""

from __future__ import annotations

import platform
from collections.abc import Callable
from importlib.metadata import version
from typing import TYPE_CHECKING

from storage.records import NetworkLook, StudyRecord
from study.errors import WorkersUnusable
from study.planning.engine import BY_CALIBRATION, EngineChoice, engine_for
from study.planning.keys import digest
from study.planning.last_batch import refusal
from study.planning.plan import Plan
from trainers.events import NetworkFacts
from trainers.hardware.devices import is_gpu
from trainers.hardware.environment import code_version
from trainers.jobs import Engine

if TYPE_CHECKING:
    from storage import Storage


class EngineState:
    """The engine of a study's runs, from before it is known until it is fixed.

    A network is looked at once for each version of its code; what is found is kept.

    Args:
        study: As it is stored; what is fixed there stays.
        device: Of all workers.
        say: Told what makes the study slower than it might be, or its runs begin again.

    Attributes:
        name: Of the engine; None until the first worker has looked at the network.
        undecided: A calibration is to choose it.
        on_gpu: Stacks have a fixed number of rows.
        rows: That number, once it is fixed.
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
        self.name: Engine | None = study.engine
        self.undecided = False
        self.on_gpu = is_gpu(device)
        self.rows = study.stack_rows if self.on_gpu else None
        self.streamed = False
        self._told_unsaved = False
        self._looks: dict[str, NetworkFacts] = {}  # by the code's fingerprint
        self._recall(plan.code.fingerprint)

    @property
    def fused(self) -> bool:
        """Whether runs are stacked."""
        return self.name == "fused"

    @property
    def packed(self) -> bool:
        """Whether runs are trained in packs: stacked, or in step to share the reading."""
        alone = self._plan.training.data_parallel == 1
        return self.fused or (self.name == "solo" and self.streamed and alone)

    @property
    def stack_rows(self) -> int | None:
        """Rows of every stack, padding included; None if it has as many as runs."""
        return self.rows if self.fused else None

    def looked(self, code: str) -> bool:
        """Whether anything is known of the network that this code makes."""
        return code in self._looks

    def unsaved(self, code: str) -> str:
        """Why runs of this code cannot be saved; empty if they can."""
        return self._looks[code].unsaved

    def settle(self, code: str, found: NetworkFacts | None) -> bool:
        """Fix the engine by what a worker has found of its network, or take the one that is fixed.

        Args:
            code: Fingerprint of the code that the worker has loaded.
            found: None if the worker has not looked, as one has before.

        Returns:
            Whether anything is known of the network now.

        Raises:
            WorkersUnusable: The engine is `fused` and the network cannot be stacked; or the network
                fails on the last batch of an epoch.
        """
        known = self._looks.get(code) if found is None else found
        if known is None:
            return False
        self._settle(known)
        if found is not None:
            self._keep(code, found)
        return True

    def fix(self, choice: EngineChoice) -> None:
        """Store the engine of all runs, or take the one that another driver has stored before."""
        self._storage.fix_engine(self._study_id, choice.engine, choice.reason)
        self.name = self._storage.study(self._plan.spec.name).engine
        self.undecided = False

    def fix_rows(self, rows: int) -> None:
        """Store the rows of all stacks, or take what another driver has stored before."""
        self._storage.fix_rows(self._study_id, rows)
        self.rows = self._storage.study(self._plan.spec.name).stack_rows

    def lower_rows(self, rows: int) -> None:
        """Have smaller stacks from now on."""
        self._storage.lower_rows(self._study_id, rows)
        self.rows = rows

    def _settle(self, network: NetworkFacts) -> None:
        self.streamed = network.streamed
        if network.last_batch:
            raise WorkersUnusable(refusal(network.last_batch))
        if self.name is None:
            choice = engine_for(self._plan, device=self._device, network=network)
            if choice is BY_CALIBRATION:
                self.undecided = True
                return
            self.fix(choice)
            if choice.reason.endswith(network.obstacle) and network.obstacle:
                how = "in step" if network.streamed else "one by one"
                self._say(f"Runs are trained {how}: {choice.reason}.")
        if network.unsaved and not self._told_unsaved:
            self._told_unsaved = True
            self._say(f"Runs begin again after an interruption: the network {network.unsaved}.")
        if self.fused and network.obstacle:
            raise WorkersUnusable(
                f"The runs of study {self._plan.spec.name} are trained in stacks. Now the network "
                f"{network.obstacle}. Go back to the code it was begun with, or begin another "
                "study."
            )

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
        if self._plan.spec.function is None:  # there is no network to look at
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
