"""Fair-play notes on stopping rules whose verdicts depend on who was faster."""

from collections.abc import Iterator

from reports.frames import StudyFrames
from reports.notes.note import Note
from storage.notices import notices


def stopped_asynchronously(frames: StudyFrames) -> Iterator[Note]:
    """Trials were judged before all of their round were there."""
    for text in notices(frames.spec):
        yield Note(kind="asynchronous stopping", search=None, text=text)
