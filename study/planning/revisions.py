"""What was changed of a stored study's spec, or refused, in words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from storage.records import Revision
from study.spec.study_spec import parse

_LONGEST = 200


def changes_of(
    revisions: Sequence[Revision], present: Mapping[str, Any]
) -> Iterator[tuple[Revision, list[str]]]:
    """Each revision with what it changed, oldest first; those that changed nothing are left out.

    Args:
        present: The spec that is stored now, as plain values.
    """
    after = present
    found = list[tuple[Revision, list[str]]]()
    for revision in reversed(revisions):
        old, new = (revision.spec, after) if revision.accepted else (after, revision.spec)
        if said := differences(old, new):
            found.append((revision, said))
        if revision.accepted:
            after = revision.spec
    yield from reversed(found)


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What differs between two specs as plain values, a line each, as ``key: old -> new``."""
    was, is_now = (_flat(parse(spec, source="as stored").to_plain()) for spec in (old, new))
    return [
        f"{key}: {_said(was, key)} -> {_said(is_now, key)}"
        for key in dict.fromkeys([*was, *is_now])
        if was.get(key) != is_now.get(key)
    ]


def _flat(plain: Mapping[str, Any]) -> dict[str, Any]:
    """Keys as a reader of the TOML knows them, to their values."""
    found: dict[str, Any] = {}
    for key, value in plain.items():
        if key == "search":
            for part in value:
                found |= _search(part)
        elif isinstance(value, dict):
            found |= {f"[{key}] {name}": inner for name, inner in value.items()}
        else:
            found[key] = value
    return found


def _search(part: Mapping[str, Any]) -> dict[str, Any]:
    weightings = part["weighting"]
    names = [weightings] if isinstance(weightings, str) else weightings
    place = f"search {part.get('name') or ', '.join(names)}"
    keys = {
        f"{place}: {key}": value for key, value in part.items() if key not in ("stages", "name")
    }
    stages = {f"{place}: stage {n}": stage for n, stage in enumerate(part["stages"], start=1)}
    return keys | stages


def _said(flat: Mapping[str, Any], key: str) -> str:
    if key not in flat:
        return "nothing"
    text = json.dumps(_without_none(flat[key]), ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(inner) for key, inner in value.items() if inner is not None}
    return value
