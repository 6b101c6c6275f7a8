"""Breaks the code on purpose, one place at a time, and tells which breaks no test notices.

`mutants.toml` beside this file lists them: a file, a text that stands in it once, what takes its
place, and the nearest tests. All happens in a copy of the tree.

    python -m tools.mutants [WORD...]     those whose name has one of the words, or all
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
LIST = Path(__file__).with_suffix(".toml")
_PASSED, _FAILED = 0, 1
"""What pytest ends with."""
_LIMIT_S = 300.0
"""A break that hangs the tests for so long is noticed, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A break.

    Attributes:
        name: What it breaks.
        file: Where, from the root of the tree.
        old: A text that stands in the file once; `new` takes its place.
        tests: Files, or names, of the tests that are to fail.
    """

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def applied(self, text: str) -> str:
        """The file's text with the break.

        Raises:
            ValueError: The old text does not stand there once.
        """
        if (n := text.count(self.old)) != 1:
            raise ValueError(
                f"The old text of a mutant must stand in its file once. {self.name!r}: {n} times "
                f"in {self.file}. Bring {LIST.name} up to date."
            )
        return text.replace(self.old, self.new)


def listed() -> list[Mutant]:
    """All mutants of the list."""
    entries = tomllib.loads(LIST.read_text())["mutant"]
    return [Mutant(**{**entry, "tests": tuple(entry["tests"])}) for entry in entries]


def main(words: list[str]) -> int:
    """Try mutants one by one; 1 if one lives, or cannot be tried."""
    chosen = [m for m in listed() if not words or any(word in m.name for word in words)]
    if not chosen:
        print(f"No mutant has one of these words in its name: {', '.join(words)}.")
        return 1
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        tree = Path(folder)
        _copy(tree)
        tests = dict.fromkeys(test for mutant in chosen for test in mutant.tests)
        if _ended(tree, list(tests)) != _PASSED:
            print("The tests must pass before anything is broken. They do not.")
            return 1
        fates = {mutant.name: _fate(tree, mutant) for mutant in chosen}
    bad = [name for name, fate in fates.items() if fate != "dies"]
    print(f"{len(fates) - len(bad)} of {len(fates)} mutants die.")
    return 1 if bad else 0


def _fate(tree: Path, mutant: Mutant) -> str:
    file = tree / mutant.file
    whole = file.read_text()
    try:
        file.write_text(mutant.applied(whole))
        ended = _ended(tree, mutant.tests)
    except ValueError as error:
        fate = str(error)
    else:
        fate = {_PASSED: "LIVES", _FAILED: "dies"}.get(ended, "its tests could not be run")
    finally:
        file.write_text(whole)
    print(f"{fate:5}  {mutant.name} ({mutant.file})", flush=True)
    return fate


def _copy(tree: Path) -> None:
    """The files that git knows, or would take, as they are now."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tree / name)


def _ended(tree: Path, tests: list[str] | tuple[str, ...]) -> int:
    """What pytest ends with in the copy."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    # bytecode is told from its source by the second and the size, which a break may keep
    environment = {
        "WEIGHBRIDGE_EXAMPLES": "100",
        **os.environ,
        "PYTHONPATH": str(tree),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    try:
        return subprocess.run(
            command, cwd=tree, env=environment, capture_output=True, timeout=_LIMIT_S, check=False
        ).returncode
    except subprocess.TimeoutExpired:
        return _FAILED


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
