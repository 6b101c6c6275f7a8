"""Whatever is typed is done or refused in a sentence; what was stored before is there after it."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from study.drivers.local.fork_server import ForkServer
from tests import toy
from tests.integration.command import DEADLINE_S, Said, command
from tests.unit.cli.polite import content

SPEC = """
name = "tiny"
problem = "toy:Toy"
seeds = [0]
training = { epochs = 1, batch_size = 4 }
[baseline.metrics]
level = { error = 1.0 }
kind = { error = 0.5 }
flag = { error = 0.5 }
[[search]]
weighting = "ew"
stages = [{ lr = [0.05] }]
"""
STUDIES = [
    *("", " ", ".", "..", "/", "-", "nope", "tinyy", "TINY", "[/red]", ":smile:", "folder"),
    *("fifo.toml", "fifo", "missing.toml", "broken.toml", "no/such.toml", "/dev/null", "tiny\n"),
    *("a" * 5000, f"{'a' * 300}.toml", "\udcff", "\udcff.toml", "http://x/y.toml", "*", "~"),
    *("$HOME", "sqlite:///w.db", "-1", "--", "--nope", "plan", "x y.toml", "ünï.toml", "loop.toml"),
    "bom.toml",
]
VERBS = [
    ["run"],
    ["retry"],
    ["status"],
    ["compare"],
    ["compare", "--json"],
    ["report"],
    ["export", "-o", "runs.csv"],
]
FILES = ("", ".", "folder", "/dev/null", "no/such.x", "[/a]", "fifo", "x.xlsx")
DATABASES = ("", "x", "sqlite:///", "sqlite:///:memory:", "sqlite:///no/o.db", "nope://x", "://")
NUMBERS = ("0", "-1", "x", "1.5", "1000000000", "", "9" * 50)
LIMITS = ("", "x", "=", "epochs", "epochs=", "epochs=x", "a=1", "epochs=nan", "epochs=inf")
DEVICES = ("", "cuda:x", "[/a]", "cpu:", "9", "a" * 5000)
URLS = [
    *("", " ", "x", "w.db", "sqlite:///folder", "sqlite:///no/w.db", "mysql://x/y", "://", "[/a]"),
    *("sqlite:///tiny.toml", "\udcff", "a" * 5000),
]
OPTIONS = [
    *([], ["nope"], ["plna"], ["--nope"], ["-o"], [""], ["plan"], ["run"], ["export"]),
    *(["export", "tiny"], ["export", "tiny", "-o"], ["plan", "tiny", "--device"]),
    *(["export", "tiny", "-o", file] for file in FILES),
    *(["export", "tiny", "-o", f"{name}.parquet"] for name in ("folder", "a" * 300, "\udcff/x")),
    *(["export", "tiny", "-o", f"optuna:{url}"] for url in DATABASES),
    *(["report", "tiny", "-o", file] for file in FILES[:-3]),
    *(["run", "tiny", "--workers", number] for number in NUMBERS),
    *(["run", "tiny", "--budget", limit] for limit in LIMITS),
    *(["run", "tiny", "--budget", f"epochs={n}"] for n in ("-1", "0", "1e400", "²")),
    *(["run", "tiny", "--budget", f"{kind}={'9' * 5000}"] for kind in ("epochs", "wall_s")),
    *(["run", "tiny", f"--{name}", "1"] for name in ("address", "cpus-per-worker", "driver")),
    *(["run", "tiny", "--checkpoints", place] for place in ("", "tiny.toml", "nope://x")),
    *(["run", "tiny", "--device", device] for device in DEVICES),
    *(["init"], ["init", ""], ["init", "."], ["init", "folder"], ["init", "a.txt"], ["init", "x/"]),
    *(["init", f"{'a' * 300}.toml"], ["init", "no/a.toml"], ["init", "folder/.toml"]),
    *(["status", "--json", "x", "y"], ["status", "tiny", "tiny"], ["run", "--", "--budget"]),
    *(["log", "tiny", run] for run in ("0", "-1", "x", "1.5", "999", str(2**63), "9" * 30)),
    *(["presets", "x"], ["doctor", "x"], ["ray"], ["ray", "nope"]),
    ["status", "--storage", "postgresql://127.0.0.1:1/x?connect_timeout=1"],
]
LINES = [
    *(["plan", study] for study in STUDIES),
    *(
        [verb[0], study, *verb[1:]]
        for number, verb in enumerate(VERBS)
        for study in STUDIES[number % 4 :: 4]  # all find their study in one way
    ),
    *OPTIONS,
    *(["status", "--storage", url] for url in URLS),
    *(["compare", "tiny", "--storage", url] for url in URLS),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished study, and with what is no study."""
    made = tmp_path_factory.mktemp("lines").resolve()
    (made / "tiny.toml").write_text(SPEC)
    (made / "broken.toml").write_text(SPEC.replace("epochs = 1", "epochs = one"))
    (made / "bom.toml").write_bytes(b"\xef\xbb\xbf" + SPEC.replace("[0.05]", "[]").encode())
    (made / "loop.toml").symlink_to(made / "loop.toml")
    (made / "folder" / "x.parquet").mkdir(parents=True)
    (made / "folder.parquet").mkdir()
    for name in ("fifo", "fifo.toml"):
        os.mkfifo(made / name)
    shutil.copy(toy.__file__, made / "toy.py")
    assert command(made, "run", "tiny.toml", "--workers", "1").code == 0
    shutil.copy(made / "weighbridge.db", made / "before.db")
    return made


class Idle(ForkServer):
    """One that was begun in vain."""

    def __init__(self) -> None:
        """Begin nothing."""

    def kill(self) -> None:
        """End nothing."""


def polite(folder: Path, *words: str) -> Said:
    """What a line said that must end in time, without an exception and with nothing lost."""
    began_s, before = time.monotonic(), content(folder / "weighbridge.db")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ForkServer, "start", Idle)  # no line has anything to train
        said = command(folder, *words, warm=False)
    assert time.monotonic() - began_s < DEADLINE_S
    assert said.code in (0, 1, 2)
    assert "Traceback" not in said.out + said.err
    if said.code == 2 and words and "Usage:" not in said.out:
        assert said.out == ""
        assert said.err.startswith(("error ", "Usage:", "╭─ Error")), said.err
    assert content(folder / "weighbridge.db") == before
    assert list(folder.glob(".*")) == []
    return said


@pytest.mark.parametrize("part", range(8))
def test_every_line_ends_politely(part: int, folder: Path) -> None:
    for words in LINES[part::8]:
        try:
            said = polite(folder, *words)
        except BaseException as error:
            error.add_note(f"typed: {words!r}"[:500])
            raise
        assert said.code != 0 or words[1] in ("--", "bom.toml"), words


def test_there_are_enough_of_them() -> None:
    assert len(LINES) >= 150
