"""What a problem must keep to, tried on a few of its samples: a contract that a user can run."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from trainers.engines.looking.comparing import Seen
from trainers.engines.looking.fusable import Look, facts_of
from trainers.engines.looking.plain import plain_epochs
from trainers.engines.session import Session
from trainers.events import Promise
from trainers.failures import told
from trainers.jobs import Precision
from trainers.randomness import Key


def promises(session: Session, precision: Precision = "float32") -> Iterator[Promise]:
    """Try a problem; an exception of its own stands against what it was met in.

    Raises:
        SharedModule: The problem gives two runs the same module.
    """
    look = Look.at(session, precision)
    tried: tuple[tuple[str, Callable[[], str]], ...] = (
        ("batches of one key are the same again", lambda: _other_batches(session)),
        ("a run does as plain PyTorch does", lambda: _not_plain(look)),
        ("a run leaves nothing to the next", lambda: _left_over(look)),
    )
    for name, attempt in tried:
        try:
            found = attempt()
        except Exception as error:  # a user's problem may raise anything
            found = f"It raised {told(error)}."
        yield Promise(name=name, needed=True, found=found)
    facts = facts_of(look)
    for name, found in (
        ("a run goes on from what it has saved", facts.unsaved),
        ("runs can be trained as one stack", facts.obstacle),
    ):
        yield Promise(name=name, needed=False, found=f"The network {found}." if found else "")


def _other_batches(session: Session) -> str:
    key = Key("check")
    for split, source in session.sources.items():
        order = torch.arange(min(source.size, 8))
        first, again = ([*source.batches(order, 4, key / split)] for _ in range(2))
        for one, other in zip(first, again, strict=True):
            pairs = zip(
                *(tree_leaves((b.inputs, dict(b.targets))) for b in (one, other)), strict=True
            )
            if not all(_same(*pair) for pair in pairs):
                return (
                    f"The {split} source gives other batches for the same samples and key. Draw "
                    "all that is random from `key / sample_index`."
                )
    return ""


def _same(one: object, other: object) -> bool:
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return one.shape == other.shape and torch.allclose(one, other, 0, 0, equal_nan=True)
    return bool(one == other)


def _not_plain(look: Look) -> str:
    rehearsal = look.rehearsed()
    course = rehearsal.alone()
    plain = plain_epochs(rehearsal.session, rehearsal.job(), rehearsal.training)
    for epoch, (found, expected) in enumerate(zip(course.epochs, plain, strict=True)):
        same: Seen = {name: value for name, value in found.items() if name in expected}
        if name := rehearsal.differing(same, expected, epoch):
            return f"After epoch {epoch + 1}, {name} differs. Please report it with the network."
    return ""


def _left_over(look: Look) -> str:
    if not (name := look.left_over()):
        return ""
    return (
        f"The same run, trained a second time in one process, differs in {name}. Something "
        "outlives a run: a class attribute, a global, a cache, or a generator that is not torch's."
    )
