"""What the site's builder lays out, and which faults of a built site it finds."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.make_site import dead, lay_out
from tests.docs.pages import PAGES, ROOT


def test_every_page_is_on_the_site(tmp_path: Path) -> None:
    lay_out(tmp_path)
    names = {page.relative_to(ROOT).as_posix() for page in PAGES} - {"README.md"} | {"index.md"}
    assert {name for name in names if not (tmp_path / name).exists()} == set()


@pytest.mark.parametrize(
    ("page", "found"),
    [
        ('<a href="b.html#there">', []),
        ('<a href="#here" id="here">', []),
        ('<a href="https://example.org/x">', []),
        ('<a href="gone.html">', ["a.html links to gone.html, which is not there."]),
        ('<img src="gone.png">', ["a.html links to gone.png, which is not there."]),
        (
            '<a href="b.html#gone">',
            ["a.html links to b.html#gone; that page has no such anchor."],
        ),
        (
            '<img srcset="https://example.org/x.webp 2x">',
            ["a.html fetches https://example.org/x.webp from another host."],
        ),
        (
            '<link rel="stylesheet" href="//example.org/x.css">',
            ["a.html fetches //example.org/x.css from another host."],
        ),
    ],
)
def test_links_that_lead_nowhere_and_other_hosts_are_faults(
    tmp_path: Path, page: str, found: list[str]
) -> None:
    (tmp_path / "a.html").write_text(page)
    (tmp_path / "b.html").write_text('<h1 id="there">')
    assert list(dead(tmp_path)) == found


def test_a_style_sheet_that_fetches_from_another_host_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "x.css").write_text("@font-face { src: url('https://example.org/f.woff2') }")
    assert list(dead(tmp_path)) == ["x.css fetches https://example.org/f.woff2 from another host."]
