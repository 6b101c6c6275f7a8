"""What kind of failure an exception is, and whether two failures are the same one."""

from __future__ import annotations

import traceback
from hashlib import blake2b
from pathlib import PurePath

OUT_OF_MEMORY = "OutOfMemory"


def failure_class(error: BaseException) -> str:
    """``OutOfMemory``, or the exception's own name."""
    import torch  # a driver, which has none, reads the name above

    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return OUT_OF_MEMORY
    # the CPU's allocator has no exception type of its own
    if isinstance(error, RuntimeError) and "can't allocate memory" in str(error):
        return OUT_OF_MEMORY
    return type(error).__name__


def failure_key(error: BaseException) -> str:
    """Equal for failures of one cause: the exception's type and the places it passed through.

    The message is left out, since it often names the run; so are the folders of files.
    """
    frames = [
        (PurePath(frame.filename).name, frame.name, frame.lineno)
        for frame in traceback.extract_tb(error.__traceback__)
    ]
    return blake2b(repr((type(error).__name__, frames)).encode(), digest_size=8).hexdigest()
