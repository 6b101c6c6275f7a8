"""Where a run was trained: versions, code and hardware, as flat text values."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGES = ("weighbridge", "torch", "torchvision", "numpy", "optuna", "ray", "sqlalchemy")


@cache
def code_version() -> str:
    """Version of this package, with the git commit when it runs from a checkout."""
    number = _version("weighbridge") or "unknown"
    home = Path(__file__).resolve().parents[1]
    # an installed copy may lie inside somebody else's checkout, whose commit says nothing of us
    commit = _git_commit(home) if (home.parent / ".git").exists() else None
    return f"{number}+{commit}" if commit else number


def environment(device: str, *, share: float = 1.0) -> dict[str, str]:
    """Versions of packages, host, processor and device; keys are stable.

    ``code`` is this package, ``project`` the commit of the working folder, where the user's own
    code may lie.

    Args:
        share: Of the device, where workers share one.
    """
    import torch

    found = {name: _version(name) for name in _PACKAGES}
    return {
        "code": code_version(),
        "project": _git_commit(Path.cwd()) or "none",
        "python": platform.python_version(),
        "platform": platform.platform(),
        "host": platform.node(),
        "cpu": _cpu_model(),
        "cores": str(os.cpu_count()),
        "device": torch.cuda.get_device_name(device) if device.startswith("cuda") else "cpu",
        **({"device_share": f"{share:.3g}"} if share < 1 else {}),
        **{f"package:{name}": number for name, number in found.items() if number},
    }


def hardware_of(environment: Mapping[str, str]) -> str:
    """What the time of a step and the room for a pack depend on: the GPU or the processor."""
    device = environment.get("device", "cpu")
    if device == "cpu":
        return environment.get("cpu", "unknown")
    share = environment.get("device_share")
    return f"{device}, a share of {share}" if share else device


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _git_commit(folder: Path) -> str | None:
    """Commit of the checkout that holds `folder`, with ``-dirty`` if its files differ."""
    try:
        answer = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip() or None


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
