"""What users wrote is shown as it is, on any terminal."""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.table import Table

import study.cli
from study.cli import _console
from study.cli._console import _Literal, styled, write_what_can_be_written


def shown(*parts: str, encoding: str = "utf-8") -> str:
    """What a console of this encoding writes of texts, and of a table of them."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", stream)
        write_what_can_be_written()
    console = _Literal(file=stream, width=200, markup=False, emoji=False, highlight=False)
    made = Table(*parts)
    made.add_row(*parts)
    for part in (*parts, made, styled(*parts)):
        console.print(part)
    stream.flush()
    assert isinstance(stream.buffer, io.BytesIO)
    return stream.buffer.getvalue().decode(encoding)


@pytest.mark.parametrize("text", ["[/red]", "[bold]x[/]", "a:smile:b", "\\[budget]", "[link=x]y"])
def test_brackets_and_colons_are_text(text: str) -> None:
    assert shown(text).count(text) == 4  # alone, as a title, in a cell, styled


@pytest.mark.parametrize("text", ["a\x1b[31mb", "a\x07b", "a\rb", "a\x9bb", "a\x00b", "a\u202eb"])
def test_text_does_not_steer_the_terminal(text: str) -> None:
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e]", shown(text))


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "koi8-r"])
def test_what_an_encoding_lacks_is_rewritten(encoding: str) -> None:
    said = shown("1 → 2 ≤ 3 ↓ ±sd – Δ", "Ω", "\udcff", encoding=encoding)
    assert "1 > 2" in said or "1 → 2" in said
    assert "\\udcff" in said


@given(text=st.text(st.characters(exclude_categories=[]), min_size=1, max_size=30))
def test_any_text_can_be_written_anywhere(text: str) -> None:
    for encoding in ("ascii", "latin-1", "utf-8"):
        shown(text, encoding=encoding)


def test_no_stream_at_all_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    write_what_can_be_written()
    assert _console._width() in (None, 160)


def test_no_file_of_the_command_line_writes_markup() -> None:
    folder = Path(study.cli.__file__).parent
    marked = [
        f"{path.name}: {found}"
        for path in sorted(folder.glob("*.py"))
        for found in re.findall(
            r"\[/?(?:bold|dim|red|green|yellow|cyan)[^\]]*\]|\[/\]", path.read_text()
        )
    ]
    assert marked == []
