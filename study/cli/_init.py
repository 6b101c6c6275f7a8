"""``weighbridge init``: a commented spec to start from."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from study.cli._options import STORAGE, AsJson, StorageUrl
from study.cli._output import next_act, print_json, say
from study.commands import command_line
from study.errors import BadSpec

NAME = "init"


def command(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write it.")],
    storage: StorageUrl = STORAGE,
    as_json: AsJson = False,
) -> None:
    """Write a commented study.toml to start from."""
    if path.suffix != ".toml":
        better = path.with_suffix(".toml") if path.name else "study.toml"
        raise BadSpec(f"A spec's name ends in .toml. Got {path}. Try {better}.")
    text = (files("study") / "templates" / "study.toml").read_text(encoding="utf-8")
    made = False
    try:
        with path.open("x", encoding="utf-8") as file:
            made = True
            file.write(text.replace("@NAME@", _name(path)))
    except FileExistsError:
        raise BadSpec(f"{path} exists and stays as it is. Choose another name.") from None
    except OSError as error:
        if made:
            path.unlink(missing_ok=True)  # it holds nothing, or half
        raise BadSpec(
            f"Cannot write {path}: {error.strerror}. Name a file on a disk with room, in a folder "
            "you may write to."
        ) from error
    plan = command_line("plan", str(path), storage=storage)
    if as_json:
        written = {"study": _name(path), "path": str(path), "size_bytes": path.stat().st_size}
        print_json("init", {**written, "next": {"command": plan, "why": "once it is edited"}})
        return
    say(f"Wrote {path}.")
    next_act(f"edit it, then: {plan}")


def _name(path: Path) -> str:
    """The file's name as a study's name."""
    kept = [c if c.isascii() and (c.isalnum() or c in "._-") else "-" for c in path.stem]
    return "".join(kept).lstrip("._-") or "study"
