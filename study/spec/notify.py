"""[notify]: of what a webhook is told, and where it is.

Its URL is a secret: whoever has it can write to the channel behind it. It is taken from the file at
hand, and neither stored nor shown; `hidden` is what is left of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final
from urllib.parse import SplitResult, urlsplit

from pydantic import Field, field_serializer, field_validator

from study.spec._findings import shown_value
from study.spec._section import Section
from trainers.suggestions import did_you_mean

EVENTS: Final = ("done", "failed", "stalled")
URL_VARIABLE: Final = "WEIGHBRIDGE_NOTIFY_URL"

_BUDGET = re.compile(r"budget ?([1-9][0-9]?|100) ?%")
_HIDDEN = "..."
_LONGEST = 2_000


class NotifySpec(Section):
    """Messages to a webhook; free to change at any time."""

    on: Annotated[list[str], Field(min_length=1, max_length=20)] = Field(
        description="Of what: `done` (nothing is left to train), `failed` (runs failed for good), "
        "`stalled` (nothing happens, or nobody is at work), `budget 80%` (of a limit of [budget] "
        "so much is used up; any percentage). See "
        "[follow a study](../how-to/follow-a-study.md#by-messages).",
    )
    url: str | None = Field(
        None,
        repr=False,
        description="Where to: `https://...`, which is sent JSON by POST; default: that of the "
        f"environment, `{URL_VARIABLE}`. It is a secret, and not stored: a study that is run by "
        "its name takes that of the environment, too.",
    )

    @field_validator("on")
    @classmethod
    def _known_events(cls, value: list[str]) -> list[str]:
        for event in value:
            if event not in EVENTS and _BUDGET.fullmatch(event) is None:
                known = (*EVENTS, "budget 80%")
                raise ValueError(
                    f"must be of {', '.join(known)}, with 1 to 100 for the percentage. Got "
                    f"{shown_value(event)}.{did_you_mean(event, known)} Change it."
                )
        plain = [_plain(event) for event in value]
        if len(set(plain)) < len(plain):
            raise ValueError(
                f"must not repeat an event. Got {shown_value(value)}. Drop the second one."
            )
        return plain

    @field_validator("url", mode="before")
    @classmethod
    def _a_url(cls, value: Any) -> str | None:
        if value is None:
            return None
        if not isinstance(value, str):
            raise ValueError(
                f"must be text in quotes. Got {type(value).__name__}. "
                'Write `url = "https://HOST/PATH"`.'
            )
        return checked_url(value)

    @field_serializer("url")
    def _not_stored(self, url: str | None) -> str | None:
        return None if url is None else hidden(url)

    @property
    def known_url(self) -> str | None:
        """The URL; None where it is left out, or only `hidden`, as of a stored study."""
        return None if self.url is None or self.url.endswith(f"/{_HIDDEN}") else self.url

    @property
    def shares(self) -> Sequence[int]:
        """Percentages of a budget that are to be told, rising."""
        found = (_BUDGET.fullmatch(event) for event in self.on)
        return sorted(int(match[1]) for match in found if match is not None)


def a_table(value: Any) -> Any:
    """The section as it was written.

    Raises:
        ValueError: It is no table; what it is instead may be secret.
    """
    if value is not None and not isinstance(value, Mapping | NotifySpec):
        raise ValueError(
            f"must be a table. Got {type(value).__name__}. "
            'Write [notify], below it `on = ["done"]` and `url = "https://HOST/PATH"`.'
        )
    return value


def hidden(url: str) -> str:
    """Scheme and host of a URL: ``https://HOST/...``."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{_host(parts)}/{_HIDDEN}"


def checked_url(url: str) -> str:
    """A webhook's URL; messages say nothing that is secret of it.

    Raises:
        ValueError: It is none.
    """
    way_out = "Write it as the service gave it: `https://HOST/PATH`."
    if len(url) > _LONGEST or not url.isascii() or re.search(r"[\s\x00-\x20\x7f]", url):
        raise ValueError(
            f"must be a URL: at most {_LONGEST:,} characters of ASCII, without blanks. Got "
            f"{len(url):,} characters, which are not shown: they may be secret. {way_out}"
        )
    try:
        parts = urlsplit(url)
        host = _host(parts)
    except ValueError:
        raise ValueError(f"must be a URL. Got one whose host makes no sense. {way_out}") from None
    if parts.scheme not in ("http", "https"):
        found = "none" if "://" not in url else f"`{parts.scheme}`"
        near = did_you_mean(parts.scheme, ("http", "https")) if "://" in url else ""
        raise ValueError(f"must begin with https:// or http://. Got {found}.{near} {way_out}")
    if not host:
        raise ValueError(f"must name a host. Got none. {way_out}")
    if "@" in parts.netloc:
        raise ValueError(
            "must hold no user and no password, which are not sent. Got some before its host; they "
            "are not shown. Use a token in the path or the query: `https://HOST/PATH?token=...`."
        )
    return url


def _host(parts: SplitResult) -> str:
    """Host and port."""
    host = parts.hostname or ""
    shown = f"[{host}]" if ":" in host else host
    return shown if parts.port is None else f"{shown}:{parts.port}"


def _plain(event: str) -> str:
    found = _BUDGET.fullmatch(event)
    return event if found is None else f"budget {found[1]}%"
