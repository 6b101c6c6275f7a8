"""A message to a webhook: what has happened, what the study says so far, what it has cost."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from storage.records import StudyRecord, Totals
from storage.states import RunState
from storage.wording import amount, duration
from study.deciding.news import News, Standing

FORMAT: Final = 1
"""Raised when a key goes, or changes its name, type or meaning; not when one is added."""

_MOST: Final = 1_800  # Discord takes 2,000 characters
# what would call people, or make links, in a chat
_TAME: Final = str.maketrans({"<": "‹", ">": "›", "@": "＠", "&": "＆"})


def message_id(birth: str, key: str) -> str:
    """The id of a message: the same each time that it is sent, and of no other."""
    return sha256(f"{birth} {key}".encode()).hexdigest()[:32]


def message_of(study: StudyRecord, news: News, standing: Standing, *, headline: str) -> str:
    """The message as JSON; no test value of a sealed study, no URL and no path is in it.

    Args:
        headline: What `compare` says; empty where that is not known.
    """
    totals = standing.totals
    parts = [f"{study.name}: {news.said}", headline, _cost(totals)]
    text = " ".join(part for part in parts if part).translate(_TAME)
    plain: Mapping[str, Any] = {
        "text": text[:_MOST],  # what Slack and Mattermost show
        "content": text[:_MOST],  # what Discord shows
        "format": FORMAT,
        "id": message_id(study.birth, news.key),
        "event": news.event,
        "study": study.name,
        "birth": study.birth,
        "at": standing.now.isoformat(timespec="seconds"),
        "said": news.said,
        "headline": headline,
        "states": {state.value: totals.states.get(state, 0) for state in RunState},
        "device_s": totals.device_s,
        "money": totals.money,
        "epochs": totals.epochs,
    }
    return json.dumps(plain, allow_nan=False)


def test_message(study: str, at: datetime) -> tuple[str, str]:
    """A message that says that it is a test, as JSON, and its id."""
    stamp = at.isoformat(timespec="microseconds")
    text = f"{study}: this is a test message of Weighbridge. Messages of the study arrive here."
    one = message_id(study, f"test {stamp}")
    plain = {"text": text, "content": text, "format": FORMAT, "id": one, "event": "test"}
    return json.dumps({**plain, "study": study, "at": stamp}), one


def _cost(totals: Totals) -> str:
    money = "" if totals.money is None else f", {amount(totals.money)} in money"
    return f"Cost so far: {duration(totals.device_s)} of device time{money}."
