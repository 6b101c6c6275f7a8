"""Which engine trains a search's runs: a rule, fixed before the first run and kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from study.errors import WorkersUnusable
from trainers.events import NetworkFacts
from trainers.hardware.devices import is_gpu
from trainers.jobs import Engine

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from storage.records import SearchRecord
    from study.planning.plan import Plan
    from study.planning.search_plan import Search
    from study.spec.training import TrainingSpec

Wanted = Literal["auto", "solo", "fused"]


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """An engine and, in a few words, why it is that one."""

    engine: Engine
    reason: str


BY_CALIBRATION = EngineChoice(
    "fused", "convolutions on a GPU: the first calibration chooses, once for all runs"
)
"""The engine that is tried beside the other one."""
_GAIN = 0.95
"""A stack must be faster by some percent: it binds the runs in it together."""


def chosen_by(run_step_ms: Mapping[int, float], hardware: str) -> EngineChoice:
    """The engine by the time of a training step, divided by the runs of a stack; 1 is solo.

    Args:
        run_step_ms: Empty if steps could not be timed.
    """
    stacks = {size: ms for size, ms in run_step_ms.items() if size > 1}
    if not stacks:
        return EngineChoice("solo", "convolutions on a GPU, of which no stack could be timed")
    size, fused_ms = min(stacks.items(), key=lambda item: item[1])
    alone_ms = run_step_ms[1]
    engine: Engine = "fused" if fused_ms <= _GAIN * alone_ms else "solo"
    return EngineChoice(
        engine,
        f"convolutions on {hardware}: a step of a run took {fused_ms:.3g} ms in a stack of {size} "
        f"and {alone_ms:.3g} ms alone",
    )


def choose_engine(
    wanted: Wanted,
    *,
    device: str,
    convolutional: bool,
    obstacle: str = "",
    one_by_one: str = "",
    solo_only: str = "",
) -> EngineChoice:
    """The engine by rule: a run's last bits depend on it.

    What only one search needs comes first, even before what the spec asks for: it is no matter of
    the others, and where they can be stacked, they are.

    Only for convolutions on a GPU there is no rule: `BY_CALIBRATION` is decided once by timing.

    Args:
        convolutional: Whether the network has convolutions; on a CPU a stack of them is slower.
        obstacle: Why the network cannot be stacked; empty if it can, or nobody has looked yet.
        one_by_one: Why this training section is for runs that are trained one by one; empty if
            it is not.
        solo_only: Why runs of this search are never stacked; empty if they may be.

    Raises:
        WorkersUnusable: The spec asks for `fused` and the network cannot be stacked.
    """
    if solo_only:
        return EngineChoice("solo", solo_only)
    if one_by_one:
        return EngineChoice("solo", one_by_one)
    if wanted == "solo":
        return EngineChoice("solo", "asked for by [training] `engine`")
    if wanted == "fused" and obstacle:
        raise WorkersUnusable(
            f'`engine = "fused"` needs a network that can be stacked. This one {obstacle}. '
            'Take `engine = "auto"`, which trains its runs one by one.'
        )
    if wanted == "fused":
        return EngineChoice("fused", "asked for by [training] `engine`")
    if convolutional and device == "cpu":  # before anybody has looked, this is known already
        return EngineChoice("solo", "convolutions are slower in a stack on a CPU")
    if obstacle:
        return EngineChoice("solo", f"the network {obstacle}")
    if convolutional and is_gpu(device):
        return BY_CALIBRATION
    return EngineChoice("fused", "runs of one seed share batches and are trained as one stack")


def one_by_one(training: TrainingSpec) -> str:
    """Why a training section is for runs that are trained one by one; empty if it is not."""
    if training.data_parallel > 1:
        return f"{training.data_parallel} processes a run, by [training] `data_parallel`"
    if training.precision == "float16":
        return "losses are scaled run by run, by [training] `precision`"
    if training.micro_batch_size is not None:
        return "batches go through it in parts, by [training] `micro_batch_size`"
    return ""


def engine_for(
    plan: Plan,
    search: Search,
    *,
    device: str,
    network: NetworkFacts | None,
    stored: Sequence[SearchRecord] = (),
) -> EngineChoice:
    """The engine of a search's runs, with one reason for it whoever asks.

    One that is fixed stays. Searches whose runs may be stacked share packs, and so have one engine:
    a new one takes that of the others.

    Args:
        network: None while nobody has looked at it: then its card counts.
        stored: The study's searches as they are stored.

    Raises:
        WorkersUnusable: As `choose_engine`.
    """
    if (fixed := _fixed(plan, search, stored)) is not None:
        return fixed
    training = plan.spec.training
    return choose_engine(
        training.engine,
        device=device,
        convolutional=plan.card.convolutional or (network is not None and network.convolutional),
        obstacle="" if network is None else network.obstacle,
        one_by_one=one_by_one(training),
        solo_only=search.solo_only,
    )


def _fixed(plan: Plan, search: Search, stored: Sequence[SearchRecord]) -> EngineChoice | None:
    """What is stored for a search, or for others that share packs with it."""
    stackable = {of.name for of in plan.searches if not of.solo_only}
    sharing = stackable if search.name in stackable else {search.name}
    return next(
        (
            EngineChoice(of.engine, of.engine_reason)
            for of in stored
            if of.name in sharing and of.engine is not None
        ),
        None,
    )
