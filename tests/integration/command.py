"""The command line, called in this process."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from study.cli import main


@dataclass(frozen=True, kw_only=True)
class Said:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """Standard output without line breaks of its own."""
        return " ".join(self.out.split())

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def command(folder: Path, *args: str) -> Said:
    """Run ``weighbridge`` in a folder, as if typed there."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        patch.setattr(sys, "argv", ["weighbridge", *args])
        patch.delenv("WEIGHBRIDGE_STORAGE", raising=False)
        patch.chdir(folder)
        try:
            main()
        except SystemExit as ending:
            code = int(ending.code or 0)
    return Said(code=code, out=out.getvalue(), err=err.getvalue())
