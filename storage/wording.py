"""Numbers in sentences."""

from __future__ import annotations

from collections.abc import Sequence


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


def listed(names: Sequence[str]) -> str:
    """``A``, ``A and B``, ``A, B and C``."""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))
