"""What runs have printed: the files that their workers kept it in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from storage.records import AttemptLog
from trainers.jobs import file_name
from trainers.keeping import paths
from trainers.keeping.output import place_of_output


@dataclass(frozen=True, slots=True)
class Output:
    """What a run has printed, as far as this machine reaches the file.

    Attributes:
        host: Whose disk it may be on; empty if it is not known.
        text: None if it is not there, or not reached from here.
    """

    place: str
    host: str
    text: str | None


def outputs_of(attempts: Iterable[AttemptLog], *, far: bool = True) -> list[Output]:
    """The files of a run, one for each folder that its attempts have had.

    Files of several hosts may have one path; on a shared disk they are one file.

    Args:
        far: Whether those are read, too, that are at a URL.
    """
    where = {
        (attempt.files, attempt.host or ""): file_name(attempt.key)
        for attempt in attempts
        if attempt.files
    }
    found: dict[str, Output] = {}
    for (folder, host), name in where.items():
        place = place_of_output(folder, name)
        if place not in found or found[place].text is None:
            found[place] = Output(
                place, host, _read(place) if far or not paths.is_url(place) else None
            )
    return list(found.values())


def _read(place: str) -> str | None:
    try:
        return paths.content(place).decode(errors="replace")
    except OSError:
        return None
