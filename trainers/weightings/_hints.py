"""The part of a message that helps with a misspelt name."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def hint(name: str, known: Iterable[str]) -> str:
    """Say which known name was probably meant, then all of them."""
    known = sorted(known)
    near = get_close_matches(name, known, n=1)
    question = f"Did you mean `{near[0]}`? " if near else ""
    return f"{question}Known: {', '.join(known) or 'none'}."
