"""Work that all figures and tables of a report ask for again is done once."""

from collections.abc import Callable, Hashable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

_Frames = TypeVar("_Frames")
_Found = TypeVar("_Found")
_More = ParamSpec("_More")
_Of = Callable[Concatenate[_Frames, _More], _Found]


def once_per_study(function: _Of[_Frames, _More, _Found]) -> _Of[_Frames, _More, _Found]:
    """Keep what a function finds of a study, as long as its frames are there.

    What is found for further arguments, such as a search's name, is kept for each of them. It must
    not be changed by who gets it.
    """
    known: WeakKeyDictionary[_Frames, dict[Hashable, _Found]] = WeakKeyDictionary()

    @wraps(function)
    def kept(frames: _Frames, /, *more: _More.args, **named: _More.kwargs) -> _Found:
        found, key = known.setdefault(frames, {}), (more, *sorted(named.items()))
        if key not in found:
            found[key] = function(frames, *more, **named)
        return found[key]

    return kept
