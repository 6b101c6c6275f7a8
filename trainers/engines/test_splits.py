"""What runs make of the test split, and of other splits with its targets."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from trainers.evaluation import Value

Result = list[Value] | Exception
"""Values of a run, or what ended it."""


def judged_on(
    splits: Sequence[str], evaluate: Callable[[str], Sequence[Result]]
) -> Sequence[Result]:
    """Test values of each run on several splits.

    A metric on one of the others is one of the test split, with the other's name behind its own.

    Args:
        splits: ``test``, then others.
        evaluate: Losses and metrics of each run on one split.
    """
    found = evaluate(splits[0])
    for split in splits[1:]:
        both = zip(found, evaluate(split), strict=True)
        found = [_joined(tested, judged, split) for tested, judged in both]
    return found


def _joined(tested: Result, judged: Result, split: str) -> Result:
    if isinstance(tested, Exception) or isinstance(judged, Exception):
        return tested if isinstance(tested, Exception) else judged
    named = [
        ("test", task, f"{metric}/{split}", value)
        for _, task, metric, value in judged
        if metric != "loss"
    ]
    return [*tested, *named]
