"""The border of Ray's exceptions: whatever it raises becomes rule, finding and way out.

Its exceptions are of many classes, some not of its own, and change with its versions. So none is
listed: what the message speaks of decides the way out, and there is one for all others.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from study.errors import ClusterLost, StudyError, WorkersUnusable

_MOST_LETTERS = 400
_FAULTS = (TypeError, AttributeError, LookupError, NameError, AssertionError, NotImplementedError)
"""What programs raise, and clusters as a rule do not."""
_OF_FOLDERS = {
    *(errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM),
    *(errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG),
}
_TOKEN = (
    "Give this process the cluster's token: RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN or the file "
    "~/.ray/auth_token, which `ray get-auth-token --generate` makes for a new cluster."
)
_VERSIONS = "Install the cluster's versions here, or start the cluster with those from here."
_START = (
    "Start one with `ray start --head`, or drop --address for a Ray of its own. A cluster that "
    "asks for a token wants RAY_AUTH_MODE=token here, too."
)


def no_cluster(error: BaseException, address: str, *, named_by: str) -> WorkersUnusable:
    """What to say if a cluster that was named cannot be used.

    Args:
        named_by: What has named it, such as ``--address``.
    """
    said = _whole(error)
    if "version mismatch" in said.lower():
        rule, found, way_out = "must have the versions that are installed here", said, _VERSIONS
    elif _is_of_tokens(error):
        rule, found, way_out = "must let this process in", _first_sentence(said), _TOKEN
    else:
        rule, found, way_out = "must lead to a running Ray cluster", in_short(error), _START
    return WorkersUnusable(f"`{named_by}` {rule}. {address!r} does not: {found}. {way_out}")


def no_ray_here(error: BaseException, folder: str) -> WorkersUnusable:
    """What to say if a Ray of our own does not start.

    Args:
        folder: Where it writes.
    """
    found = in_short(error)
    of_folder = isinstance(error, OSError) and (
        error.errno in _OF_FOLDERS or "AF_UNIX path" in str(error)
    )
    if _is_of_tokens(error):
        found, way_out = (
            _first_sentence(_whole(error)),
            f"{_TOKEN} RAY_AUTH_MODE=disabled does without.",
        )
    elif of_folder:
        way_out = (
            f"It writes to {folder}: free some space there, or name another folder, with a short "
            "path, in RAY_TMPDIR."
        )
    else:
        way_out = (
            f"Its logs are in {folder}/session_latest/logs. Without --driver ray, workers need no "
            "Ray."
        )
    return WorkersUnusable(f"Ray must start on this machine. It does not: {found}. {way_out}")


def gone(error: BaseException | None, reason: str = "") -> ClusterLost:
    """What to say if a cluster has gone under way, or if a fault in a program looks like it."""
    if isinstance(error, _FAULTS):
        return ClusterLost(
            "The Ray driver must get on with all that Ray answers. It does not: "
            f"{type(error).__name__}: {in_short(error)}. If the cluster is well (`ray status`), "
            "that is a fault in weighbridge, or a version of Ray that it does not know: please "
            "report it. Nothing is lost; without --driver ray the study goes on on this machine."
        )
    found = reason if error is None else in_short(error)
    return ClusterLost(
        f"Ray must be there as long as a study runs. It is not any more: {found}. "
        "Look at the cluster, then run the same command again; nothing is lost."
    )


@contextmanager
def within_reach() -> Iterator[None]:
    """Calls of a cluster: whatever they raise says that it has gone.

    Raises:
        ClusterLost: It has.
    """
    try:
        yield
    except StudyError:
        raise
    except Exception as error:
        raise gone(error) from error


def in_short(error: BaseException) -> str:
    """The line that says what has happened: of Ray's own errors the first, of others the last."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if not lines:
        return type(error).__name__
    of_ray = type(error).__module__.startswith("ray.") or len(lines) < 2
    line = lines[0] if of_ray or not lines[0].startswith("Traceback") else lines[-1]
    return line[:_MOST_LETTERS].rstrip(".")


def _whole(error: BaseException) -> str:
    return " ".join(str(error).split())[:_MOST_LETTERS].rstrip(".")


def _first_sentence(text: str) -> str:
    return text.partition(". ")[0].rstrip(".")


def _is_of_tokens(error: BaseException) -> bool:
    return "Authentication" in type(error).__name__ or "RAY_AUTH" in str(error)


def folder_of_ray() -> str:
    """Where a Ray of our own writes."""
    return f"{os.environ.get('RAY_TMPDIR') or os.environ.get('TMPDIR') or '/tmp'}/ray"
