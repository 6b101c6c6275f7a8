"""The whole page, written as one file, with the script that its figures need."""

import os
from collections.abc import Callable
from functools import partial
from importlib.resources import files
from pathlib import Path
from string import Template

from reports._whole_file import writable, write_whole
from reports.across.methods import Studies
from reports.errors import UnknownFormat
from reports.frames import StudyFrames
from reports.html._tags import Markup, join, tag
from reports.importances import Estimators

_MADE = "Made by Weighbridge from the study database."
_NO_SCRIPT = "The figures need JavaScript; everything else is here."
_LIGHT = (
    "A light report: figures are still. In the full one (without --light) the pointer reads values "
    "off, and buttons change the unit of cost."
)
_SUFFIXES = (".html", ".htm")


def write(
    frames: StudyFrames,
    path: str | os.PathLike[str],
    *,
    light: bool = False,
    estimators: Estimators | None = None,
) -> None:
    """Write the report into one HTML file that needs no network and no other file.

    The file appears whole: it is written aside and renamed.

    Args:
        light: With still pictures and without script, which makes it small enough for a mail.
        estimators: Of importances, where trials are no full grid; None for none.

    Raises:
        MissingFolder: The folder of `path` does not exist.
        NotAFile: A folder, a device or a database is there.
        UnknownFormat: The suffix is neither `.html` nor `.htm`.
        NotWritten: The system refuses it.
    """
    body = partial(_body, frames, estimators=estimators)
    _save(path, partial(_page, f"{frames.name}: a Weighbridge report", body), light=light)


def write_studies(studies: Studies, path: str | os.PathLike[str], *, light: bool = False) -> None:
    """Write the report of several studies, likewise.

    Args:
        studies: Label to frames; labels are what the report calls them.
        light: As of `write`.

    Raises:
        NotComparable: Their numbers have nothing to do with each other.
        ReportError: As of `write`.
    """
    from reports.html._studies_page import studies_body

    title = f"{', '.join(studies)}: a Weighbridge report"
    _save(path, partial(_page, title, partial(studies_body, studies)), light=light)


def _save(path: str | os.PathLike[str], page: Callable[..., str], *, light: bool) -> None:
    target = writable(path, what="A report")
    if target.suffix.lower() not in _SUFFIXES:
        raise UnknownFormat(
            f"A report ends in {' or '.join(_SUFFIXES)}. Got {target.name!r}. Change the suffix."
        )
    text = page(light=light)
    write_whole(target, lambda aside: _write(aside, text))


def _write(path: Path, text: str) -> None:
    # a name that is no Unicode is shown with its bytes, and stops no report
    path.write_text(text, encoding="utf-8", errors="backslashreplace")


def _page(title: str, body: Callable[..., Markup], *, light: bool) -> str:
    templates = files("reports.html") / "templates"
    style, script, page = (
        (templates / name).read_text(encoding="utf-8")
        for name in ("report.css", "report.js", "report.html")
    )
    note = tag("p", _LIGHT) if light else tag("noscript", tag("p", _NO_SCRIPT))
    return Template(page).substitute(
        title=join([title]),
        style=style,
        body=join([body(light=light), tag("footer", _MADE, note)]),
        scripts="" if light else _scripts(script),
    )


def _body(frames: StudyFrames, *, light: bool, estimators: Estimators | None) -> Markup:
    if frames.of_function:
        from reports.html._function_page import function_body

        return function_body(frames, light=light, estimators=estimators)
    from reports.html._comparison_page import comparison_body

    return comparison_body(frames, light=light, estimators=estimators)


def _scripts(script: str) -> str:
    """Plotly's, and the page's own."""
    from plotly.offline import get_plotlyjs

    return f"<script>{get_plotlyjs()}</script>\n<script>\n{script}\n</script>"
