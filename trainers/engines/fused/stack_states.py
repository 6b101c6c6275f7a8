"""Between the rows of a stack and the states of its runs, which are those of the solo engine.

Shapes: R rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from trainers.engines.fused.forward import carried_tensors, trained_parameters
from trainers.engines.fused.member import Member
from trainers.engines.fused.rows import RowLayout, Rows
from trainers.engines.fused.weighting_rows import WeightingRows
from trainers.engines.stepping import build_optimizer
from trainers.jobs import Training
from trainers.keeping.checkpoints import State
from trainers.keeping.networks import NetworkCopy
from trainers.network import MultiTaskNetwork
from trainers.optimizers import optimizer


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """All tensors of a stack but the weightings' states.

    Attributes:
        network: The networks' parameters.
        learned: What the weightings learn.
        carried: Name to ``[R, *shape]``: buffers and frozen parameters.
        keys: Key of a network's state to the tensor's name; tied tensors have several.
        outside: What buffers that are not in the network's state begin as, by name.
        order: Names of the network's parameters as a solo optimiser counts them.
    """

    network: Rows
    learned: Rows
    carried: Mapping[str, Tensor]
    keys: Mapping[str, str]
    outside: Mapping[str, Tensor]
    order: Sequence[str]


def network_keys(network: MultiTaskNetwork) -> dict[str, str]:
    """Key of the network's state to the name under which the tensor is stacked."""
    names = {
        id(value): name for name, value in (*network.named_parameters(), *network.named_buffers())
    }
    return {key: names[id(value)] for key, value in network.state_dict(keep_vars=True).items()}


def buffers_outside(network: MultiTaskNetwork) -> dict[str, Tensor]:
    """The network's buffers that are not persistent, name to ``[*shape]``."""
    saved = {id(value) for value in network.state_dict(keep_vars=True).values()}
    return {name: value for name, value in network.named_buffers() if id(value) not in saved}


@torch.no_grad()
def fill(store: Store, rows: Sequence[Member], network: MultiTaskNetwork) -> None:
    """Set all rows: as a run's state says, or as what it begins from does, or as `network` is."""
    start = {**trained_parameters(network), **carried_tensors(network)}
    here = {**store.network.layout.views(store.network.values), **store.carried}
    for name, value in start.items():
        here[name].copy_(value)
    learned = store.learned.layout.views(store.learned.values)
    for row, member in enumerate(rows):
        for name, begin in member.weighting.params(member.hyper).items():
            learned[name][row] = begin
        source = member.state or member.initial or {}
        for key, value in source.get("network", {}).items():
            here[store.keys[key]][row].copy_(value)
        for name, value in source.get("outside", {}).items():
            here[name][row].copy_(value)
        if member.state is not None:
            for name, value in member.state["params"].items():
                learned[name][row].copy_(value)
            for slot, into, place in _kept(store, member):
                into[row].copy_(member.state["optimizer"]["state"][place][slot])


def states(
    store: Store,
    members: Sequence[Member],
    parts: Sequence[WeightingRows],
    *,
    training: Training,
    epoch: int,
    steps: int,
) -> list[State]:
    """The states of the first rows, which are `members`'."""
    of_weighting = {row: state for part in parts for row, state in part.states().items()}
    here = {**store.network.layout.views(store.network.values), **store.carried}
    learned = store.learned.layout.views(store.learned.values)
    device = store.network.values.device
    begun = {name: first.to(device) for name, first in store.outside.items()}
    step = torch.tensor(float(steps), dtype=torch.float32, device=device)
    found: list[State] = []
    for row, member in enumerate(members):
        kept: dict[int, dict[str, Tensor]] = {}
        for slot, tensor, place in _kept(store, member):
            kept.setdefault(place, {})[slot] = tensor[row]
        if optimizer(training.optimizer, training.folder).counts_steps:
            kept = {place: {"step": step, **of_one} for place, of_one in kept.items()}
        names = member.weighting.params(member.hyper)
        found.append(
            {
                **_network(store.keys, {name: value[row] for name, value in here.items()}, begun),
                "optimizer": {"state": kept, "param_groups": _groups(store, member, training)},
                "params": {name: learned[name][row] for name in names},
                "state": of_weighting[row],
                "epoch": epoch,
            }
        )
    return found


def network_copies(store: Store, rows: Sequence[int]) -> list[NetworkCopy]:
    """The networks of rows as they are now, on the CPU and in memory of their own.

    Rows come from a GPU all at once, and what a row holds of parameters is one piece of memory:
    there are many tensors, and of each there would be a copy. They are told apart when a copy is
    asked for.
    """
    chosen = torch.tensor([*rows], device=store.network.values.device)
    values = store.network.values.index_select(0, chosen).cpu()
    carried = {name: of.index_select(0, chosen).cpu() for name, of in store.carried.items()}
    outside = {name: first.cpu() for name, first in store.outside.items()}
    return [
        partial(
            _told_apart,
            values[place : place + 1].clone(),
            {name: of[place].clone() for name, of in carried.items()},
            outside,
            store.network.layout,
            store.keys,
        )
        for place in range(len(rows))
    ]


def _told_apart(
    row: Tensor,
    carried: Mapping[str, Tensor],
    begun: Mapping[str, Tensor],
    layout: RowLayout,
    keys: Mapping[str, str],
) -> State:
    """The network's part of a run's state, from a row ``[1, W]`` of parameters."""
    here = {name: of[0] for name, of in layout.views(row).items()} | dict(carried)
    return _network(keys, here, begun)


def _network(
    keys: Mapping[str, str], here: Mapping[str, Tensor], begun: Mapping[str, Tensor]
) -> State:
    """The network's part of a run's state, by the names that its tensors are stacked under.

    Args:
        keys: Key of the network's state to the tensor's name.
        begun: What buffers that are not in the network's state began as, by name.
    """
    outside = {
        name: here[name] for name, first in begun.items() if not torch.equal(here[name], first)
    }
    return {"network": {key: here[name] for key, name in keys.items()}, "outside": outside}


def _kept(store: Store, member: Member) -> Iterator[tuple[str, Tensor, int]]:
    """What the optimiser keeps: name, rows, place as a solo optimiser counts.

    Rows are ``[R, *shape]``, or ``[R, T, *shape]`` of what is kept per task.
    """
    trained = [(place, name) for place, name in enumerate(store.order)]
    learned = list(enumerate(member.weighting.params(member.hyper), start=len(store.order)))
    for part, places in ((store.network, trained), (store.learned, learned)):
        for slot, values in part.kept.items():
            views = part.layout.views(values)
            if values.dim() > part.values.dim():
                views = {name: view.transpose(0, 1) for name, view in views.items()}
            for place, name in places:
                if name in views:  # a frozen parameter has none
                    yield slot, views[name], place


def _groups(store: Store, member: Member, training: Training) -> Any:
    """The settings of a solo optimiser for this run."""
    blanks = [torch.zeros(0, requires_grad=True) for _ in store.order]
    learned = [torch.zeros(0, requires_grad=True) for _ in member.weighting.params(member.hyper)]
    of_run = build_optimizer(blanks, learned, job=member.job, training=training)
    return of_run.state_dict()["param_groups"]
