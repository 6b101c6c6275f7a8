"""What `weighbridge watch` makes of a study: what happened, once; how it stands; what is away."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console

from storage import Reader, RunState, Storage, UnknownStudy
from storage.records import Holder
from storage.states import Liveness
from study.cli._watch import wait_for_begin
from study.cli._watch_answers import Answers, Over
from study.cli._watch_screen import line, screen, state_of
from study.cli._watch_views import JsonLines
from study.cli._watched import Look, Watched, plain_of
from tests.contract.storage_bench import Bench, claimed, decision, end, epoch

NOTHING = Answers()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(f"sqlite:///{tmp_path / 'watched.db'}")
    yield bench
    bench.storage.close()


@pytest.fixture
def reader(bench: Bench) -> Iterator[Reader]:
    reader = Reader(bench.url, patience_s=0.01)
    yield reader
    reader.close()


def watching(bench: Bench, reader: Reader) -> Watched:
    watched = Watched(reader, reader.study("demo"))
    watched.rest = 0.0
    return watched


def dead(_: Holder) -> Liveness:
    return Liveness.DEAD


def texts(look: Look) -> list[str]:
    return [event.text for event in look.events]


def shown(look: Look, *, width: int = 110, height: int = 40) -> str:
    out = io.StringIO()
    Console(file=out, width=width).print(screen(look, look.events, width=width, height=height))
    return out.getvalue()


def test_each_thing_that_happens_is_told_once(bench: Bench, reader: Reader) -> None:
    watched = watching(bench, reader)
    assert texts(watched.look(NOTHING)) == []
    first = claimed(bench)
    bench.storage.record([epoch(first, 1, 0.1, 0.1)])
    assert texts(watched.look(NOTHING)) == []
    bench.storage.record([end(first, RunState.FAILED, reason="ValueError: no\nsecond line")])
    bench.add_runs("a", seeds=[1])
    second = bench.claim_one()
    bench.storage.record([end(second, RunState.DIVERGED)])
    bench.storage.decide(bench.search(), decision(0, "a"))
    assert texts(watched.look(NOTHING)) == [
        f"run {first.run} (ew, trial 0, seed 0) failed: ValueError: no",
        f"run {second.run} (ew, trial 0, seed 1) diverged after 0 epochs",
        "ew: stage 1 is decided for trial 0 (Δm -1.00 % on validation)",
    ]
    bench.storage.decide(bench.search(), decision(1, "a"))
    assert len(watched.look(NOTHING).events) == 1


def test_a_database_that_is_away_is_said_and_what_was_known_stays(
    bench: Bench, reader: Reader, tmp_path: Path
) -> None:
    watched = watching(bench, reader)
    bench.train(claimed(bench), (0.1, 0.1))
    before = watched.look(NOTHING)
    bench.storage.close()
    file = tmp_path / "watched.db"
    file.rename(tmp_path / "away.db")
    away = watched.look(NOTHING)
    assert away.trouble
    assert (away.totals, away.events) == (before.totals, ())
    assert "not reachable" in shown(away)
    (tmp_path / "away.db").rename(file)
    assert watched.look(NOTHING).trouble == ""


def test_a_study_is_followed_under_its_new_name_until_it_is_deleted(
    bench: Bench, reader: Reader
) -> None:
    watched = watching(bench, reader)
    bench.storage.rename_study(bench.study.id, "other", liveness=dead)
    assert watched.look(NOTHING).study.name == "other"
    bench.storage.delete_study(bench.study.id, liveness=dead)
    with pytest.raises(UnknownStudy):
        watched.look(NOTHING)


def test_how_it_stands(bench: Bench, reader: Reader) -> None:
    watched = watching(bench, reader)
    assert state_of(watched.look(NOTHING)) == "not begun"
    bench.plan("a")
    assert state_of(watched.look(NOTHING)) == "nobody at work"
    bench.storage.pause(bench.study.id)
    paused = watched.look(NOTHING)
    assert state_of(paused) == "paused"
    assert "those of a run under way wait" in line(paused)
    bench.storage.resume(bench.study.id)
    (claim,) = bench.claim(lease_s=1e12)
    assert state_of(watched.look(NOTHING)) == "running"
    bench.train(claim, (0.1, 0.1))
    between = watched.look(NOTHING)
    assert state_of(between) == "all runs ended"
    change = between.pulse.change
    assert state_of(replace(between, answers=told(change, over=False))) == "all runs ended"
    assert state_of(replace(between, answers=told(change - 1, over=True))) == "all runs ended"
    done = replace(between, answers=told(change, over=True))
    assert state_of(done) == "done"
    assert state_of(replace(done, totals=replace(done.totals, states={RunState.FAILED: 1}))) == (
        "failed"
    )


def test_nobody_at_work_has_no_workers(bench: Bench, reader: Reader) -> None:
    """Neither when a lease has run out, nor for what was done between two questions."""
    watched = watching(bench, reader)
    bench.plan("a")
    (claim,) = bench.claim(lease_s=1e12)
    look = watched.look(NOTHING)
    assert (state_of(look), len(look.workers)) == ("running", 1)
    gone = replace(look, pulse=replace(look.pulse, alive=0))
    assert (state_of(gone), gone.workers) == ("nobody at work", ())
    with reader.one_moment():
        pulse = reader.pulse(bench.study.id)
        bench.train(claim, (0.1, 0.1))
        assert reader.pulse(bench.study.id) == pulse
    assert len(watched.look(NOTHING).workers) == 0


def test_between_two_runs_it_is_running(bench: Bench, reader: Reader) -> None:
    watched = watching(bench, reader)
    bench.plan("a", "b")
    bench.train(bench.claim_one(), (0.1, 0.1))
    look = watched.look(NOTHING)
    assert (state_of(look), look.workers) == ("running", ())
    assert "between two runs" in line(look)
    ended = replace(look.pulse, last=datetime.now(UTC) - timedelta(minutes=1))
    assert state_of(replace(look, pulse=ended)) == "nobody at work"
    over = replace(look, totals=replace(look.totals, states={RunState.DONE: 2}))
    assert "none at work" in line(over), "when all have ended, nobody is between two"


def told(change: int, *, over: bool) -> Answers:
    return Answers(over=Over(change=change, value=over), change=change)


def test_a_budget_too_small_for_another_run_has_ended_it(bench: Bench, reader: Reader) -> None:
    watched = watching(bench, reader)
    bench.plan("a")
    look = replace(watched.look(NOTHING), left={"epochs": 3.0})
    sections = {"training": {"epochs": 3}, "budget": {"epochs": 9}}
    look = replace(look, study=replace(look.study, spec=sections))
    assert (look.spent, state_of(look)) == ("", "nobody at work")
    look = replace(look, left={"epochs": 2.0})
    assert (look.spent, state_of(look)) == ("epochs", "out of budget")
    assert replace(look, left={"trials": 0.0}).spent == "", "runs of the last trials wait"


def test_screen_and_line_say_how_far_it_is_and_what_is_to_come(
    bench: Bench, reader: Reader
) -> None:
    watched = watching(bench, reader)
    bench.plan("a", "b", "c")
    bench.train(bench.claim_one(), (0.1, 0.1))
    bench.claim(lease_s=1e12)
    forecast = {
        "device_s_left": {"value": 100.0, "low": 80.0, "high": 120.0},
        "wall_s_left": {"value": 50.0, "low": None, "high": None},
        "searches": [{"search": "ew", "runs_ended": 1, "runs_left": 5.0}],
    }
    answers = Answers(headline="UW is better than EW.", forecast=forecast)
    look = replace(watched.look(answers), searches=reader.search_status(bench.study.id))
    text = shown(look)
    wanted = ["demo: running", "UW is better than EW.", "1/6", "1 on here (cpu) with 1 run"]
    wanted += ["1 min 40 s (1 min 20 s to 2 min 00 s) of device time to come", "ends in about 50 s"]
    assert [part for part in wanted if part not in text] == []
    assert line(look).startswith("demo: running; 1/6 runs; cost ")
    bench.train(bench.claim_one(), (0.1, 0.1))
    later = watched.look(answers)  # with the forecast of before
    assert line(later).split("; ")[1] == "2/6 runs"
    low = shown(
        replace(look, answers=replace(answers, headline="Long. " * 200)), width=80, height=24
    )
    assert "ew" in low
    assert len(low.splitlines()) <= 24


def test_it_may_begin_before_the_study(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = f"sqlite:///{tmp_path / 'later.db'}"
    begins = iter([lambda: None, lambda: Storage(url).close(), lambda: Bench(url).storage.close()])
    wait_for_begin("demo", storage=url, wait=lambda _: next(begins)())
    assert next(begins, None) is None
    out, err = capsys.readouterr()
    assert (out, err.count("waiting for it")) == ("", 1)


def test_a_line_of_json_tells_more_than_the_time(
    bench: Bench, reader: Reader, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.plan("a")
    look, view = watching(bench, reader).look(NOTHING), JsonLines()
    for answers in (NOTHING, told(look.pulse.change, over=False), Answers(headline="EW.")):
        view.show(replace(look, answers=answers), True)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["headline"] for one in lines] == ["", "EW."]


def test_json_has_no_bare_numbers_that_json_lacks(bench: Bench, reader: Reader) -> None:
    bench.plan("a")
    plain = plain_of(watching(bench, reader).look(NOTHING), state="waiting")
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert datetime.fromisoformat(plain["at"]).tzinfo == UTC
