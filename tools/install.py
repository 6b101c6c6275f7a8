"""Install the checkout into its virtual environment, unless that has been done already.

The stamp is a hash of the files that say what to install; the extras installed so far are added
up, so that `make demo` after `make test` installs nothing.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

STAMP = Path(sys.prefix) / "weighbridge-installed.json"


def main() -> None:
    """Compare the stamp with what is wanted; install what is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--extras", required=True)
    parser.add_argument("inputs", nargs="+", type=Path)
    arguments = parser.parse_args()
    digest = sha256(b"".join(path.read_bytes() for path in arguments.inputs)).hexdigest()
    stamp = _stamp()
    present = set(stamp["extras"]) if stamp.get("inputs") == digest else set()
    wanted = set(arguments.extras.split(","))
    if present >= wanted:
        return
    extras = ",".join(sorted(present | wanted))
    print(f"Installing weighbridge[{extras}] into {sys.prefix} (a few minutes at first) ...")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*command, "-c", "constraints.txt", "-e", f".[{extras}]"], check=True)
    STAMP.write_text(json.dumps({"inputs": digest, "extras": sorted(present | wanted)}))


def _stamp() -> dict[str, object]:
    try:
        return dict(json.loads(STAMP.read_text()))
    except (OSError, ValueError):
        return {}


if __name__ == "__main__":
    main()
