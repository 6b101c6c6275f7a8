"""Build the documentation as a site: ``python -m docs.make_site``, or ``make docs``.

The pages are those of the repository, as a forge shows them, laid out anew in ``build/docs/pages``:
the README begins, and the table of public names becomes a page for each package, made of its
docstrings. Sphinx builds ``build/docs/html`` of them; its warnings are errors. Then every link and
anchor is followed, and nothing may need a network.
"""

from __future__ import annotations

import inspect
import os
import re
import shutil
import sys
from collections.abc import Iterator
from enum import Enum
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from docs.make_reference import PACKAGES, VALUES, members

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build" / "docs"
PICTURES = ROOT / "docs" / "pictures"
NAMES_PAGE = "docs/reference/python.md"
NAVIGATION = {
    "Start": ("docs/quickstart.md", "docs/concepts.md", "docs/claims.md"),
    "How to": ("docs/how-to/*.md",),
    "Benchmarks": ("docs/benchmarks/*.md",),
    "Reference": ("docs/reference/*.md", "docs/performance.md"),
    "The project": ("docs/how-it-is-built.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/adr/*.md"),
}
"""The site's sections and their pages, in order. A folder's `README.md` holds the others of it."""

_FILES = (".svg", ".webp", ".json", ".yaml", ".yml")
"""Pictures, and examples that are downloaded."""


def main() -> int:
    """Build; returns 1 if something is wrong, which is on standard error then."""
    from sphinx.cmd.build import main as sphinx

    pages, html = BUILD / "pages", BUILD / "html"
    for folder in (pages, html):
        shutil.rmtree(folder, ignore_errors=True)
    lay_out(pages)
    options = ["-q", "-W", "--keep-going", "-E", "-c", str(ROOT / "docs")]
    if sphinx([*options, "-d", str(BUILD / "doctrees"), str(pages), str(html)]):
        return 1
    # again, where pages look for what Sphinx does not see: pictures that depend on the scheme
    shutil.copytree(PICTURES, html / PICTURES.relative_to(ROOT))
    wrong = [*unshown(html), *dead(html)]
    for line in wrong:
        print(line, file=sys.stderr)
    if not wrong:
        print(f"Open {(html / 'index.html').relative_to(ROOT)} in a browser.")
    return bool(wrong)


def lay_out(to: Path) -> None:
    """Write all pages as Sphinx shall read them."""
    listed = {
        title: [page for pattern in patterns for page in _found(pattern)]
        for title, patterns in NAVIGATION.items()
    }
    for page in ("README.md", *(page for pages in listed.values() for page in pages)):
        text = (ROOT / page).read_text(encoding="utf-8")
        if page == "README.md":
            text += "".join(
                _tree([one for one in pages if not _is_held(one, pages)], caption=title)
                for title, pages in listed.items()
            )
        elif page.endswith("/README.md"):
            held = [one for pages in listed.values() for one in pages if _is_held(one, pages)]
            folder = page.removesuffix("README.md")
            text += _tree([one.removeprefix(folder) for one in held if one.startswith(folder)])
        elif page == NAMES_PAGE:
            text = text.split("\n## ")[0] + _tree([f"python/{package}.md" for package in PACKAGES])
        _write(to / _site_name(page), text)
    for package in PACKAGES:
        _write((to / NAMES_PAGE).with_suffix("") / f"{package}.md", _package_page(package))
    for file in (path for path in ROOT.glob("docs/**/*") if path.suffix in _FILES):
        target = to / file.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)


def unshown(html: Path) -> Iterator[str]:
    """Public names that the page of their package lacks."""
    for package in PACKAGES:
        page = _Looked((html / NAMES_PAGE).with_suffix("") / f"{package}.html")
        for name in import_module(package).__all__:
            if f"{package}.{name}" not in page.anchors:
                yield f"The page of {package} does not show {name}."


def dead(html: Path) -> Iterator[str]:
    """Links and anchors of a built site that lead nowhere, and what it fetches from elsewhere."""
    html = html.resolve()
    found = {path: _Looked(path) for path in sorted(html.rglob("*.html"))}
    for path, page in found.items():
        name = path.relative_to(html)
        for fetched in page.fetched:
            if urlsplit(fetched).netloc:
                yield f"{name} fetches {fetched} from another host."
        for link in (*page.links, *page.fetched):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.exists():
                yield f"{name} links to {link}, which is not there."
            elif target in found and unquote(parts.fragment) not in found[target].anchors:
                yield f"{name} links to {link}; that page has no such anchor."
    for sheet in html.rglob("*.css"):
        for fetched in re.findall(r"url\(\s*['\"]?(https?:[^)'\"]+)", sheet.read_text("utf-8")):
            yield f"{sheet.relative_to(html)} fetches {fetched} from another host."


class _Looked(HTMLParser):
    """What a page links to, fetches, and can be pointed at."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.fetched: set[str] = set()
        self.anchors = {"", "top"}
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what the tag says."""
        said = {name: value for name, value in attrs if value}
        self.anchors |= {said[name] for name in ("id", "name") if name in said}
        if tag == "a" and "href" in said:
            self.links.add(said["href"])
        elif tag == "link" and said.get("rel") in ("stylesheet", "icon", "preload"):
            self.fetched.add(said.get("href", ""))
        elif "src" in said:
            self.fetched.add(said["src"])
        for one in said.get("srcset", "").split(","):
            self.fetched |= set(one.split()[:1])


def _found(pattern: str) -> list[str]:
    """Pages of a pattern by name, a folder's `README.md` first."""
    paths = sorted(ROOT.glob(pattern), key=lambda path: (path.name != "README.md", path.name))
    return [path.relative_to(ROOT).as_posix() for path in paths]


def _is_held(page: str, pages: list[str]) -> bool:
    """Whether the page is reached from the `README.md` of its folder."""
    holder = f"{os.path.dirname(page)}/README.md"
    return page != holder and holder in pages


def _site_name(page: str) -> str:
    return "index.md" if page == "README.md" else page


def _tree(pages: list[str], caption: str = "") -> str:
    told = f":caption: {caption}\n" if caption else ""
    return "\n".join(["", "```{toctree}", f":hidden:\n{told}", *pages, "```", ""])


def _package_page(package: str) -> str:
    """A package's public names, from their docstrings."""
    module = import_module(package)
    lines = [f"# {package}", "", "```{eval-rst}", f".. automodule:: {package}", "   :no-members:"]
    for name in sorted(module.__all__, key=str.lower):
        lines += ["", *_directive(f"{package}.{name}", getattr(module, name))]
    return "\n".join([*lines, "```", ""])


def _directive(name: str, thing: Any) -> list[str]:
    if inspect.isfunction(inspect.unwrap(thing)):
        return [f".. autofunction:: {name}"]
    if not isinstance(thing, type) or thing.__module__ == "builtins":
        bare = name.rpartition(".")[2]
        said = VALUES.get(bare, f"The constant {thing!r}.")
        return [f".. py:data:: {bare}", "", f"   {said}"]
    if issubclass(thing, Exception):
        return [f".. autoexception:: {name}"]
    if issubclass(thing, Enum):
        return [f".. autoclass:: {name}", "   :members:", "   :undoc-members:"]
    shown = ", ".join(key.partition("(")[0] for key, _ in members(thing))
    return [f".. autoclass:: {name}", *([f"   :members: {shown}"] if shown else [])]


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
