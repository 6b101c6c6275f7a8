"""What `run` sees of its study early, so that no worker begins to import torch in vain."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from study.cli._glimpse import all_has_ended
from study.drivers.local.fork_server import ForkServer, fork_server_ahead
from tests.contract.storage_bench import Bench

OPEN = b'name = "demo"\nseeds = [0]\n'


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a study of two runs, of which one has ended, and an old spec of it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WEIGHBRIDGE_STORAGE", raising=False)
    (tmp_path / "demo.toml").write_bytes(OPEN)
    os.utime("demo.toml", (0, 0))
    return tmp_path


@pytest.fixture
def bench(here: Path) -> Iterator[Bench]:
    bench = Bench("sqlite:///weighbridge.db")
    bench.plan("a", "b")
    bench.train(bench.claim_one(), (0.5, 0.5))
    yield bench
    bench.storage.close()


@pytest.mark.parametrize("open_", [False, True])
def test_it_is_over_when_the_last_run_is_whether_the_database_is_open_or_not(
    bench: Bench, here: Path, open_: bool
) -> None:
    assert not all_has_ended(["run", "demo"])
    claim = bench.claim_one()
    assert not all_has_ended(["run", "demo"])
    bench.train(claim, (0.5, 0.5))
    if not open_:
        bench.storage.close()
    beside = sorted(here.iterdir())
    assert all_has_ended(["run", "demo"])
    assert all_has_ended(["run", "demo.toml", "--workers", "1"])
    assert sorted(here.iterdir()) == beside


@pytest.fixture
def over(bench: Bench) -> None:
    """The other run has ended, too."""
    bench.train(bench.claim_one(), (0.5, 0.5))


@pytest.mark.parametrize("where", [["--storage", "sqlite:///w.db"], ["--storage=sqlite:///w.db"]])
def test_it_looks_into_the_database_that_is_meant(
    over: None, where: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not all_has_ended(["run", "demo", *where])
    monkeypatch.setenv("WEIGHBRIDGE_STORAGE", "sqlite:///w.db")
    assert not all_has_ended(["run", "demo"])
    assert all_has_ended(["run", "demo", "--storage", "sqlite:///weighbridge.db"])


def test_a_spec_that_was_written_since_may_ask_for_more(over: None) -> None:
    now_s = time.time() + 1
    os.utime("demo.toml", (now_s, now_s))
    assert not all_has_ended(["run", "demo.toml"])


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["demo", "--budget", "epochs=9"],
        ["demo", "--budget=epochs=9"],
        ["demo", "--redecide"],
        ["--workers", "1", "demo"],
        ["other"],
        ["\udcff"],
        ["\0"],
        ["."],
        ["demo", "--storage", "sqlite://"],
        ["demo", "--storage", "sqlite:///."],
        ["demo", "--storage", "sqlite:///demo.toml"],
        ["demo", "--storage", "postgresql://nobody@127.0.0.1:1/x"],
        ["broken.toml"],
        ["nameless.toml"],
        ["binary.toml"],
    ],
)
def test_in_doubt_there_is_something_to_run(over: None, here: Path, words: list[str]) -> None:
    (here / "broken.toml").write_bytes(b"name = ")
    (here / "nameless.toml").write_bytes(b"name = 1")
    (here / "binary.toml").write_bytes(b"\xff")
    assert not all_has_ended(["run", *words])


@pytest.mark.parametrize("needless", [False, True])
def test_a_fork_server_is_begun_at_once_and_ended_where_it_is_needless(
    needless: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened: list[str] = []

    class Fake(ForkServer):
        def __init__(self) -> None:
            happened.append("begun")

        def kill(self) -> None:
            happened.append("ended")

    def is_needless() -> bool:
        happened.append("asked")
        return needless

    monkeypatch.setattr(ForkServer, "start", Fake)
    with fork_server_ahead(is_needless=is_needless):
        assert happened == ["begun", "asked", *(["ended"] if needless else [])]
    assert happened == ["begun", "asked", "ended"]
