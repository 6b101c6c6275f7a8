"""The rules that values of exhibits keep to, whichever kind they are of."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn, Protocol

from trainers.errors import BadExhibit
from trainers.exhibits._png import SIGNATURE
from trainers.suggestions import shown

Cell = str | int | float | bool | None

MOST_PICTURE_BYTES = 64 * 1024
_MOST_PIXELS = 1024  # of a side: a few bytes may unpack to gigabytes
_MOST_LABELS, _LONGEST_TEXT = 24, 500
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


class Headed(Protocol):
    """Has a name and a title."""

    @property
    def name(self) -> str:
        """By which it replaces an earlier one."""

    @property
    def title(self) -> str:
        """Stands above it, as people read it."""


def size_of(data: bytes) -> tuple[int, int]:
    """Width and height in pixels that a PNG says it has."""
    width, height = struct.unpack(">II", data[16:24])
    return width, height


def check_picture(exhibit: Headed, number: int, data: bytes) -> None:
    """A PNG that is small, and unpacks to little.

    Raises:
        BadExhibit: It is not so.
    """
    if not isinstance(data, bytes) or not data.startswith(SIGNATURE) or data[12:16] != b"IHDR":
        refuse(exhibit, "bytes of PNG files", f"{shown(data)} as picture {number}", "Use `png`")
    if len(data) > MOST_PICTURE_BYTES:
        limit, size = f"{MOST_PICTURE_BYTES // 1024} kB", f"{len(data) / 1024:.0f} kB"
        refuse(exhibit, f"pictures of at most {limit}", f"{size} of picture {number}", "Shrink it")
    if not all(1 <= side <= _MOST_PIXELS for side in size_of(data)):
        sides = "{} x {} pixels".format(*size_of(data))
        refuse(exhibit, f"sides of 1 to {_MOST_PIXELS} pixels", sides, "Shrink it")


def check_heading(exhibit: Headed, *titles: str) -> None:
    """Its name, its title and those of its axes.

    Raises:
        BadExhibit: It is not so.
    """
    if not isinstance(exhibit.name, str) or not _NAME.fullmatch(exhibit.name):
        refuse(
            exhibit,
            "a name of letters, digits, `-`, `_` and `.`, up to 100",
            exhibit.name,
            "Put other words into its title",
        )
    for title in (exhibit.title, *titles):
        check_text(exhibit, "title", title)


def check_labels(exhibit: Headed, labels: Mapping[str, Any] | Sequence[str]) -> None:
    """A few, none twice.

    Raises:
        BadExhibit: It is not so.
    """
    if not 1 <= len(labels) <= _MOST_LABELS or len(set(labels)) < len(labels):
        rule = f"1 to {_MOST_LABELS} labels, each once"
        refuse(exhibit, rule, list(labels), "Show the ones that matter")
    for label in labels:
        check_text(exhibit, "label", label)


def check_text(exhibit: Headed, what: str, text: str) -> None:
    """A text that says something.

    Raises:
        BadExhibit: It is not so.
    """
    if not isinstance(text, str) or not text.strip() or len(text) > _LONGEST_TEXT:
        rule = f"a {what} of 1 to {_LONGEST_TEXT} characters"
        refuse(exhibit, rule, text, "Write one that says what is to be seen")


def finite_numbers(exhibit: Headed, what: str, values: Sequence[float]) -> list[float]:
    """The values as floats.

    Raises:
        BadExhibit: It is not so.
    """
    try:
        numbers = [float(value) for value in values]
    except (TypeError, ValueError, OverflowError, RuntimeError):
        numbers = [math.nan]
    if not all(map(math.isfinite, numbers)):
        refuse(exhibit, f"finite numbers as {what}", values, "Leave out what has no value")
    return numbers


def plain(values: Sequence[float]) -> list[float]:
    """Numbers, or scalars of numpy or torch, as JSON has them: whole ones without a point."""
    numbers = map(float, values)
    return [int(number) if number.is_integer() else number for number in numbers]


def plain_rows(lines: Mapping[str, Sequence[Sequence[float]]]) -> dict[str, list[list[float]]]:
    """The points of each line, as JSON has them."""
    return {label: [plain(row) for row in rows] for label, rows in lines.items()}


def cell_of(exhibit: Headed, cell: Any) -> Cell:
    """A cell of a table, as JSON has it.

    Raises:
        BadExhibit: It is not so.
    """
    if cell is None or isinstance(cell, str | bool):
        return cell
    number = finite_numbers(exhibit, "cells that are no text", [cell])
    return plain(number)[0]


def refuse(exhibit: Headed, rule: str, found: object, way_out: str) -> NoReturn:
    """Say the rule, what was found and what to do.

    Raises:
        BadExhibit: It is not so.
    """
    got = found if isinstance(found, str) and " " in found else shown(found)
    raise BadExhibit(
        f"A {type(exhibit).__name__} has {rule}. Got {got} in {shown(exhibit.name)}. {way_out}."
    )
