"""Numbers in sentences."""

from __future__ import annotations


def counted(n: float, one: str, several: str | None = None) -> str:
    """``1 seed``, ``2 seeds``, ``0.5 cores``.

    Args:
        n: How many.
        one: The word for one of them.
        several: The word for more, if it is not that with an s.
    """
    return f"{n if isinstance(n, int) else format(n, 'g')} " + (
        one if n == 1 else several or f"{one}s"
    )
