"""Pages while a study moves, and while its server or its database goes away and comes back."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from storage import Reader, RunState
from storage.states import Liveness
from tests import toy
from tests.browser.watched import Seen, serving
from tests.contract.storage_bench import Bench
from tests.integration.command import begun
from tests.integration.driving import DEADLINE_S, start, states, wait_for_done_runs
from tests.integration.servers import own_server
from tests.throwaway_postgres import SERVER

pytestmark = pytest.mark.slow

STUDY = "disturbed"
N_RUNS, N_EPOCHS = 3, 200
SPEC = f"""
name = "{STUDY}"
problem = "toy:Toy"
seeds = [0]
training = {{ epochs = {N_EPOCHS}, batch_size = 4, optimizer = "sgd", pack_size = 1 }}
[baseline.metrics]
level = {{ error = 1.0 }}
kind = {{ error = 0.5 }}
flag = {{ error = 0.5 }}
[[search]]
weighting = "ew"
stages = [{{ lr = [0.01, 0.02, 0.03] }}]
"""
PATHS = ("/", "/study/1", "/study/1/trials", "/study/1/workers")


def test_it_is_said_and_nothing_is_lost(browser: Browser, tmp_path: Path) -> None:
    with own_server() as folder:
        # a server that confirms a commit before it is on disk would forget it in the crash
        options = "options=-csynchronous_commit%3Don"
        url = f"postgresql+psycopg://weighbridge@/postgres?host={folder}&{options}"
        _look_while_it_goes_away(browser, url, folder, tmp_path)


def _look_while_it_goes_away(browser: Browser, url: str, server: Path, tmp_path: Path) -> None:
    (tmp_path / f"{STUDY}.toml").write_text(SPEC)
    shutil.copy(toy.__file__, tmp_path / "toy.py")
    files = ("--checkpoints", str(tmp_path / "checkpoints"))
    with start(tmp_path / f"{STUDY}.toml", url, *files, workers=1) as driver:
        wait_for_done_runs(url, STUDY, 1)
        found = Seen(browser, serving(url))
        pages = [found.page, *(found.another() for _ in PATHS[1:])]
        for page, path in zip(pages, PATHS, strict=True):
            page.goto(path)
        told = [page.locator("#liveness") for page in pages]
        for one in told:
            expect(one).to_have_text("Live")
        subprocess.run([SERVER, "down", server], check=True)
        for one in told:
            expect(one).to_contain_text("Not reachable")
        subprocess.run([SERVER, "up", server], check=True)
        for one in told:
            expect(one).to_have_text("Live")
        assert driver.wait(DEADLINE_S) == 0
        expect(pages[1].locator("#section-facts")).to_contain_text(f"{N_RUNS} of {N_RUNS}")
        expect(pages[2].locator("tbody .state.done")).to_have_count(N_RUNS)
        found.context.close()
    assert found.troubles == []
    assert states(url, STUDY) == {RunState.DONE: N_RUNS}
    with closing(Reader(url)) as reader:
        names, values = reader.epochs(STUDY, split="validation", task="level", metric="error")
        assert len(names) == 1
        assert len(values) == N_RUNS * N_EPOCHS


def test_a_page_that_could_not_be_made_is_there_when_the_database_is(
    browser: Browser, tmp_path: Path
) -> None:
    bench = Bench(f"sqlite:///{tmp_path / 'w.db'}")
    bench.plan('{"lr":0.1}')
    bench.storage.close()
    found = Seen(browser, serving(tmp_path / "w.db"), java_script_enabled=False)
    (tmp_path / "w.db").rename(tmp_path / "away")
    found.page.goto("/study/1/trials")
    expect(found.page.locator("h1")).to_have_text("The database cannot be read now")
    (tmp_path / "away").rename(tmp_path / "w.db")
    expect(found.page.locator("tbody tr")).to_have_count(1)
    found.context.close()


def test_what_happens_appears_and_what_one_does_stays(browser: Browser, tmp_path: Path) -> None:
    bench = Bench(f"sqlite:///{tmp_path / 'w.db'}")
    bench.plan('{"lr":0.1}', '{"lr":0.2}')
    found = Seen(browser, serving(tmp_path / "w.db"))
    page = found.page
    page.goto("/study/1/trials")
    expect(page.locator("tbody .state")).to_have_text(["waiting", "waiting"])
    page.locator("summary", has_text="Ranges of parameters").click()
    page.get_by_label("learning rate from").fill("0.15")
    link = page.locator("#trial-1 a")
    link.focus()
    bench.train(bench.claim_one(), (0.1, 0.1))
    bench.plan('{"lr":0.3,"depth":2}')
    expect(page.locator("tbody .state.done")).to_have_count(1)
    expect(page.get_by_label("depth from")).to_be_visible()  # what was opened is open
    expect(page.get_by_label("learning rate from")).to_have_value("0.15")
    expect(link).to_be_focused()
    page.get_by_role("button", name="Show").nth(1).click()
    expect(page.locator("tbody a")).to_have_text(["ew 1", "ew 2"])
    found.context.close()
    assert found.troubles == []


def test_an_open_page_of_a_study_that_is_deleted_says_so(browser: Browser, tmp_path: Path) -> None:
    bench = Bench(f"sqlite:///{tmp_path / 'w.db'}")
    found = Seen(browser, serving(tmp_path / "w.db"))
    found.page.goto("/study/1/trials")
    bench.storage.delete_study(bench.study.id, liveness=lambda _: Liveness.DEAD)
    expect(found.page.locator("main")).to_contain_text("It may have been deleted")
    found.context.close()


def test_open_pages_go_on_when_the_server_begins_anew(browser: Browser, tmp_path: Path) -> None:
    bench = Bench(f"sqlite:///{tmp_path / 'w.db'}")
    bench.plan('{"lr":0.1}')
    serve_it = ("dashboard", "--storage", bench.url, "--port")
    with begun(tmp_path, *serve_it, "0") as server:
        assert server.stdout is not None
        site = server.stdout.readline().split()[0]
        found = Seen(browser, site)
        found.page.goto("/study/1/trials")
        told = found.page.locator("#liveness")
        expect(told).to_have_text("Live")
    expect(told).to_contain_text("Not reachable")
    bench.plan('{"lr":0.1}', '{"lr":0.2}')
    with begun(tmp_path, *serve_it, site.rpartition(":")[2]):
        expect(told).to_have_text("Live")
        expect(found.page.locator("tbody tr")).to_have_count(2)
        found.context.close()
    bench.storage.close()
