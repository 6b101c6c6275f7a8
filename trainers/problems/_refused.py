"""The border to code of a user that runs where studies are planned."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from trainers.failures import told
from trainers.problems.errors import ProblemError


@contextmanager
def refused(refusal: Callable[[str], ProblemError]) -> Iterator[None]:
    """Surrounds code of a user: whatever it raises, ``sys.exit`` included, becomes a refusal.

    Our own findings and Ctrl-C pass.

    Args:
        refusal: Makes the error of what was raised, in words.
    """
    try:
        yield
    except (ProblemError, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise refusal(told(error)) from error
