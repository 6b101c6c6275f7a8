"""``weighbridge report``: one self-contained HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from study.cli._estimators import estimators
from study.cli._frames import named_each, opened, opened_all, placed
from study.cli._options import STORAGE, AsJson, StorageUrl, Studies
from study.cli._output import file_size, next_act, print_json, say

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
    as_json: AsJson = False,
) -> None:
    """Write the report: one HTML file that opens offline; of several studies what they share."""
    from reports.html import write, write_studies

    studies = named_each(studies, storage=storage)
    if studies[1:]:
        with opened_all(studies, storage) as several:
            write_studies(several, output, light=light)
    else:
        with opened(*placed(studies[0], storage=storage)) as frames:
            write(frames, output, light=light, estimators=estimators)
    size = output.stat().st_size
    if as_json:
        print_json("report", {"path": str(output), "size_bytes": size})
        return
    say(f"Wrote {output} ({file_size(size)}).")
    next_act(f"open {output} in a browser")
