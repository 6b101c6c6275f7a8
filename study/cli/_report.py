"""``weighbridge report``: one self-contained HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from study.cli._estimators import estimators
from study.cli._frames import opened, opened_all, placed
from study.cli._options import STORAGE, StorageUrl, Studies
from study.cli._output import file_size, next_act, say

NAME = "report"


def command(
    studies: Studies,
    output: Annotated[Path, typer.Option("-o", "--output", help="The file to write.")] = Path(
        "report.html"
    ),
    storage: StorageUrl = STORAGE,
    light: Annotated[
        bool, typer.Option("--light", help="Still pictures, no script: small enough for a mail.")
    ] = False,
) -> None:
    """Write the report: one HTML file that opens offline; of several studies what they share."""
    from reports.html import write, write_studies

    if studies[1:]:
        with opened_all(studies, storage) as several:
            write_studies(several, output, light=light)
    else:
        with opened(*placed(studies[0], storage=storage)) as frames:
            write(frames, output, light=light, estimators=estimators)
    say(f"Wrote {output} ({file_size(output.stat().st_size)}).")
    next_act(f"open {output} in a browser")
