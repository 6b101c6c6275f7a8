"""What a worker would find on a node of a cluster, as one record; of the standard library only.

As a script it answers a `NodeQuery` with a `NodeReport`, both in JSON. Its text is sent to the
nodes and run there as workers are, by a new Python: so a node reports that has no weighbridge, and
what the driver's import path adds to Ray's own processes deceives nobody.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeQuery:
    """What a node is asked for.

    Attributes:
        marker: A file in the checkpoint folder, as an absolute path; None for no such question.
        content: What the driver has written into it.
        modules: Where the user's own problem, trainer and the like are defined.
        folder: Where these may lie, besides the normal import path.
        count_gpus: Whether torch is asked for GPUs, which takes seconds.
    """

    marker: str | None = None
    content: str = ""
    modules: Sequence[str] = ()
    folder: str | None = None
    count_gpus: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeReport:
    """What a worker would find on a node.

    Attributes:
        name: Of the node; empty for the driver.
        cpus: Cores that Ray gives out there.
        gpus: GPUs that Ray gives out there.
        trouble: Why nothing else is known of it; empty if it has answered.
        packages: Versions of Python and of packages by name; None for what is not installed.
        code: Version of weighbridge with its commit, as runs are recorded with; None without one.
        torch_gpus: How many torch sees; None if it was not asked.
        torch_trouble: Why torch could not be asked.
        reads: Whether the driver's file is there; None if that was not asked.
        writes: Whether a file can be written beside it.
        missing_modules: Which of the user's own are not found; None if that was not asked.
    """

    name: str = ""
    cpus: float = 0.0
    gpus: float = 0.0
    trouble: str = ""
    packages: Mapping[str, str | None] = field(default_factory=dict)
    code: str | None = None
    torch_gpus: int | None = None
    torch_trouble: str = ""
    reads: bool | None = None
    writes: bool | None = None
    missing_modules: Sequence[str] | None = None


def report(query: NodeQuery) -> NodeReport:
    """What is found by the process that runs this."""
    found: dict[str, Any] = {}
    if query.count_gpus:
        found |= _gpus()
    if query.marker is not None:
        found |= _shared(Path(query.marker), query.content)
    if query.modules:
        sys.path += [query.folder] if query.folder else []
        missing = [name for name in query.modules if find_spec(name.partition(".")[0]) is None]
        found["missing_modules"] = missing
    return NodeReport(packages=_packages(), code=_code(), **found)


def _packages() -> dict[str, str | None]:
    found: dict[str, str | None] = {"python": platform.python_version()}
    for name in ("ray", "torch", "weighbridge"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found


def _code() -> str | None:
    try:
        from trainers.hardware.environment import code_version
    except ImportError:
        return None
    return code_version()


def _gpus() -> dict[str, Any]:
    try:
        from trainers.hardware.devices import devices

        return {"torch_gpus": sum(name.startswith("cuda") for name, _ in devices())}
    except Exception as error:  # whatever a broken installation of torch raises
        return {"torch_trouble": f"{type(error).__name__}: {error}"}


def _shared(marker: Path, content: str) -> dict[str, bool]:
    try:
        reads = marker.read_text() == content
    except OSError:
        return {"reads": False}
    beside = marker.with_name(f"{marker.name}.{platform.node()}-{os.getpid()}")
    try:
        beside.write_text(content)
        beside.unlink()
    except OSError:
        return {"reads": reads, "writes": False}
    return {"reads": reads, "writes": True}


if __name__ == "__main__":
    print(json.dumps(asdict(report(NodeQuery(**json.loads(sys.argv[1]))))))
