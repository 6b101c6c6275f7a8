"""What people read for names that are typed in specs and commands: searches' and parameters'."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

_STL: Final = "stl/"
_WEIGHT: Final = "w_"
_CALLED: Final = {"lr": "learning rate"}
_LONGEST: Final = 300  # digits
_UNREAD: Final = "params"
"""Under this name stands a text of parameters that is no JSON object."""


def titles_of(known: Mapping[str, str], weightings: Mapping[str, str]) -> dict[str, str]:
    """What each search is called: as its weighting is, and by its own name if that is shared.

    Args:
        known: Titles of weightings, as a study's card has them; of old studies it has none.
        weightings: Of each search; several ones of a search are joined by commas.
    """
    found = {
        search: ", ".join(known.get(name, name) for name in weighting.split(", ")) or search
        for search, weighting in weightings.items()
    }
    shared = list(found.values())
    return {
        search: title if shared.count(title) == 1 else f"{title} ({search.removeprefix(_STL)})"
        for search, title in found.items()
    }


def called(name: str) -> str:
    """A parameter in words: ``learning rate``, ``weight of price``."""
    if name.startswith(_WEIGHT):
        return f"weight of {name.removeprefix(_WEIGHT)}"
    return _CALLED.get(name, name.replace("_", " "))


def point_of(params: str) -> dict[str, Any]:
    """A trial's parameters by name, from their JSON, or its text whole: every trial can be shown.

    Letters that no encoding can write are question marks, whole numbers that no other number is as
    large as are texts.
    """
    try:
        found = _DECODER.decode(params)
        if "\\u" in params:
            found = json.loads(json.dumps(found, ensure_ascii=False).encode(errors="replace"))
    except (ValueError, RecursionError):
        found = None
    return found if isinstance(found, dict) else {_UNREAD: params}


def _whole(digits: str) -> int | str:
    return int(digits) if len(digits) < _LONGEST else digits


_DECODER: Final = json.JSONDecoder(parse_int=_whole)
"""Made once: to make one takes as long as to read a point."""
