"""How reports call a search: by its weighting's title, and its own name if that is shared."""

from reports._naming import titles_of
from reports._once import once_per_study
from reports.frames import StudyFrames


@once_per_study
def weighting_of(frames: StudyFrames, search: str) -> str:
    """The search's weighting; several ones are joined by commas."""
    return ", ".join(sorted(frames.runs_of(search)["weighting"].unique()))


@once_per_study
def title_of(frames: StudyFrames, search: str) -> str:
    """A title that no other search of the study has."""
    weightings = {
        one: weighting_of(frames, one) for one in dict.fromkeys([*frames.searches, search])
    }
    return titles_of(frames.card.get("weightings", {}), weightings)[search]
