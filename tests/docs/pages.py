"""The documentation as tests see it: pages, links and code blocks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_FILE_NAME = re.compile(r"# (\w+\.(?:py|toml))\n")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block.

    Attributes:
        file: The file that it is, from a first line such as ``# my_study.toml``; empty if none.
    """

    language: str
    text: str

    @property
    def file(self) -> str:
        found = _FILE_NAME.match(self.text)
        return found[1] if found else ""


def read(page: str) -> str:
    """The text of a page, named from the root."""
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str) -> list[Block]:
    """All fenced blocks that name a language, in order."""
    return [Block(*found) for found in _BLOCK.findall(read(page))]


def links(page: Path) -> list[str]:
    """Targets of all links that lead to another file of the project."""
    found = _LINK.findall(page.read_text(encoding="utf-8"))
    return [link.split("#")[0] for link in found if "://" not in link and not link.startswith("#")]
