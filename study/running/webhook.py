"""Sends one message to a webhook: JSON by POST, in bounded time, its URL in no error."""

from __future__ import annotations

import http.client
import socket
import ssl
from dataclasses import dataclass
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

SEND_S: Final = 10.0
"""How long a receiver may take for each step of an answer."""
ID_HEADER: Final = "Idempotency-Key"

_PASSING: Final = (408, 425, 429)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Why a receiver has not taken a message.

    Attributes:
        why: In a sentence, without the URL.
        final: Whether it will not take it later, either.
    """

    why: str
    final: bool = False


class _NoRedirect(HTTPRedirectHandler):
    """A message goes where its URL says, and nowhere else."""

    def redirect_request(self, *_args: Any, **_more: Any) -> None:
        """None: what was to be followed is an error."""


def post(url: str, body: str, *, message_id: str, timeout_s: float = SEND_S) -> Refused | None:
    """Send a message; None if the receiver has taken it, as any status from 200 to 299 says.

    Args:
        message_id: The same each time that it is sent.
    """
    try:
        request = Request(
            url,
            data=body.encode(),
            method="POST",
            headers={
                "Content-Type": "application/json; charset=utf-8",
                "User-Agent": "weighbridge",
                ID_HEADER: message_id,
            },
        )
        with build_opener(_NoRedirect).open(request, timeout=timeout_s):
            return None
    except HTTPError as error:
        error.close()
        final = 300 <= error.code < 500 and error.code not in _PASSING
        return Refused(why=f"The receiver answered with status {error.code}.", final=final)
    except URLError as error:
        return Refused(why=f"The receiver cannot be reached: {_plain(error.reason)}.")
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Refused(why=f"The receiver gave no answer: {_plain(error)}.")


def _plain(error: object) -> str:
    """What went wrong, in words that cannot hold the URL."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, socket.gaierror):
        return "its host name is not known"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message})"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return type(error).__name__
