"""Scripts and styles, served under names that hold their hash: a browser keeps them for ever."""

from __future__ import annotations

import gzip
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

_TYPES: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_FOR_EVER: Final = "public, max-age=31536000, immutable"


def asset_path(name: str) -> str:
    """Where a page finds a file of ours."""
    stem, dot, suffix = name.rpartition(".")
    return f"/static/{stem}.{_hash(name)}{dot}{suffix}"


def asset(request: Request) -> Response:
    """A file of ours, compressed where the browser takes that."""
    found = _by_path().get(request.path_params["name"])
    if found is None:
        return PlainTextResponse("There is no such file.\n", status_code=404)
    headers = {"cache-control": _FOR_EVER, "vary": "accept-encoding"}
    body = _read(found)
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["content-encoding"] = "gzip"
        body = _packed(found)
    kind = _TYPES["." + found.rpartition(".")[2]]
    return Response(body, media_type=kind, headers=headers)


@cache
def _by_path() -> dict[str, str]:
    names = (file.name for file in (files(__package__) / "static").iterdir())
    ours = [name for name in names if "." + name.rpartition(".")[2] in _TYPES]
    return {asset_path(name).removeprefix("/static/"): name for name in ours}


@cache
def _read(name: str) -> bytes:
    return (files(__package__) / "static" / name).read_bytes()


@cache
def _packed(name: str) -> bytes:
    return gzip.compress(_read(name), mtime=0)


@cache
def _hash(name: str) -> str:
    return sha256(_read(name)).hexdigest()[:12]
