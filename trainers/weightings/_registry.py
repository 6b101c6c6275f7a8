"""All weightings by name; asking for them imports no torch."""

from __future__ import annotations

import importlib
from functools import cache

from trainers.hints import did_you_mean
from trainers.weightings._base import Weighting
from trainers.weightings._discovery import own, plugins, scan
from trainers.weightings.errors import UnknownWeighting

PACKAGE = "trainers.weightings"


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


@cache
def _known() -> dict[str, Weighting]:
    builtin = scan(importlib.import_module(PACKAGE))
    return builtin | plugins(taken=builtin)
