"""Who is answered, and what a browser may do with the answer.

On a loopback address everybody on this machine is answered, if the page was asked for by a name of
this machine: a page of another site that has its own name resolved to 127.0.0.1 is not. On other
addresses a token is needed, once; a cookie stands for it afterwards.
"""

from __future__ import annotations

import hmac
import ipaddress
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode, urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

NEXT: Final = "next"
"""Names, in an address of `/login`, where to go on to."""

OPEN_PATHS: Final = ("/login", "/static/", "/healthz")
_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'self'",
    )
)
_HEADERS: Final = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
_SHORT: Final = re.compile(r"[0-9]{1,4}")  # bytes
_PORT: Final = re.compile(r":([0-9]{1,5})$")
_LOOPBACK_NAMES: Final = frozenset({"localhost", "localhost.localdomain"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Who is answered.

    Attributes:
        token: Needed once by each browser; None where every process of this machine is trusted.
        names: Host names that the server is known by, beside addresses and localhost.
        secure: Whether it speaks TLS.
        session: What the cookie of a browser that knew the token says.
        form_token: What every form of a page of ours carries.
    """

    token: str | None = None
    names: Collection[str] = ()
    secure: bool = False
    session: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    form_token: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    def is_known_host(self, header: str) -> bool:
        """Whether a Host header names this server, and not a site that points at it."""
        name = _host_of(header)
        if name in _LOOPBACK_NAMES or name in self.names:
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return address.is_loopback or self.token is not None

    def is_let_in(self, request: Request) -> bool:
        """Whether no token is needed, or its browser has shown it."""
        if self.token is None:
            return True
        return _same(request.cookies.get(cookie_name(request), ""), self.session)

    def may_log_in(self, token: str) -> bool:
        """Whether this is the token."""
        return self.token is not None and _same(token, self.token)

    def is_ours(self, request: Request, form_token: str) -> bool:
        """Whether a form was sent by a page of ours.

        With `no-referrer`, browsers tell the origin of a form as null, and say in another header
        whether it is the same site's.
        """
        origin = request.headers.get("origin", "null")
        same_site = request.headers.get("sec-fetch-site") == "same-origin"
        own = _site_of(origin) == request.headers.get("host") or (origin == "null" and same_site)
        return own and _same(form_token, self.form_token)


def is_loopback(host: str) -> bool:
    """Whether an address to listen at is reached from this machine alone."""
    if host in _LOOPBACK_NAMES:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def cookie_name(request: Request) -> str:
    """By the port that was asked: browsers send the cookies of all ports of a host."""
    port = _PORT.search(request.headers.get("host", ""))
    return "weighbridge" + (f"_{port[1]}" if port else "")


def mark(headers: MutableHeaders) -> None:
    """Tell the browser what it may do with an answer."""
    for name, value in _HEADERS.items():
        headers[name] = value
    headers.setdefault("cache-control", "no-store")


class Guard:
    """Refuses what `Access` does not allow, before any page is made, and marks every answer."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app, self._access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                mark(MutableHeaders(scope=message))
            await send(message)

        answer = self._refusal(Request(scope)) or self._app
        await answer(scope, receive, marked)

    def _refusal(self, request: Request) -> Response | None:
        host = request.headers.get("host", "")
        if not self._access.is_known_host(host):
            return PlainTextResponse(
                "The Host header must be this server's address or name. Another one was sent. "
                "Use the address that `weighbridge dashboard` prints, or start it with --name.\n",
                status_code=421,
            )
        if request.method == "POST" and not _is_short(request):
            return PlainTextResponse("Forms here are short. Got a longer one.\n", status_code=413)
        path = request.url.path
        if path.startswith(OPEN_PATHS) or self._access.is_let_in(request):
            return None
        asks_for_page = "text/html" in request.headers.get("accept", "")
        if request.method == "GET" and asks_for_page and not _is_by_script(request):
            wanted = path + (f"?{request.url.query}" if request.url.query else "")
            return RedirectResponse(f"/login?{urlencode({NEXT: wanted})}", status_code=303)
        return PlainTextResponse("Log in at /login first.\n", status_code=401)


def _host_of(header: str) -> str:
    """The name or address in a Host header, without port and brackets, in small letters."""
    try:
        return (urlsplit(f"//{header}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def _is_short(request: Request) -> bool:
    """Whether what was sent is known to fit a form of ours: it is all taken into memory."""
    return bool(_SHORT.fullmatch(request.headers.get("content-length", "")))


def _is_by_script(request: Request) -> bool:
    """Whether an open page asks for what is new: it would take the login for an answer."""
    return "hx-request" in request.headers


def _site_of(origin: str) -> str:
    """Name and port in an Origin header; nothing if it cannot be read."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def _same(a: str, b: str) -> bool:
    return hmac.compare_digest(a.encode(), b.encode())
