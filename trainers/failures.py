"""What kind of failure an exception is, and whether two failures are the same one."""

from __future__ import annotations

import re
import traceback
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import PurePath

from trainers.errors import LeftByExit, ProcessMustEnd, ReplayDiffers

OUT_OF_MEMORY = "OutOfMemory"
REPLAY_DIFFERS = ReplayDiffers.__name__

_MOST_TOLD = 2000
_KINDS = {"MemoryError", "OutOfMemoryError"}
_WORDS = re.compile(
    r"can't allocate memory"  # the CPU's allocator, which has no exception type of its own
    r"|\b(CUDA|HIP|Cuda failure)\b.{0,40}out of memory"  # allocators, calls, NCCL and Triton
    r"|Failed to CUDA \w*alloc"  # NCCL, of its own buffers
    r"|\bCU\w+_ALLOC_FAILED\b"  # cuBLAS, cuDNN and their sisters, of their workspaces
    r"|unable to find an engine to execute this computation"  # cuDNN, of any workspace
)


def as_failure(error: BaseException) -> Exception:
    """What code of a user raised, as an exception that ends no process.

    ``sys.exit`` in a loss, an interrupt or a cancellation is no `Exception`; it must end its run or
    the opening of its problem, and never pass for a worker's or a command's own end.

    Raises:
        ProcessMustEnd: It was raised, and no code of a user did that.
    """
    if isinstance(error, ProcessMustEnd):
        raise error
    if isinstance(error, Exception):
        return error
    left = LeftByExit(
        f"Code of a problem or function must raise exceptions, not end the process. It raised "
        f"{told(error)}. Raise a ValueError or RuntimeError instead."
    )
    return left.with_traceback(error.__traceback__)


def told(error: BaseException) -> str:
    """An exception's name and message, in one text of bounded length, whatever its class does."""
    try:
        text = str(error)
    except BaseException:  # a message that cannot be made
        text = "(its message cannot be read)"
    shown = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return shown if len(shown) <= _MOST_TOLD else f"{shown[:_MOST_TOLD]}..."


def failure_class(error: BaseException) -> str:
    """``OutOfMemory``, or the exception's own name."""
    kinds = [kind.__name__ for kind in type(error).__mro__]
    return OUT_OF_MEMORY if out_of_memory(kinds, told(error)) else type(error).__name__


def out_of_memory(kinds: Sequence[str], text: str) -> bool:
    """Whether an exception says that memory has run out, of the processor or of a GPU.

    Args:
        kinds: Names of its type and of those it inherits from.
        text: Its message. Only what torch and its libraries raise is read: a `RuntimeError`.
    """
    if _KINDS.intersection(kinds):
        return True
    return "RuntimeError" in kinds and _WORDS.search(text) is not None


def failure_key(error: BaseException) -> str:
    """Equal for failures of one cause: the exception's type and the places it passed through.

    The message is left out, since it often names the run; so are the folders of files.
    """
    frames = [
        (PurePath(frame.filename).name, frame.name, frame.lineno)
        for frame in traceback.extract_tb(error.__traceback__)
    ]
    return blake2b(repr((type(error).__name__, frames)).encode(), digest_size=8).hexdigest()
