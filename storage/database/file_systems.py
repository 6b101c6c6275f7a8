"""File systems on which several SQLite connections can damage a file or wait for ever.

The write-ahead log is shared memory: all who use a file must be on one machine, and locks must
work. See https://www.sqlite.org/wal.html and https://www.sqlite.org/faq.html#q5.
"""

from __future__ import annotations

import re
from pathlib import Path

_MOUNTS = Path("/proc/self/mounts")
_OCTAL = re.compile(r"\\([0-7]{3})")  # how blanks in names are written there
_SHARED = {
    "9p", "afs", "beegfs", "ceph", "cifs", "coda", "gfs2", "glusterfs", "gpfs", "lustre", "ncpfs",
    "nfs", "nfs4", "ocfs2", "orangefs", "pvfs2", "smb3", "smbfs",
}  # fmt: skip
_SHARED_BY_FUSE = {"ceph", "ceph-fuse", "glusterfs", "juicefs", "mfs", "rclone", "s3fs", "sshfs"}


def unsafe_file_system(path: Path, mounts: Path = _MOUNTS) -> str | None:
    """The type of a network file system that a path lies on, None for a local one.

    Args:
        path: A file or folder, which need not exist.
        mounts: Where the system lists what is mounted.
    """
    try:
        lines = mounts.read_text().splitlines()
    except OSError:
        return None  # not Linux
    place, best, kind = path.resolve(), -1, ""
    for line in lines:
        _, mounted_at, found, *_ = line.split(" ")
        folder = Path(_OCTAL.sub(lambda code: chr(int(code[1], 8)), mounted_at))
        depth = len(folder.parts)
        if place.is_relative_to(folder) and depth >= best:  # of two at one place, the later
            best, kind = depth, found
    is_shared = kind in _SHARED or kind.removeprefix("fuse.") in _SHARED_BY_FUSE
    return kind if is_shared else None
