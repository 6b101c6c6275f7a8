"""What messages say of what the user has written."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_MOST_SHOWN = 120
_LONGEST = 100  # of what is compared: it takes the square of it in time


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`` Did you mean `x`?`` with a leading space, or nothing if no known word is near."""
    by_lower = {name.lower(): name for name in known}
    near = get_close_matches(word.lower()[:_LONGEST], list(by_lower), n=1)
    return f" Did you mean `{by_lower[near[0]]}`?" if near else ""


def shown(value: object) -> str:
    """As Python writes it, cut if it is long: a message is one sentence, whatever was written."""
    text = repr(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."
