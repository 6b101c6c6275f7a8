"""Several objectives at once: how a spec names them, and which trials no other one beats.

Shapes: N trials, M objectives.
"""

from __future__ import annotations

from collections.abc import Sequence

from storage.objectives.delta_m import NAME as DELTA_M
from storage.objectives.delta_m import SYMBOL


def named(written: str | Sequence[str] | None) -> tuple[str, ...]:
    """Names of what trials are ranked by, as a spec's ``objective`` has them; the first one leads.

    Without one it is delta_m. The first is what trials are ranked by wherever one number is asked.
    """
    if written is None:
        return (DELTA_M,)
    return (written,) if isinstance(written, str) else tuple(written)


def title_of(name: str) -> str:
    """What people read for an objective's name."""
    return SYMBOL if name == DELTA_M else name


def beats(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether values ``[M]``, lower is better, are nowhere worse and somewhere better."""
    return all(a <= b for a, b in zip(one, other, strict=True)) and tuple(one) != tuple(other)


def on_front(values: Sequence[Sequence[float]]) -> list[bool]:
    """Which of N trials no other one beats, by values ``[N, M]``, lower is better.

    Equal ones are on the front together. Ordered by their first value, a trial can only be beaten
    by one before it that is on the front itself.
    """
    order = sorted(range(len(values)), key=lambda n: tuple(values[n]))
    front: list[Sequence[float]] = []
    found = [False] * len(values)
    for n in order:
        if not any(beats(better, values[n]) for better in front):
            front.append(values[n])
            found[n] = True
    return found
