"""All optimisers by name: the modules of this package, plugins of other distributions, one's own.

Asking for names loads none of them, and imports no torch.
"""

from __future__ import annotations

import inspect
from functools import cache
from importlib.metadata import EntryPoint
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import TypeGuard

from trainers.errors import BadOptimizer, UnknownOptimizer
from trainers.jobs import Training
from trainers.optimizers._base import Optimizer
from trainers.plugins import offered_by_name
from trainers.problems import ProblemError
from trainers.problems.user_module import named
from trainers.suggestions import did_you_mean

GROUP = "weighbridge.optimizers"
"""Entry-point group of plugins; each names a concrete `Optimizer` class."""

BUILT_IN = tuple(
    sorted(
        found.name
        for found in iter_modules([str(Path(__file__).parent)])
        if not found.name.startswith("_")
    )
)
"""An optimiser is called like its file."""

_PER_TASK = frozenset({"adatask"})
"""Built-in ones that need each task's own gradient; their files import no torch."""

WITHOUT_MOMENTUM = frozenset({"adam", "adamw", "adatask"})
"""Built-in ones that ignore `momentum`; others may go by it."""


def names() -> tuple[str, ...]:
    """Names of all optimisers: the built-in ones, then plugins."""
    return tuple(_entries())


@cache
def optimizer(name: str, folder: str | None = None) -> Optimizer:
    """The optimiser called `name`, or of the class that ``module:Class`` names.

    Args:
        folder: Where a module of one's own may lie beside the normal import path.

    Raises:
        UnknownOptimizer: There is none.
        BadOptimizer: It cannot be loaded, or is no concrete `Optimizer`; a file of this package has
            just one.
    """
    if ":" in name:
        return _own(name, folder)
    entry = _entries().get(name)
    if entry is None:
        raise UnknownOptimizer(
            f"There is no optimiser `{name}` here.{did_you_mean(name, names())} "
            f"Known: {', '.join(names())}. A plugin must be installed wherever workers run; one of "
            "your own is `module:Class`."
        )
    try:
        found = entry.load()
        if name in BUILT_IN:
            found = _sole_optimizer(found)
    except Exception as error:  # a plugin may raise anything
        raise _bad(f"`{name}` ({entry.value})", f"{type(error).__name__}: {error}") from error
    if not _is_optimizer(found):
        raise _bad(f"`{name}` ({entry.value})", f"{found!r} is no concrete subclass of Optimizer.")
    return found()


def refuse_unless_fit(level: str, training: Training) -> None:
    """See `Optimizer.refuse_unless_fit`; built-in ones that fit all are not loaded for that.

    Raises:
        UnfitOptimizer: The optimiser does not fit.
    """
    if training.optimizer not in BUILT_IN or training.optimizer in _PER_TASK:
        optimizer(training.optimizer, training.folder).refuse_unless_fit(level, training)


def _own(target: str, folder: str | None) -> Optimizer:
    try:
        found = named(target, folder, of="`optimizer`")
    except ProblemError as error:
        raise BadOptimizer(str(error)) from error
    if found is None:
        raise BadOptimizer(
            f"An optimiser of one's own is `package.module:Class`. Got {target!r}. Write "
            "`my_optimizer:Mine` for the class in my_optimizer.py."
        )
    if not _is_optimizer(found):
        raise _bad(f"`{target}`", f"{found!r} is no concrete subclass of Optimizer.")
    return found()


def _entries() -> dict[str, EntryPoint]:
    package = __name__.rpartition(".")[0]
    own = {name: EntryPoint(name, f"{package}.{name}", GROUP) for name in BUILT_IN}
    return own | offered_by_name(GROUP) | own


def _sole_optimizer(module: ModuleType) -> type[Optimizer]:
    own = [of for of in vars(module).values() if getattr(of, "__module__", "") == module.__name__]
    classes = [of for of in own if _is_optimizer(of)]
    if len(classes) != 1:
        raise TypeError(f"A file of an optimiser has one concrete Optimizer. Got {classes}.")
    return classes[0]


def _is_optimizer(found: object) -> TypeGuard[type[Optimizer]]:
    return inspect.isclass(found) and issubclass(found, Optimizer) and not inspect.isabstract(found)


def _bad(which: str, why: str) -> BadOptimizer:
    return BadOptimizer(
        f"The optimiser {which} cannot be used: {why} Mend it, or choose another `optimizer`."
    )
