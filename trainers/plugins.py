"""What other distributions offer under the entry-point groups of ours."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import EntryPoint, distributions

_OURS = "weighbridge."


def offered(group: str) -> list[EntryPoint]:
    """Entry points of a group, sorted by name; nothing of theirs is imported.

    Of two copies of a distribution, the one counts that an import would find.
    """
    return sorted(entry for entry in _all_offered() if entry.group == group)


def offered_by_name(group: str) -> dict[str, EntryPoint]:
    """As `offered`; of two distributions that offer the same name, the last one's."""
    return {entry.name: entry for entry in offered(group)}


def _all_offered() -> Iterator[EntryPoint]:
    seen = set[str]()
    for folder in dict.fromkeys(sys.path):
        for distribution, entries in _offered_in(folder or os.getcwd()):
            if distribution not in seen:
                seen.add(distribution)
                yield from entries


@cache
def _offered_in(folder: str) -> list[tuple[str, list[EntryPoint]]]:
    """Distributions of a folder that offer something: read once, which takes its time."""
    found = []
    for distribution in distributions(path=[folder]):
        ours = [point for point in distribution.entry_points if point.group.startswith(_OURS)]
        if ours:
            found.append((distribution.metadata["Name"], ours))
    return found
