"""Promises of the dashboard that hold on any database."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from starlette.testclient import TestClient

from reports.dashboard import Access, Ending, application
from reports.dashboard.following.mirror import Mirror
from reports.dashboard.following.workers import worker_status
from storage import Reader, RunState
from storage.states import Liveness
from tests.contract.storage_backends import Backend, OnFile, OnPostgres
from tests.contract.storage_bench import SEARCHES, Bench, end, epoch


def live_of(page: str) -> str:
    """Where a page asks for what is new."""
    found = re.search(r'hx-get="([^"]*)"', page)
    assert found
    return found[1].replace("&amp;", "&")


def limits_of(page: str) -> dict[tuple[str, str], tuple[str, ...]]:
    """Of whom and what: the limit, what is used and left of it, and when it is used up."""
    (text,) = re.findall(r'aria-label="Limits".*?</table>', page, re.DOTALL)
    found = {}
    for row in re.findall(r"<tr><th scope=\"row\".*?</tr>", text, re.DOTALL):
        cells = re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)
        plain = [" ".join(re.sub("<[^>]*>", "", cell).split()) for cell in cells]
        found[plain[0], plain[1]] = tuple(text for text in plain[2:] if text)
    return found


def _limited(bench: Bench, **more: float) -> str:
    """A study with limits of its own and of its search; returns its address."""
    part = {"weighting": "ew", "budget": {"trials": 4, "epochs": 3}}
    bench.study = bench.storage.save_study(
        name="limited",
        spec={
            "seeds": [0],
            "budget": {"trials": 5, "epochs": 10, "device_s": None, **more},
            "search": [part],
        },
        card={},
        fingerprint="f",
        searches=SEARCHES,
    )
    bench.worker_id = bench.add_worker()
    bench.plan('{"lr":0.3}', '{"lr":0.4}')
    return f"/study/{bench.study.id}"


class Pages(Backend):
    @pytest.fixture
    def site(self, bench: Bench, url: str) -> Iterator[TestClient]:
        bench.plan('{"lr":0.1}', '{"lr":0.2}')
        with TestClient(application(url, Access()), base_url="http://127.0.0.1:8050") as site:
            yield site

    @pytest.mark.parametrize("path", ["trials", "trial/0?search=ew", "workers"])
    def test_what_changed_comes_as_sections_that_differ(
        self, site: TestClient, bench: Bench, path: str
    ) -> None:
        number = bench.study.id
        live = live_of(site.get(f"/study/{number}/{path}").text)
        assert site.get(live).status_code == 204
        bench.train(bench.claim_one(), (0.1, 0.1))
        answer = site.get(live)
        assert answer.status_code == 200
        assert 'hx-swap="innerMorph"' in answer.text
        assert "<html" not in answer.text
        assert site.get(live_of(answer.text)).status_code == 204

    @pytest.mark.parametrize("path", ["views", "audit"])
    def test_where_nothing_happens_nothing_is_sent(
        self, site: TestClient, bench: Bench, path: str
    ) -> None:
        live = live_of(site.get(f"/study/{bench.study.id}/{path}").text)
        answers = [site.get(live) for _ in range(3)]
        assert [(one.status_code, one.text) for one in answers] == 3 * [(204, "")]

    def test_a_child_of_a_population_leads_to_its_parent(
        self, site: TestClient, bench: Bench
    ) -> None:
        bench.plan('{"from":{"epoch":2,"replaces":1,"trial":0},"lr":0.3}')
        study = f"/study/{bench.study.id}"
        trial = site.get(f"{study}/trial/2?search=ew").text
        (run,) = re.findall(rf'href="({study}/run/\d+)"', trial)
        (parents,) = re.findall(
            rf'href="({study}/run/\d+)"', site.get(f"{study}/trial/0?search=ew").text
        )
        for page, links in ((trial, []), (site.get(run).text, [parents])):
            (said,) = re.findall("<p>It goes on from .*?</p>", page)
            assert "after epoch 2" in said
            ways = [f"{study}/trial/{number}?search=ew" for number in (0, 1)]
            assert re.findall('href="([^"]*)"', said) == links + ways

    def test_a_study_made_anew_is_another_one(
        self, site: TestClient, bench: Bench, url: str
    ) -> None:
        assert "2 of 2 trials" in site.get(f"/study/{bench.study.id}/trials").text
        bench.storage.delete_study(bench.study.id, liveness=lambda _: Liveness.DEAD)
        bench.study = bench.save()
        bench.plan('{"lr":0.3}')
        assert "1 of 1 trials" in site.get(f"/study/{bench.study.id}/trials").text

    @pytest.mark.parametrize("number", [f"{2**63}", "9" * 5000])
    def test_numbers_that_no_database_holds_are_no_failure(
        self, site: TestClient, bench: Bench, number: str
    ) -> None:
        study = f"/study/{bench.study.id}"
        for path in (f"/study/{number}", f"{study}/run/{number}/curves.json"):
            assert site.get(path).status_code == 404
        for path in (f"{study}?budget={number}", f"{study}/trials?after={number}"):
            assert site.get(path).status_code == 200

    def test_studies_are_sorted_and_say_what_they_take_yet(self, bench: Bench, url: str) -> None:
        bench.plan('{"lr":0.1}')
        claim, other = bench.claim_one(), bench.save("another")
        bench.storage.renew(bench.holder_id, [claim.run], lease_s=1e10)
        ends = Ending(at=datetime.now(UTC) + timedelta(hours=9.5))
        app = application(url, Access(), ahead=lambda _: [("Expected end", ends)])
        with TestClient(app, base_url="http://127.0.0.1:8050") as site:
            page = site.get("/").text
            assert page.index(f"study-{other.id}") < page.index(f"study-{bench.study.id}")
            while "being worked out" in (page := site.get("/?sort=name&down=1").text):
                pass
            bench.storage.pause(bench.study.id)
            paused = site.get("/").text
            of_itself = site.get(f"/study/{bench.study.id}").text
        assert re.search(r"ends <time [^>]*data-ahead>in 9 h</time>", page)
        assert "waits for a driver to take it up: weighbridge run another" in page
        assert "waits for weighbridge resume demo" in paused
        assert "data-ahead" not in paused + of_itself
        assert page.index(f"study-{bench.study.id}") < page.index(f"study-{other.id}")
        assert 'aria-sort="descending"' in page

    def test_a_function_study_names_no_single_task_networks(
        self, site: TestClient, bench: Bench
    ) -> None:
        function = bench.storage.save_study(
            name="tuning",
            spec={"seeds": [0]},
            card={
                "kind": "function",
                "tasks": [{"name": "tuned", "metrics": [{"name": "loss", "direction": "min"}]}],
            },
            fingerprint="f",
            searches=[("function", "search", "")],
        )
        page = site.get(f"/study/{function.id}").text
        assert "Searches, and what they cost." in page
        assert "single-task" not in page

    def test_workers_say_what_they_do(self, site: TestClient, bench: Bench) -> None:
        at, (claim, other) = f"/study/{bench.study.id}/workers", bench.claim(2)
        page = site.get(at).text
        assert f'2 runs: <a href="/study/{bench.study.id}/run/{claim.run}">' in page
        assert f'id="lease-{other.run}"' in page
        live = live_of(page)
        assert site.get(live).status_code == 204
        bench.storage.renew(bench.holder_id, [claim.run], lease_s=900.0)
        assert "Until" in site.get(live).text  # though nothing of the study has changed
        bench.storage.record([end(claim, RunState.FAILED)])
        bench.take_back(bench.holder)
        page = site.get(at).text
        assert "idle or gone" in page
        assert "No run is held by a worker now." in page
        assert "The latest attempts, 1 of 1, that ended with their worker" in page
        for of in ("utilisation", "throughput"):
            found = site.get(f"{at}.json?of={of}").json()
            assert [one["name"] for one in found["series"]] == ["all workers"]

    def test_workers_are_told_from_memory_as_from_the_database(
        self, bench: Bench, url: str
    ) -> None:
        bench.plan(*(f'{{"lr":0.{n}}}' for n in range(1, 6)))
        bench.train(bench.claim_one(), (0.1, 0.1))
        bench.storage.record([end(bench.claim_one(), RunState.FAILED)])
        bench.claim(2)
        with closing(Reader(url)) as reader:
            mirror = Mirror()
            mirror.begin()
            mirror.take_runs(reader.run_block(bench.study.id, after=0, limit=100))
            mirror.take_attempts(reader.attempt_block(bench.study.id, after=0, limit=100))
            told = reader.worker_status(bench.study.id, limit=10)
            n, processes = reader.worker_processes(bench.study.id, limit=10)
            assert (n, worker_status(mirror.attempts, processes)) == told
            bench.train(bench.claim_one(), (0.1, 0.1))
            bench.take_back(bench.holder)
            more = reader.changes(bench.study.name, "", limit=100)
            mirror.apply(replace(more, anew=False))
            told = reader.worker_status(bench.study.id, limit=10)
            assert worker_status(mirror.attempts, processes) == told[1]

    def test_a_study_that_no_driver_holds_is_not_called_running(
        self, site: TestClient, bench: Bench
    ) -> None:
        at = f"/study/{bench.study.id}"
        claim = bench.claim_one()
        for path in (at, "/"):
            assert "no driver" in site.get(path).text  # by the bench's clock it is 1970
        live = live_of(site.get(at).text)
        bench.storage.renew(bench.holder_id, [claim.run], lease_s=1e10)
        assert "no driver" not in site.get(live).text
        assert "running" in site.get("/").text

    def test_budgets_burn_down(self, site: TestClient, bench: Bench) -> None:
        at = _limited(bench)
        assert "3 of 5 trials (without baselines)" in site.get(at).text
        assert site.get(f"{at}/budget.json?of=nix").json() == {"series": []}
        first, second = bench.claim(2)
        bench.train(first, (0.1, 0.1), (0.1, 0.1))
        bench.storage.record([epoch(second, 1, 0.1, 0.1)])
        assert "if all goes on" not in site.get(at).text  # no driver holds it: it is 1970
        bench.storage.renew(bench.holder_id, [second.run], lease_s=1e10)
        page = site.get(at).text
        assert "if all goes on as in the last" in page
        (left, ahead) = site.get(f"{at}/budget.json?of=epochs").json()["series"]
        assert [round(left["y"][0]), round(left["y"][-1])] == [10, 7]
        assert ahead["y"][0] == left["y"][-1]
        bench.storage.record([end(second)])
        assert "if all goes on" not in site.get(at).text
        (left,) = site.get(f"{at}/budget.json?of=trials").json()["series"]
        assert left["y"][-1] == 3

    def test_limits_of_searches_and_of_commands_are_told_beside_the_studys(
        self, site: TestClient, bench: Bench
    ) -> None:
        at = _limited(bench, wall_s=1800.0)
        rows = limits_of(site.get(at).text)
        assert rows["each command", "time of one command"][:2] == ("30 min 00 s", "0 s")
        first, second = bench.claim(2)
        bench.train(first, (0.1, 0.1), (0.1, 0.1))
        bench.storage.record([epoch(second, 1, 0.1, 0.1)])
        bench.storage.renew(bench.holder_id, [second.run], lease_s=1e10)
        rows = limits_of(site.get(at).text)
        assert rows["the study", "epochs"][:3] == ("10", "3", "7")
        assert rows["ew", "epochs"][:3] == ("3", "3", "0")
        assert rows["ew", "epochs"][-1] == "used up"
        assert rows["ew", "trials (without baselines)"][:3] == ("4", "2", "2")
        (left,) = site.get(f"{at}/budget.json?of=epochs&each=1").json()["series"]
        assert (left["name"], round(left["y"][0]), round(left["y"][-1])) == ("ew", 3, 0)
        command = rows["process 1 on here", "time of one command"]
        assert command[0] == "30 min 00 s"
        assert command[-1].startswith("in ")

    def test_a_message_that_was_not_delivered_is_shown(
        self, site: TestClient, bench: Bench
    ) -> None:
        bench.study = bench.storage.save_study(
            name="heard",
            spec={"seeds": [0], "notify": {"on": ["done"]}},
            card={},
            fingerprint="f",
            searches=SEARCHES,
        )
        birth, at = bench.study.birth, f"/study/{bench.study.id}"
        live = live_of(site.get(at).text)
        assert "Messages that were not delivered" not in site.get(at).text
        bench.storage.announce(birth, {"done 1": "{}"})
        one = bench.storage.claim_notification(birth)
        assert one is not None
        bench.storage.undelivered(one.id, "The receiver answered with status 503.")
        news = site.get(live).text  # though nothing of the study has changed
        assert "The receiver answered with status 503." in news
        assert "once a driver is at work" in news  # which tries it again
        bench.storage.delivered(one.id)
        assert "The receiver" not in site.get(at).text

    def test_who_begins_to_work_on_it_again_has_the_time_of_a_command_again(
        self, bench: Bench, url: str
    ) -> None:
        bench.plan("a")
        bench.claim(lease_s=1e10)
        reader = Reader(url)
        (before,) = reader.drivers(bench.study.id)
        bench.storage.register_holder(bench.holder)
        (after,) = reader.drivers(bench.study.id)
        reader.close()
        assert after.since > before.since

    def test_a_look_leaves_the_database_to_who_writes(self, site: TestClient, bench: Bench) -> None:
        site.get(f"/study/{bench.study.id}/trials")
        bench.claim_one()  # would wait for the end of a reading transaction that stood open


class TestOnFile(Pages, OnFile):
    pass


class TestOnPostgres(Pages, OnPostgres):
    pass
