"""How reports call a search: by its weighting's title, and its own name if that is shared."""

from reports._once import once_per_search
from reports.frames import StudyFrames


@once_per_search
def weighting_of(frames: StudyFrames, search: str) -> str:
    """The search's weighting; several ones are joined by commas."""
    mine = frames.runs.loc[frames.runs["search"] == search, "weighting"]
    return ", ".join(sorted(mine.unique()))


@once_per_search
def title_of(frames: StudyFrames, search: str) -> str:
    """A title that no other search of the study has."""
    title = _title(frames, search)
    shared = sum(_title(frames, other) == title for other in frames.searches) > 1
    return f"{title} ({search})" if shared else title


def _title(frames: StudyFrames, search: str) -> str:
    """As the weighting has it; of studies that were stored without titles, its name."""
    titles = frames.card.get("weightings", {})
    names = weighting_of(frames, search).split(", ")
    return ", ".join(titles.get(name, name) for name in names)
