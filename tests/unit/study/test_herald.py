"""A webhook is told each event once, by whichever driver, and nothing of it is secret."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from storage import DatabaseUnusable, RunState, Storage
from study.deciding.news import News
from study.errors import BadSpec
from study.running import heralding
from study.running.herald import Channel, Herald
from study.running.heralding import channel_of, lacking
from study.running.message import message_of
from study.running.webhook import post
from study.spec.notify import URL_VARIABLE, NotifySpec
from tests.contract.storage_bench import Bench, claimed, end
from tests.contract.test_storage_notifications import pass_time
from tests.receiver import Receiver, receiving
from tests.unit.study.test_news import a_standing

ON = ["done", "failed", "budget 50%"]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(f"sqlite:///{tmp_path / 'study.db'}")
    yield bench
    bench.storage.close()


def told_by(bench: Bench, receiver: Receiver, *, finished: bool | None = None) -> int:
    """How many messages a new herald sends."""
    channel = Channel(notify=NotifySpec(on=ON, url=receiver.url), url=receiver.url)
    with closing(Storage(bench.url)) as storage:
        herald = Herald(storage, bench.study, channel, headline=lambda _: "EW is best.")
        herald.look(finished=finished)
        return len(herald.send())


def test_each_event_is_sent_once_whoever_looks_how_often(bench: Bench, receiver: Receiver) -> None:
    claim = claimed(bench)
    assert told_by(bench, receiver) == 0
    bench.storage.record([end(claim, RunState.FAILED, reason="SECRET in a traceback")])
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: told_by(bench, receiver, finished=False), range(4)))
    assert receiver.events == ["failed"]
    assert told_by(bench, receiver, finished=True) == 1
    assert told_by(bench, receiver, finished=True) == 0
    assert receiver.events == ["failed", "done"]
    assert [body["id"] for body in receiver.bodies] == receiver.ids
    assert receiver.bodies[1]["headline"] == "EW is best."
    assert "SECRET" not in json.dumps(receiver.bodies)
    bench.storage.retry(bench.study.id, "failed")
    bench.storage.record([end(bench.claim_one(), RunState.FAILED)])
    told_by(bench, receiver, finished=True)
    assert receiver.events == ["failed", "done", "failed", "done"]


def test_one_that_died_before_it_had_sent_is_succeeded(bench: Bench, receiver: Receiver) -> None:
    bench.train(claimed(bench), (0.1, 0.1))
    receiver.status = 503
    assert told_by(bench, receiver, finished=True) == 1
    assert bench.storage.notifications(bench.study.birth)[0].error == (
        "The receiver answered with status 503."
    )
    receiver.status = 200
    assert told_by(bench, receiver, finished=True) == 0
    pass_time(bench, 31)
    assert bench.storage.claim_notification(bench.study.birth) is not None  # and dies
    assert told_by(bench, receiver, finished=True) == 0
    pass_time(bench, 61)
    assert told_by(bench, receiver, finished=True) == 1
    assert receiver.ids == [receiver.ids[0]] * 2


@pytest.mark.parametrize(
    ("status", "final"), [(200, None), (204, None), (301, True), (404, True), (429, False)]
)
def test_what_a_receiver_answers(receiver: Receiver, status: int, final: bool | None) -> None:
    receiver.status = status
    refused = post(receiver.url, "{}", message_id="1")
    assert (None if refused is None else refused.final) == final
    assert refused is None or "SECRET" not in refused.why
    assert len(receiver.bodies) == 1  # nothing is followed


def test_a_receiver_that_is_slow_away_or_odd_is_no_error_that_names_it(receiver: Receiver) -> None:
    receiver.hold.clear()
    slow = post(receiver.url, "{}", message_id="1", timeout_s=0.05)
    receiver.hold.set()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        away = post(f"http://127.0.0.1:{free.getsockname()[1]}/SECRET", "{}", message_id="1")
    odd = post("http://127.0.0.1:1/SEC\nRET", "{}", message_id="1")
    for refused in (slow, away, odd):
        assert refused is not None
        assert not refused.final
        assert "SEC" not in refused.why
    assert slow is not None
    assert slow.why == "The receiver gave no answer: no answer in time."


def test_a_driver_is_not_held_up_by_a_receiver_that_does_not_answer(
    bench: Bench, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.storage.record([end(claimed(bench), RunState.FAILED)])
    receiver.hold.clear()
    monkeypatch.setattr(heralding, "_LOOK_S", 0.01)
    monkeypatch.setattr(heralding.Asking, "headline", lambda *_: "")
    notify = NotifySpec(on=ON, url=receiver.url)
    arrived = threading.Event()
    said: list[str] = []
    with heralding.heralding(notify, bench.url, bench.study, said.append) as told:
        told.finished = True
        while not receiver.bodies:
            arrived.wait(0.01)  # the block goes on meanwhile
        receiver.hold.set()
    assert sorted(receiver.events) == ["done", "failed"]
    assert said == []


def test_a_file_that_was_moved_away_is_rescued_and_told_by_the_driver_alone(
    bench: Bench, receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.storage.record([end(claimed(bench), RunState.FAILED)])
    monkeypatch.setattr(heralding.Asking, "headline", lambda *_: "")
    notify = NotifySpec(on=ON, url=receiver.url)
    monkeypatch.setattr(heralding, "_LOOK_S", 0.01)
    arrived, said = threading.Event(), list[str]()
    with (
        closing(Storage(bench.url)) as driver,
        pytest.raises(DatabaseUnusable, match="is saved in"),
        heralding.heralding(notify, bench.url, bench.study, said.append) as told,
    ):
        driver.announce("other", {"done 1": "{}"})
        while [bool(one.delivered) for one in driver.notifications(bench.study.birth)] != [True]:
            arrived.wait(0.01)  # it is written down that it has arrived
        (tmp_path / "study.db").rename(tmp_path / "moved.db")
        told.finished = True  # which is to be written down
        driver.announce("other", {"done 2": "{}"})
    assert len(list(tmp_path.glob("*.rescued-*.db"))) == 1
    assert (receiver.events, said) == (["failed"], [])


def test_chats_are_given_nothing_that_calls_people_or_makes_links(bench: Bench) -> None:
    standing = a_standing({"done": 1})
    news = News(key="done 1", event="done", said="Nothing is left.")
    plain = json.loads(message_of(bench.study, news, standing, headline="@all <http://x|y> &"))
    assert plain["text"] == plain["content"]
    assert not {*"@<>&"} & {*plain["text"]}
    assert plain["headline"] == "@all <http://x|y> &"


def test_a_url_is_that_of_the_file_or_else_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(URL_VARIABLE, raising=False)
    own = NotifySpec(on=["done"], url="https://a/SECRET")
    stored = NotifySpec.model_validate(own.model_dump(mode="json"))
    assert stored.url == "https://a/..."
    assert (channel_of(None), lacking(None), channel_of(stored)) == (None, "", None)
    assert URL_VARIABLE in lacking(stored)
    monkeypatch.setenv(URL_VARIABLE, "https://b/SECRET")
    found = [channel_of(one) for one in (own, stored, NotifySpec(on=["done"]))]
    assert [one and one.url for one in found] == [f"https://{h}/SECRET" for h in "abb"]
    monkeypatch.setenv(URL_VARIABLE, "b/SECRET")
    with pytest.raises(BadSpec, match=URL_VARIABLE) as caught:
        channel_of(stored)
    assert "SECRET" not in str(caught.value)
