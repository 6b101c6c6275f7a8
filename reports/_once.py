"""Work that all figures and tables of a report ask for again is done once."""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar
from weakref import WeakKeyDictionary

from reports.frames import StudyFrames

_Found = TypeVar("_Found")
_Of = Callable[[StudyFrames, str], _Found]


def once_per_study(function: Callable[[StudyFrames], _Found]) -> Callable[[StudyFrames], _Found]:
    """Keep what a function finds, as long as the frames are there.

    What is found must not be changed by who gets it.
    """
    known: WeakKeyDictionary[StudyFrames, _Found] = WeakKeyDictionary()

    @wraps(function)
    def kept(frames: StudyFrames) -> _Found:
        if frames not in known:
            known[frames] = function(frames)
        return known[frames]

    return kept


def once_per_search(function: _Of[_Found]) -> _Of[_Found]:
    """Keep what a function finds for a search, as long as the frames are there.

    What is found must not be changed by who gets it.
    """
    known: WeakKeyDictionary[StudyFrames, dict[str, _Found]] = WeakKeyDictionary()

    @wraps(function)
    def kept(frames: StudyFrames, search: str) -> _Found:
        found = known.setdefault(frames, {})
        if search not in found:
            found[search] = function(frames, search)
        return found[search]

    return kept
