"""The figures of a study beside that of cost, whatever kind of study it is."""

from collections.abc import Iterator

from reports.frames import StudyFrames
from reports.html._function_plots import function_plots
from reports.html._plots import Plot, other_plots
from reports.trials import trials


def closer_look(frames: StudyFrames) -> Iterator[Plot]:
    """Those that there is something to show in, with their words and points."""
    if not frames.of_function:
        yield from other_plots(frames)
        return
    for search in trials(frames):
        yield from function_plots(frames, search)
