"""Searches that begin from the network of another one: which, and after which they come."""

from __future__ import annotations

from collections.abc import Sequence

from study.errors import BadSpec
from study.planning.search_plan import Search
from study.spec.study_spec import StudySpec
from trainers.suggestions import did_you_mean


def in_order(searches: Sequence[Search], spec: StudySpec) -> list[Search]:
    """The searches as the spec has them, but each behind the one that it begins from.

    Raises:
        BadSpec: There is none of that name, it would wait for itself, or no network is kept.
    """
    names = [search.name for search in searches]
    found: list[Search] = []
    left = list(searches)
    for search in searches:
        if search.init_from and search.init_from not in names:
            raise BadSpec(
                f"[[search]] {search.name}: `init_from` names a search of this study. Got "
                f"{search.init_from!r}.{did_you_mean(search.init_from, names)} There are "
                f"{', '.join(names)}."
            )
        if search.init_from and spec.keep.networks == "none":
            raise BadSpec(
                f"[[search]] {search.name}: `init_from` needs networks that are kept. Got [keep] "
                '`networks = "none"`. Drop it.'
            )
    while left:
        known = ["", *(search.name for search in found)]
        able = next((search for search in left if search.init_from in known), None)
        if able is None:
            origin = {search.name: search.init_from for search in left}
            name = left[0].name
            for _ in left:  # into the circle, for those that only hang on it
                name = origin[name]
            members = [name]
            while origin[members[-1]] != name:
                members.append(origin[members[-1]])
            circle = ", ".join(f"{one} from {origin[one]}" for one in sorted(members))
            raise BadSpec(
                f"`init_from` of searches must not go round in a circle. Got {circle}. Drop one."
            )
        left.remove(able)
        found.append(able)
    return found
