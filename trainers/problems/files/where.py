"""Where a data set of the user's lies."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from trainers.problems.errors import BadOption, DataMissing

VARIABLE = "WEIGHBRIDGE_DATA"


def root_of(problem: str, root: str, environment: Mapping[str, str] = os.environ) -> Path | None:
    """The folder of a set: `root`, else the problem's below ``$WEIGHBRIDGE_DATA``; or None.

    Raises:
        BadOption: `root` is no whole path, so that it would depend on where a worker is started.
        DataMissing: There is nothing.
    """
    if root:
        path = Path(root).expanduser()
        if not path.is_absolute():
            raise BadOption(
                f"`root` must be a whole path. Got {root!r}. Write "
                f"{str(Path(root).absolute())!r}, or begin with ~."
            )
    elif home := environment.get(VARIABLE):
        path = Path(home).expanduser() / problem
        if not path.exists():
            return None
    else:
        return None
    if not path.exists():
        raise DataMissing(
            f"`root` of problem `{problem}` must be the folder with its files. {path} does not "
            "exist. Correct it; docs/benchmarks says where the set comes from."
        )
    return path


def found_root(problem: str, root: str) -> Path:
    """The folder of a set.

    Raises:
        BadOption: As `root_of`.
        DataMissing: Nobody has said where it is, or there is nothing.
    """
    path = root_of(problem, root)
    if path is None:
        raise DataMissing(how_to_find(problem))
    return path


def how_to_find(problem: str) -> str:
    """What to do where nobody has said where a set is."""
    return (
        f"Problem `{problem}` reads files that you have; nothing is downloaded. Set `root` in "
        f"[problem_options], or {VARIABLE} to a folder that has them as `{problem}`. "
        f"docs/benchmarks/{problem}.md says where the set comes from."
    )
