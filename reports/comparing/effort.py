"""Whether equal weighting was tuned as well as the methods that are held against it.

With enough learning rates and weight decays it often does as well (Kurin et al. 2022, Xin et al.
2022), so that a method with more of them may owe its lead to these.
"""

import json
from collections.abc import Mapping
from typing import Final

from reports._once import once_per_study
from reports._titles import title_of, weighting_of
from reports.frames import StudyFrames
from storage.wording import counted

SHARED: Final = {"lr": "learning rate", "weight_decay": "weight decay"}
"""What every weighting can tune, in words."""
_EQUAL: Final = "ew"


def is_equal_weighting(frames: StudyFrames, search: str) -> bool:
    """Whether it is a search of equal weighting."""
    return weighting_of(frames, search) == _EQUAL


@once_per_study
def values_tried(frames: StudyFrames, search: str) -> Mapping[str, int]:
    """How many values of what every weighting can tune the planned trials of a search have."""
    runs = frames.runs_of(search)
    mine = runs[(runs["role"] == "search") & runs["planned"]]
    points = [json.loads(text) for text in mine["params"].unique()]
    return {name: len({point[name] for point in points if name in point}) for name in SHARED}


def shortfall(frames: StudyFrames, equal: str, other: str) -> str:
    """A sentence on how equal weighting was tuned less than another method; empty if it was not."""
    mine, theirs = values_tried(frames, equal), values_tried(frames, other)
    fewer = [name for name in SHARED if mine[name] < theirs[name]]
    if not fewer:
        return ""
    told = " and ".join(counted(mine[name], SHARED[name]) for name in fewer)
    against = " and ".join(str(theirs[name]) for name in fewer)
    title, rival = title_of(frames, equal), title_of(frames, other)
    return f"But {title} was tuned less: with {told}, {rival} with {against}."
