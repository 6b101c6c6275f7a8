"""A server that asks for a password: a wrong one is refused, and none is ever told."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from tests import toy
from tests.integration.command import DEADLINE_S, WARM, Said, command, typed
from tests.integration.servers import own_server

pytestmark = pytest.mark.slow

RIGHT, WRONG = "open:sesame@home/1", "guess:work@away/2"
URLS = {
    "user": "postgresql+psycopg://weighbridge:{password}@/postgres?host={folder}",
    "query": "postgresql://weighbridge@/postgres?password={password}&host={folder}",
}
SPEC = """
name = "guarded"
problem = "toy:Toy"
seeds = [0]
training = { epochs = 2, batch_size = 4, optimizer = "sgd" }
baseline.metrics = { level.error = 1.0, kind.error = 0.5, flag.error = 0.5 }
[[search]]
weighting = "ew"
stages = [{ lr = [0.05] }]
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Path]:
    """The folder of a server that lets nobody in without the password."""
    with own_server() as folder:
        with psycopg.connect(host=str(folder), **_user(), autocommit=True) as connection:
            connection.execute(f"ALTER ROLE weighbridge PASSWORD '{RIGHT}'")
            (folder / "data" / "pg_hba.conf").write_text("local all all scram-sha-256\n")
            connection.execute("SELECT pg_reload_conf()")
        _wait_until_guarded(folder)
        yield folder


def _user() -> dict[str, str]:
    return {"user": "weighbridge", "dbname": "postgres"}


def _wait_until_guarded(folder: Path) -> None:
    deadline_s = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline_s:
        try:
            psycopg.connect(host=str(folder), **_user(), password=WRONG).close()
        except psycopg.OperationalError:
            return
        time.sleep(0.02)
    pytest.fail("the server lets anybody in")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "guarded.toml").write_text(SPEC)
    shutil.copy(toy.__file__, tmp_path / "toy.py")
    return tmp_path


def url(form: str, server: Path, password: str) -> str:
    return URLS[form].format(folder=server, password=quote(password, safe=""))


def told(password: str, said: Said, folder: Path) -> list[str]:
    """Where a password is to be read, as it is or as it stands in a URL."""
    texts = {"stdout": said.out.encode(), "stderr": said.err.encode()}
    texts |= {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    forms = (password.encode(), quote(password, safe="").encode(), quote(password).encode())
    return [name for name, text in texts.items() if any(form in text for form in forms)]


@pytest.mark.parametrize(("verb", "form"), [("run", "user"), ("report", "query")])
def test_a_wrong_password_is_refused_and_not_told(
    verb: str, form: str, server: Path, folder: Path
) -> None:
    said = command(folder, verb, "guarded.toml", "--storage", url(form, server, WRONG))
    assert (said.code, said.out) == (2, "")
    assert "password authentication failed" in said.err
    assert "Check the user and the password" in said.err
    assert "***" in said.err
    assert "Traceback" not in said.err
    assert told(WRONG, said, folder) == []


@pytest.mark.usefixtures("impatient")
def test_no_password_at_all_is_told(server: Path, folder: Path) -> None:
    without = f"postgresql+psycopg://weighbridge@/postgres?host={server}"
    said = command(folder, "run", "guarded.toml", "--storage", without)
    assert said.code == 2
    assert "no password supplied" in said.err
    assert "in PGPASSWORD or in ~/.pgpass" in said.err


@pytest.mark.parametrize("form", URLS)
def test_the_right_password_serves_and_is_nowhere_told(
    form: str, server: Path, folder: Path
) -> None:
    there = ("--storage", url(form, server, RIGHT))
    trained = typed(folder, "run", "guarded.toml", *there, module=WARM)
    looked = [
        command(folder, *verb, *there) for verb in (["status"], ["report", "guarded"], ["doctor"])
    ]
    for said in (trained, *looked):
        assert said.code == 0, said.err
        assert told(RIGHT, said, folder) == []
    assert (folder / "report.html").exists()
