"""Text from outside made storable: exceptions, metrics, environments and hosts say anything.

SQLite and PostgreSQL hold valid Unicode, the latter without NUL, and columns are bounded. What
cannot be held is written out, as Python would in a literal.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b

_CUT = " [...] "


def storable(text: str, most: int) -> str:
    """The text as a database holds it, with its beginning and its end if it is too long."""
    held = _held(text)
    if len(held) <= most:
        return held
    head = (most - len(_CUT)) // 2
    return f"{held[:head]}{_CUT}{held[head + len(_CUT) - most :]}"


@lru_cache(maxsize=10_000)  # metrics have the same names every epoch
def storable_name(name: str, most: int) -> str:
    """A name as a database holds it; two names stay two, though only their ends may differ."""
    held = _held(name)
    if held == name and len(held) <= most:
        return held
    mark = f"~{blake2b(name.encode(errors='surrogatepass'), digest_size=4).hexdigest()}"
    return held[: most - len(mark)] + mark


def _held(text: str) -> str:
    valid = text.encode(errors="backslashreplace").decode()
    return valid.replace("\0", "\\x00")
