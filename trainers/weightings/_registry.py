"""All weightings by name: the modules of this package, plugins of other distributions, one's own.

Asking for them imports no torch.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import warnings
from collections.abc import Container
from functools import cache
from types import ModuleType

from trainers.plugins import offered
from trainers.problems import ProblemError
from trainers.problems.user_module import named
from trainers.suggestions import did_you_mean, shown
from trainers.weightings._base import Weighting
from trainers.weightings.errors import BadWeighting, UnknownWeighting

PACKAGE = "trainers.weightings"
GROUP = "weighbridge.weightings"
"""Entry-point group of plugins; each entry names a concrete `Weighting` class."""

_LONGEST = 64  # what a study database holds

NO_METHOD = ("errors", "levels")
"""The public modules of the package that hold no method."""


def names() -> tuple[str, ...]:
    """Names of all weightings, sorted.

    Raises:
        BadWeighting: A module of the package does not define exactly one weighting.
    """
    return tuple(sorted(_known()))


def weighting(name: str, folder: str | None = None) -> Weighting:
    """The weighting called `name`, or the class that ``module:Class`` names.

    Args:
        folder: Where a module of one's own may lie beside the normal import path.

    Raises:
        UnknownWeighting: There is none.
        BadWeighting: A module of the package does not define exactly one weighting; or a class of
            one's own is none, cannot be imported, or has a name that is taken.
    """
    known = _known()
    if ":" in name:
        return own(name, folder, taken=known)
    if name not in known:
        raise UnknownWeighting(
            f"There is no weighting `{name}`.{did_you_mean(name, known)} "
            f"Known: {', '.join(sorted(known))}. One of your own is `module:Class`."
        )
    return known[name]


def scan(package: ModuleType) -> dict[str, Weighting]:
    """Instances of the weightings in a package's public modules, by name.

    Raises:
        BadWeighting: A public module does not define exactly one concrete weighting, or two
            define the same name.
    """
    found: dict[str, Weighting] = {}
    for info in pkgutil.iter_modules(package.__path__):
        if info.name.startswith("_") or info.name in NO_METHOD:
            continue
        module = importlib.import_module(f"{package.__name__}.{info.name}")
        method = _instance(_sole_weighting(module))
        if method.name in found:
            raise BadWeighting(
                f"Weightings must have different names. {module.__name__} and "
                f"{type(found[method.name]).__module__} both set `name` to {method.name!r}. "
                "Rename one."
            )
        found[method.name] = method
    return found


def plugins(taken: Container[str]) -> dict[str, Weighting]:
    """Instances of the weightings that other distributions offer, by name.

    A plugin that cannot be used, or has a name that is taken, is skipped with a warning: one
    broken distribution must not stop studies that do not use it.
    """
    found: dict[str, Weighting] = {}
    for entry in offered(GROUP):
        try:
            method = _instance(entry.load())
            if method.name in taken or method.name in found:
                raise BadWeighting(f"The name {method.name!r} is taken.")
        except Exception as error:
            warnings.warn(
                f"The weighting plugin `{entry.name}` ({entry.value}) is skipped: "
                f"{type(error).__name__}: {error} Mend or uninstall it.",
                stacklevel=2,
            )
        else:
            found[method.name] = method
    return found


def own(target: str, folder: str | None, *, taken: Container[str]) -> Weighting:
    """An instance of the class that ``module:Class`` names, under the rules of plugins.

    Raises:
        BadWeighting: It cannot be imported, is no weighting, or has a name that is taken.
    """
    try:
        found = named(target, folder, of="`weighting`") if len(target) <= _LONGEST else None
    except ProblemError as error:
        raise BadWeighting(str(error)) from error
    if found is None:
        raise BadWeighting(
            f"A weighting of one's own is `package.module:Class`, in {_LONGEST} characters. Got "
            f"{target!r}. Write `my_weighting:Mine` for the class in my_weighting.py."
        )
    method = _instance(found)
    if method.name in taken:
        raise BadWeighting(f"The name {method.name!r} of {target} is taken. Give it its own.")
    return method


def _sole_weighting(module: ModuleType) -> object:
    """The one concrete weighting class that `module` itself defines."""
    classes = [
        value
        for value in vars(module).values()
        if inspect.isclass(value)
        and value.__module__ == module.__name__
        and issubclass(value, Weighting)
        and not inspect.isabstract(value)
    ]
    if len(classes) != 1:
        found = ", ".join(each.__name__ for each in classes) or "none"
        raise BadWeighting(
            f"{module.__name__} must define exactly one concrete Weighting. Found: {found}. "
            "Move helpers to a module whose name starts with an underscore."
        )
    return classes[0]


def _instance(found: object) -> Weighting:
    """An instance of a weighting class that is complete."""
    if not inspect.isclass(found) or not issubclass(found, Weighting) or inspect.isabstract(found):
        raise BadWeighting(f"{found!r} must be a concrete subclass of Weighting.")
    said = {key: getattr(found, key, "") for key in ("name", "title", "paper")}
    missing = [key for key, text in said.items() if not (isinstance(text, str) and text)]
    if missing:
        raise BadWeighting(
            f"{found.__qualname__} must set name, title and paper, a text each. Missing: "
            f"{', '.join(missing)}."
        )
    if not (said["title"].isprintable() and len(said["title"]) <= _LONGEST):
        raise BadWeighting(
            f"The title of {found.__qualname__} stands in tables: printable text of at most "
            f"{_LONGEST} characters. Got {shown(said['title'])}. Shorten it."
        )
    return found()


@cache
def _known() -> dict[str, Weighting]:
    builtin = scan(importlib.import_module(PACKAGE))
    return builtin | plugins(taken=builtin)
