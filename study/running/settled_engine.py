"""The engine of a study's runs, fixed by what its first worker has found of the network."""

from __future__ import annotations

from collections.abc import Callable

from study.errors import WorkersUnusable
from study.planning.engine import BY_CALIBRATION, EngineChoice, engine_for
from study.planning.last_batch import refusal
from study.running.shift import Shift
from trainers.events import NetworkFacts


def fix(shift: Shift, choice: EngineChoice) -> None:
    """Store the engine of all runs, or take the one that another driver has stored before."""
    shift.storage.fix_engine(shift.study_id, choice.engine, choice.reason)
    shift.engine = shift.storage.study(shift.plan.spec.name).engine
    shift.undecided = False


def settle_engine(
    shift: Shift, network: NetworkFacts, *, device: str, say: Callable[[str], None]
) -> None:
    """Fix the engine by what the first worker has found, or take the one that is fixed.

    Args:
        say: Told when a network that cannot be stacked makes the study slower than it might be.

    Raises:
        WorkersUnusable: The engine is `fused` and the network cannot be stacked; or the network
            fails on the last batch of an epoch.
    """
    spec = shift.plan.spec
    shift.streamed = network.streamed
    if network.last_batch:
        raise WorkersUnusable(refusal(network.last_batch))
    if shift.engine is None:
        choice = engine_for(shift.plan, device=device, network=network)
        if choice is BY_CALIBRATION:
            shift.undecided = True
            return
        fix(shift, choice)
        if choice.reason.endswith(network.obstacle) and network.obstacle:
            how = "in step" if network.streamed else "one by one"
            say(f"Runs are trained {how}: {choice.reason}.")
    if network.unsaved and not shift.unsaved:
        shift.unsaved = network.unsaved
        say(f"Runs begin again after an interruption: the network {network.unsaved}.")
    if shift.fused and network.obstacle:
        raise WorkersUnusable(
            f"The runs of study {spec.name} are trained in stacks. Now the network "
            f"{network.obstacle}. Go back to the code it was begun with, or begin another study."
        )
