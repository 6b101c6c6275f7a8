"""Take the pictures of README and docs: ``python -m docs.make_pictures [--storage URL]``.

They show the study `quickstart` of a database, which is weighbridge.db unless told otherwise: what
`weighbridge compare` prints, the report's first screen, and pages of the dashboard, in light and
dark. They are pictures of what was there on that day; nothing else is made of them.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, expect, sync_playwright
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

FOLDER = Path(__file__).parent / "pictures"
STUDY = "quickstart"
WIDE, PHONE = (1280, 800), (390, 780)
_COLUMNS, _LINES = 132, 34
_QUALITY = 82
_PATIENCE_MS = 60_000


def main() -> None:
    """Take them all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--storage", default="sqlite:///weighbridge.db")
    storage = parser.parse_args().storage
    FOLDER.mkdir(exist_ok=True)
    terminal("compare", storage)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        report = Path(folder) / "report.html"
        weighbridge(storage, "report", STUDY, "-o", str(report))
        with served(storage) as site:
            shoot(browser, report.as_uri(), "report")
            study = f"{site}/study/1"
            shoot(browser, study, "dashboard", below="Cost and performance")
            shoot(browser, f"{study}/trials", "trials", schemes=("light",))
            shoot(browser, f"{study}/views/simplex", "view", schemes=("dark",))
            shoot(browser, study, "phone", schemes=("light",), size=PHONE)
        browser.close()


def weighbridge(storage: str, *words: str) -> str:
    """What a verb prints on a terminal; where the database lies is nobody's business."""
    of_terminal = {"COLUMNS": str(_COLUMNS), "FORCE_COLOR": "1"}
    known = os.environ | of_terminal | {"WEIGHBRIDGE_STORAGE": storage}
    command = [sys.executable, "-m", "study.cli", *words]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=known).stdout


def terminal(verb: str, storage: str) -> None:
    """The first lines of a verb's output as SVG, in the reader's own monospaced font."""
    console = Console(record=True, width=_COLUMNS, file=io.StringIO())
    lines = weighbridge(storage, verb, STUDY).splitlines()[:_LINES]
    console.print(Text.from_ansi("\n".join(lines)))
    drawn = console.export_svg(title=f"weighbridge {verb} {STUDY}", theme=MONOKAI)
    drawn = re.sub(r"@font-face \{.*?\}", "", drawn, flags=re.DOTALL)  # from another host
    (FOLDER / "terminal.svg").write_text(drawn.replace("Fira Code, ", ""), encoding="utf-8")


@contextmanager
def served(storage: str) -> Iterator[str]:
    """The address of a dashboard."""
    command = [sys.executable, "-m", "study.cli", "dashboard", "--storage", storage, "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            lines = iter(process.stdout or ())
            yield next(found[0] for line in lines if (found := re.search(r"http://\S+\d", line)))
        finally:
            process.terminate()


def shoot(
    browser: Browser,
    url: str,
    name: str,
    *,
    schemes: Sequence[Literal["light", "dark"]] = ("light", "dark"),
    size: tuple[int, int] = WIDE,
    below: str = "",
) -> None:
    """One page, or what is below a heading, in one scheme of colours after the other."""
    for scheme in schemes:
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme=scheme,
            device_scale_factor=1.5,
        )
        page = context.new_page()
        page.goto(url)
        drawing = page.get_by_text("conclusions are being drawn")
        expect(drawing).to_have_count(0, timeout=_PATIENCE_MS)
        if below:
            page.get_by_role("heading", name=below).evaluate("heading => heading.scrollIntoView()")
        page.wait_for_timeout(2_000)  # what comes with them: curves, tables
        taken = Image.open(io.BytesIO(page.screenshot()))
        taken.save(FOLDER / f"{name}-{scheme}.webp", quality=_QUALITY, method=6)
        context.close()


if __name__ == "__main__":
    main()
