"""``weighbridge notify``: look once, and send what is due; or a test message."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from study.api import Study as StudyApi
from study.asking import Asking
from study.catalogue import started
from study.cli._options import STORAGE, AsJson, StorageUrl, Study
from study.cli._output import console, print_json, say, styled, table
from study.errors import BadSpec, StudyError
from study.running.forecasting import known_of
from study.running.herald import Channel, Herald
from study.running.heralding import channel_of, lacking
from study.running.message import test_message
from study.spec.notify import hidden

if TYPE_CHECKING:
    from storage.records import Notification

NAME = "notify"


def command(
    study: Study,
    test: Annotated[
        bool, typer.Option("--test", help="Send a message that says that it is a test.")
    ] = False,
    storage: StorageUrl = STORAGE,
    as_json: AsJson = False,
) -> None:
    """Send what is to be told of a study, as its [notify] has it: look once, try all again.

    For cron, too: that the last driver has died is seen by no driver. Ends with 1 if a message was
    not delivered.
    """
    opened = StudyApi.open(study, storage=storage)
    channel = _channel(opened)
    if test:
        _test(channel, opened, as_json=as_json)
        return
    found = _tell(opened, channel, storage)
    if as_json:
        print_json("notify", {"study": opened.name, "messages": [_plain(one) for one in found]})
    else:
        _show(found, channel)
    if any(one.delivered is None for one in found):
        raise typer.Exit(1)


def _channel(opened: StudyApi) -> Channel:
    notify = opened.plan.spec.notify
    if notify is None:
        raise BadSpec(
            f"Messages go where [notify] of the spec says. The study {opened.name} has none. Add: "
            '[notify], on = ["done", "failed", "stalled"], url = "https://..."'
        )
    channel = channel_of(notify)
    if channel is None:
        raise BadSpec(lacking(notify))
    return channel


def _test(channel: Channel, opened: StudyApi, *, as_json: bool) -> None:
    at = datetime.now(UTC)
    message, one = test_message(opened.name, at)
    refused = channel.send(message, message_id=one)
    if refused is not None:
        raise StudyError(f"The message to {hidden(channel.url)} was not delivered. {refused.why}")
    if not as_json:
        say(f"{hidden(channel.url)} has taken a test message.")
        return
    times = {"seen": _said(at), "attempted": _said(at), "delivered": _said(datetime.now(UTC))}
    sent = {"event": "test", **times, "attempts": 1, "error": None}
    print_json("notify", {"study": opened.name, "messages": [sent]})


def _tell(opened: StudyApi, channel: Channel, storage: str) -> Sequence[Notification]:
    """Write what is new, try all that was not delivered, and tell how all messages stand."""
    from storage import Storage  # SQLAlchemy loads with it

    finished = _finished(opened, storage)
    with closing(Storage(storage, create=False, rescues=False)) as database:
        study = started(database, opened.name, typed=opened.name, storage=storage)
        herald = Herald(database, study, channel, headline=Asking(storage).headline)
        herald.look(finished=finished)
        herald.send(anyway=True)
        return database.notifications(study.birth)


def _finished(opened: StudyApi, storage: str) -> bool | None:
    """Whether no search wants more; None where that cannot be told here."""
    try:
        known = known_of(opened.plan, opened.packs(), storage=storage, device=None)
        return known.forecast(opened.plan, device=None).over
    except StudyError:
        return None


def _show(found: Sequence[Notification], channel: Channel) -> None:
    if not found:
        say(f"There was nothing to tell {hidden(channel.url)} yet.")
        return
    rows = table("event", "seen", "delivered", "attempts", "last error", right=("attempts",))
    for one in found:
        rows.add_row(
            styled(one.event),
            f"{one.created.astimezone():%Y-%m-%d %H:%M:%S}",
            "not yet" if one.delivered is None else f"{one.delivered.astimezone():%H:%M:%S}",
            str(one.attempts),
            styled(one.error),
        )
    console.print(rows)


def _said(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="milliseconds")


def _plain(one: Notification) -> dict[str, Any]:
    return {
        "event": one.event,
        "seen": _said(one.created),
        "attempted": _said(one.attempted),
        "delivered": _said(one.delivered),
        "attempts": one.attempts,
        "error": one.error or None,
    }
