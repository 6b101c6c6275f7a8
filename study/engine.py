"""Which engine trains a study's runs: a rule, fixed before the first run and kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from study.errors import WorkersUnusable
from trainers.events import NetworkFacts
from trainers.jobs import Engine

if TYPE_CHECKING:
    from collections.abc import Callable

    from study.shift import Shift

Wanted = Literal["auto", "solo", "fused"]


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """An engine and, in a few words, why it is that one."""

    engine: Engine
    reason: str


def choose_engine(
    wanted: Wanted,
    *,
    device: str,
    convolutional: bool,
    obstacle: str = "",
    data_parallel: int = 1,
) -> EngineChoice:
    """The engine by rule, never by timing: a run's last bits depend on it.

    Args:
        convolutional: Whether the network has convolutions; on a CPU a stack of them is slower.
        obstacle: Why the network cannot be stacked; empty if it can, or nobody has looked yet.
        data_parallel: Processes that train a run together.

    Raises:
        WorkersUnusable: The spec asks for `fused` and the network cannot be stacked.
    """
    if data_parallel > 1:
        return EngineChoice(
            "solo", f"{data_parallel} processes a run, by [training] `data_parallel`"
        )
    if wanted == "solo":
        return EngineChoice("solo", "asked for by [training] `engine`")
    if wanted == "fused" and obstacle:
        raise WorkersUnusable(
            f'`engine = "fused"` needs a network that can be stacked. This one {obstacle}. '
            'Take `engine = "auto"`, which trains its runs one by one.'
        )
    if wanted == "fused":
        return EngineChoice("fused", "asked for by [training] `engine`")
    if obstacle:
        return EngineChoice("solo", f"the network {obstacle}")
    if device == "cpu" and convolutional:
        return EngineChoice("solo", "convolutions are slower in a stack on a CPU")
    return EngineChoice("fused", "runs of one seed share batches and are trained as one stack")


OF_FUNCTIONS = EngineChoice("solo", "a training function trains one run at a time")


def settle_engine(
    shift: Shift, network: NetworkFacts, *, device: str, say: Callable[[str], None]
) -> None:
    """Fix the engine by what the first worker has found, or take the one that is fixed.

    Args:
        say: Told when a network that cannot be stacked makes the study slower than it might be.

    Raises:
        WorkersUnusable: The engine is `fused` and the network cannot be stacked.
    """
    spec = shift.plan.spec
    if shift.engine is None:
        choice = OF_FUNCTIONS
        if spec.function is None:
            choice = choose_engine(
                spec.training.engine,
                device=device,
                convolutional=network.convolutional,
                obstacle=network.obstacle,
                data_parallel=spec.training.data_parallel,
            )
        shift.storage.fix_engine(shift.study_id, choice.engine, choice.reason)
        shift.engine = shift.storage.study(spec.name).engine
        asked = spec.training.engine != "auto" or spec.training.data_parallel > 1
        if network.obstacle and not asked and spec.function is None:
            how = "in step" if network.streamed else "one by one"
            say(f"Runs are trained {how}: {choice.reason}.")
    shift.streamed = network.streamed
    if shift.fused and network.obstacle:
        raise WorkersUnusable(
            f"The runs of study {spec.name} are trained in stacks. Now the network "
            f"{network.obstacle}. Go back to the code it was begun with, or begin another study."
        )
