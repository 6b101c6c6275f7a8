"""How reports call a search: its weighting's usual spelling, and its own name if that is shared."""

from types import MappingProxyType
from typing import Final

from reports._once import once_per_search
from reports.frames import StudyFrames

_WEIGHTINGS: Final = MappingProxyType(
    {
        "stl": "STL",
        "ew": "EW",
        "scalarization": "Scalarization",
        "rlw": "RLW",
        "dwa": "DWA",
        "gls": "GLS",
        "imtl-l": "IMTL-L",
        "uw": "UW",
        "uw-o": "UW-O",
        "uw-so": "UW-SO",
        "pcgrad": "PCGrad",
        "famo": "FAMO",
    }
)


@once_per_search
def weighting_of(frames: StudyFrames, search: str) -> str:
    """The search's weighting; several ones are joined by commas."""
    mine = frames.runs.loc[frames.runs["search"] == search, "weighting"]
    return ", ".join(sorted(mine.unique()))


@once_per_search
def title_of(frames: StudyFrames, search: str) -> str:
    """A title that no other search of the study has."""
    weighting = weighting_of(frames, search)
    title = ", ".join(_WEIGHTINGS.get(name, name) for name in weighting.split(", "))
    shared = sum(weighting_of(frames, other) == weighting for other in frames.searches) > 1
    return f"{title} ({search})" if shared else title
