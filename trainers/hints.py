"""The word the user may have meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_LONGEST = 100  # of what is compared: it takes the square of it in time


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`` Did you mean `x`?`` with a leading space, or nothing if no known word is near."""
    by_lower = {name.lower(): name for name in known}
    near = get_close_matches(word.lower()[:_LONGEST], list(by_lower), n=1)
    return f" Did you mean `{by_lower[near[0]]}`?" if near else ""
