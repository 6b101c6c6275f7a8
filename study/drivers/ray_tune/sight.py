"""What a worker would find on this node, as JSON; a script that needs the standard library only.

Its text is sent to the nodes and run there as workers are, by a new Python: so a node answers that
has no weighbridge, and what the driver's import path adds to Ray's own processes deceives nobody.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any


def look(wanted: dict[str, Any]) -> dict[str, Any]:
    """Answer a `Wanted`, given as a dict, with a `Sight`, as a dict."""
    return {
        "packages": {"python": platform.python_version(), **_packages()},
        "code": _code(),
        **(_gpus() if wanted["count_gpus"] else {}),
        **(_folder(wanted["probe"], wanted["content"]) if wanted["probe"] else {}),
        **(_module(wanted["module"], wanted["folder"]) if wanted["module"] else {}),
    }


def _packages() -> dict[str, str | None]:
    found: dict[str, str | None] = {}
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

        return {"gpus": sum(name.startswith("cuda") for name, _ in devices())}
    except Exception as error:  # whatever a broken installation of torch raises
        return {"torch_trouble": f"{type(error).__name__}: {error}"}


def _folder(probe: str, content: str) -> dict[str, bool]:
    path = Path(probe)
    try:
        reads = path.read_text() == content
    except OSError:
        return {"reads": False}
    beside = path.with_name(f"{path.name}.{platform.node()}-{os.getpid()}")
    try:
        beside.write_text(content)
        beside.unlink()
    except OSError:
        return {"reads": reads, "writes": False}
    return {"reads": reads, "writes": True}


def _module(name: str, folder: str | None) -> dict[str, bool]:
    if folder is not None:
        sys.path.append(folder)
    return {"has_module": find_spec(name.partition(".")[0]) is not None}


if __name__ == "__main__":
    print(json.dumps(look(json.loads(sys.argv[1]))))
