"""Looks through the files of a problem that reads the user's, before anything is trained."""

from __future__ import annotations

from collections.abc import Iterator

from trainers.jobs import ProblemRef
from trainers.problems._registry import made, problem_class, refused_of
from trainers.problems.errors import NotOnDisk
from trainers.problems.files.findings import Finding


def reads_files(ref: ProblemRef) -> bool:
    """Whether the data of a problem are files of the user's.

    Raises:
        ProblemError: The problem is unknown.
    """
    return callable(getattr(problem_class(ref.target, ref.folder), "check_files", None))


def check_files(ref: ProblemRef) -> Iterator[Finding]:
    """All that is wrong with the files of a problem; every one is read.

    The card is not read, as it needs the hash of whole files.

    Raises:
        ProblemError: The problem is unknown, or an option is unknown or refused.
        DataMissing: Nobody has said where the files are, or there is nothing.
        NotOnDisk: The problem reads no files of the user's.
    """
    cls = problem_class(ref.target, ref.folder)
    with refused_of(ref.target):
        if not reads_files(ref):
            raise NotOnDisk(
                f"Only files of yours can be checked. Problem `{ref.target}` reads none. Try it "
                f"without `--root`: weighbridge problem check {ref.target}"
            )
        yield from made(cls, ref.target, ref.options).check_files()  # type: ignore[attr-defined]
