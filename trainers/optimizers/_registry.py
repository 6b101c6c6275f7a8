"""All optimisers by name: those of this package, and plugins of other distributions.

Asking for names loads none of them, and imports no torch.
"""

from __future__ import annotations

import inspect
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from trainers.errors import BadOptimizer, UnknownOptimizer
from trainers.jobs import Training
from trainers.optimizers._base import Optimizer
from trainers.suggestions import did_you_mean

GROUP = "weighbridge.optimizers"
"""Entry-point group of plugins; each names a concrete `Optimizer` class."""

BUILT_IN = {
    "sgd": "trainers.optimizers.sgd:SGD",
    "adam": "trainers.optimizers.adam:Adam",
    "adamw": "trainers.optimizers.adamw:AdamW",
}


def names() -> tuple[str, ...]:
    """Names of all optimisers: the built-in ones, then plugins."""
    return tuple(_entries())


@cache
def optimizer(name: str) -> Optimizer:
    """The optimiser called `name`.

    Raises:
        UnknownOptimizer: There is none.
        BadOptimizer: A plugin cannot be loaded, or is no concrete `Optimizer`.
    """
    entry = _entries().get(name)
    if entry is None:
        raise UnknownOptimizer(
            f"There is no optimiser `{name}` here.{did_you_mean(name, names())} "
            f"Known: {', '.join(names())}. A plugin must be installed wherever workers run."
        )
    try:
        found = entry.load()
    except Exception as error:  # a plugin may raise anything
        raise _bad(entry, f"{type(error).__name__}: {error}") from error
    if not (inspect.isclass(found) and issubclass(found, Optimizer)) or inspect.isabstract(found):
        raise _bad(entry, f"{found!r} is no concrete subclass of Optimizer.")
    return found()


def refuse_unless_fit(level: str, training: Training) -> None:
    """See `Optimizer.refuse_unless_fit`; built-in ones fit all, and are not loaded for that.

    Raises:
        UnfitOptimizer: A plugin does not fit.
    """
    if training.optimizer not in BUILT_IN:
        optimizer(training.optimizer).refuse_unless_fit(level, training)


def _entries() -> dict[str, EntryPoint]:
    own = {name: EntryPoint(name, target, GROUP) for name, target in BUILT_IN.items()}
    plugins = {entry.name: entry for entry in sorted(entry_points(group=GROUP))}
    return own | {name: entry for name, entry in plugins.items() if name not in own}


def _bad(entry: EntryPoint, why: str) -> BadOptimizer:
    return BadOptimizer(
        f"The optimiser plugin `{entry.name}` ({entry.value}) cannot be used: {why} "
        "Mend it, or choose another `optimizer`."
    )
