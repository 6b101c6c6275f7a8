"""What is wrong with files of the user's, said before anything is trained."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path

from trainers.problems.errors import DataBroken

_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        path: File or folder.
        expected: The rule, as what follows "Expected".
        found: What is there instead.
        way_out: What to do, a sentence.
    """

    path: Path
    expected: str
    found: str
    way_out: str

    def __str__(self) -> str:
        found = self.found.rstrip(".")  # maybe a sentence of another library
        return f"{self.path}: expected {self.expected}, found {found}. {self.way_out}"


def no_folder(root: Path, way_out: str) -> Finding | None:
    """What is wrong with a data set's folder; None if it is one."""
    if root.is_dir():
        return None
    return Finding(
        path=root,
        expected="the folder of the data set",
        found="a file" if root.exists() else "nothing",
        way_out=way_out,
    )


def seen_before(path: Path, content: bytes, seen: dict[bytes, Path]) -> Finding | None:
    """An image that two samples have, maybe one to train on and one to judge by; joins `seen`."""
    earlier = seen.setdefault(sha256(content).digest(), path)
    if earlier is path:
        return None
    return Finding(
        path=path,
        expected="an image that no other sample has",
        found=f"that of {earlier}",
        way_out="A sample must not be in two splits: unpack the set again.",
    )


def refuse(problem: str, findings: Iterable[Finding]) -> None:
    """Refuse data of which anything is wrong; not all of a large set is looked through.

    Raises:
        DataBroken: With the first findings.
    """
    found = [*islice(findings, _SHOWN + 1)]
    if not found:
        return
    told = "".join(f"\n- {finding}" for finding in found[:_SHOWN])
    more = "\n- and more" if len(found) > _SHOWN else ""
    raise DataBroken(
        f"The files of problem `{problem}` must be whole before it is trained on.{told}{more}\n"
        f"`weighbridge problem check {problem} --root DIR` lists all."
    )
