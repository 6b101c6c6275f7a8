"""Numbers in sentences and tables."""

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


def duration(seconds: float) -> str:
    """``30 ms``, ``42 s``, ``3 min 20 s``, ``5 h 12 min``; ``0 s`` if there was nothing."""
    if not seconds:
        return "0 s"
    if seconds < 0.1:
        return f"{max(1000 * seconds, 0.1):.{1 if seconds < 1e-3 else 0}f} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"
