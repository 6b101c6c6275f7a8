"""The devices of this machine."""

from __future__ import annotations

import os


def devices() -> list[tuple[str, str]]:
    """(name for ``--device``, description) of each device; imports torch."""
    import torch

    found = [("cpu", f"{os.cpu_count()} cores")]
    for index in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(index)
        memory_gib = properties.total_memory / 2**30
        found.append((f"cuda:{index}", f"{properties.name}, {memory_gib:.0f} GiB"))
    return found
