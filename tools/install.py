"""Install the checkout into its virtual environment, unless that has been done already.

The stamp is a hash of the files that say what to install; the extras installed so far are added
up, so that `make demo` after `make test` installs nothing. Versions are those of `constraints.txt`,
or the lowest that `pyproject.toml` allows.

Each time, bytecode of the checkout is brought up to date.
"""

from __future__ import annotations

import argparse
import compileall
import json
import re
import subprocess
import sys
import tomllib
from hashlib import sha256
from pathlib import Path
from typing import Any

STAMP = Path(sys.prefix) / "weighbridge-installed.json"
# Of the extra `datasets`, what does not go together with the lowest versions of all others.
LATER = {"river"}


def main() -> None:
    """Compare the stamp with what is wanted; install what is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--extras", required=True)
    parser.add_argument("--lowest", action="store_true")
    parser.add_argument("inputs", nargs="+", type=Path)
    arguments = parser.parse_args()
    _compile()
    digest = sha256(b"".join(path.read_bytes() for path in arguments.inputs)).hexdigest()
    stamp = _stamp()
    present = set(stamp["extras"]) if stamp.get("inputs") == digest else set()
    wanted = set(arguments.extras.split(","))
    if present >= wanted:
        return
    extras = ",".join(sorted(present | wanted))
    print(f"Installing weighbridge[{extras}] into {sys.prefix} (a few minutes at first) ...")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    constraints, others = Path("constraints.txt"), []
    if arguments.lowest:
        constraints, others = _lowest(), _datasets()
        extras = ",".join(sorted((present | wanted) - {"datasets"}))
    subprocess.run([*command, "-c", str(constraints), "-e", f".[{extras}]", *others], check=True)
    STAMP.write_text(json.dumps({"inputs": digest, "extras": sorted(present | wanted)}))


def _compile() -> None:
    """What pip does for packages that it copies, and not for a checkout.

    Where PYTHONDONTWRITEBYTECODE is set, each process would compile all that it imports of it.
    """
    project = tomllib.loads(Path("pyproject.toml").read_text())
    for package in project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]:
        compileall.compile_dir(package, quiet=1)


def _lowest() -> Path:
    """Of every package that users need, the lowest version that is allowed."""
    project = _project()
    wanted = [*project["dependencies"], *_datasets(), *project["optional-dependencies"]["vision"]]
    found = [re.fullmatch(r"([\w-]+)(?:\[\w+\])?>=([\w.]+).*", item) for item in wanted]
    pins = [f"{match[1]}=={match[2]}\n" for match in found if match]
    assert len(pins) == len(wanted), "a package is wanted without its lowest version"
    file = Path(sys.prefix) / "lowest.txt"
    file.write_text("".join(pins))
    return file


def _datasets() -> list[str]:
    """What the extra `datasets` brings and the lowest versions go together with."""
    wanted = _project()["optional-dependencies"]["datasets"]
    return [item for item in wanted if item.partition(">=")[0] not in LATER]


def _project() -> dict[str, Any]:
    return dict(tomllib.loads(Path("pyproject.toml").read_text())["project"])


def _stamp() -> dict[str, object]:
    try:
        return dict(json.loads(STAMP.read_text()))
    except (OSError, ValueError):
        return {}


if __name__ == "__main__":
    main()
