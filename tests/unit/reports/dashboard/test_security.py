"""Who is answered: names of this machine, browsers that know the token, forms of our own."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.requests import Request

from reports.dashboard import Access, is_loopback
from reports.dashboard.pages.login import own_path
from reports.dashboard.security import cookie_name

HERE = Access()
OPEN = Access(token="secret", names=["box"])


def asked(**headers: str) -> Request:
    given = [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()]
    scope: dict[str, Any] = {"type": "http", "headers": given, "method": "POST", "path": "/"}
    return Request(scope)


@pytest.mark.parametrize("host", ["localhost:8050", "127.0.0.1:8050", "127.0.0.2", "[::1]:8050"])
def test_a_machine_answers_to_its_own_addresses(host: str) -> None:
    assert HERE.is_known_host(host)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "192.168.0.7",
        "",
        "[",
        "@",
    ],
)
def test_a_site_whose_name_points_here_is_refused(host: str) -> None:
    assert not HERE.is_known_host(host)


@pytest.mark.parametrize(("host", "known"), [("192.168.0.7:1", True), ("box", True), ("x", False)])
def test_with_a_token_addresses_and_own_names_are_answered(host: str, known: bool) -> None:
    assert OPEN.is_known_host(host) is known


def test_who_has_no_token_is_let_in_by_the_cookie_alone() -> None:
    assert HERE.is_let_in(asked())
    assert not OPEN.is_let_in(asked())
    here = {"host": "box:8050"}
    name = cookie_name(asked(**here))
    assert not OPEN.is_let_in(asked(**here, cookie=f"{name}=secret"))  # the token is no cookie
    assert OPEN.is_let_in(asked(**here, cookie=f"{name}={OPEN.session}"))


def test_dashboards_of_one_host_keep_cookies_of_their_own() -> None:
    hosts = ["box:8050", "box:8051", "box", "[::1]:8052", "box:99999999", "box:x"]
    assert len({cookie_name(asked(host=host)) for host in hosts[:4]}) == 4
    assert all(cookie_name(asked(host=host)).isidentifier() for host in hosts)


@pytest.mark.parametrize("wanted", ["/study/1", "/study/1/trials?search=a%2Fb&sort=cost", "/"])
def test_who_logs_in_goes_on_to_where_they_wanted_to_go(wanted: str) -> None:
    assert own_path(wanted) == wanted


@pytest.mark.parametrize(
    "wanted",
    [
        *("", "//evil.example", "/\\evil.example", "https://evil.example", "javascript:x"),
        *("/\t/evil.example", "/a\r\nset-cookie: x", "study", "/ö"),
    ],
)
def test_nobody_is_sent_to_another_site(wanted: str) -> None:
    assert own_path(wanted) == "/"


@pytest.mark.parametrize("token", ["", "secre", "secret ", "Secret", "sécret"])
def test_only_the_token_logs_in(token: str) -> None:
    assert not OPEN.may_log_in(token)
    assert not HERE.may_log_in(token)


@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        ({"host": "box:1", "origin": "http://box:1"}, True),
        ({"host": "box:1", "origin": "null", "sec_fetch_site": "same-origin"}, True),
        ({"host": "box:1", "sec_fetch_site": "same-origin"}, True),
        ({"host": "box:1"}, False),
        ({"host": "box:1", "origin": "null"}, False),
        ({"host": "box:1", "origin": "null", "sec_fetch_site": "cross-site"}, False),
        ({"host": "box:1", "origin": "http://evil.example"}, False),
        ({"host": "box:1", "origin": "http://box:2"}, False),
        ({"host": "box:1", "origin": "http://["}, False),
    ],
)
def test_a_form_is_taken_from_our_own_pages(headers: dict[str, str], ours: bool) -> None:
    assert OPEN.is_ours(asked(**headers), OPEN.form_token) is ours
    assert not OPEN.is_ours(asked(**headers), "another")


def test_loopback_is_what_only_this_machine_reaches() -> None:
    assert all(map(is_loopback, ["127.0.0.1", "::1", "localhost"]))
    assert not any(map(is_loopback, ["0.0.0.0", "::", "10.0.0.1", "box"]))
