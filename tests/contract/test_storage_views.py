"""Promises of the SQL views: the columns that are documented, with the right values."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from storage import RunState
from storage.records import Claim, EpochTiming, Spent, Verdict
from storage.schema.views import ORDER, VIEWS
from tests.contract.storage_backends import (
    Backend,
    OnMemory,
    OnPostgres,
    postgres_schema,
)
from tests.contract.storage_bench import Bench, end, epoch
from tests.contract.storage_demo import make_demo
from tests.contract.view_examples import asked_by_datasette, asked_by_grafana, panels
from tests.docs.pages import read

_PAGE = Path(__file__).parents[2] / "docs" / "reference" / "schema.md"
_GUIDE = "docs/how-to/machines.md"
_TYPES = {"integer": int, "flag": int, "number": float, "text": str, "time": (str, datetime)}


def _sections() -> dict[str, str]:
    """View -> its part of the page."""
    parts = re.split(r"^## `(\w+)`$", _PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _documented(view: str) -> dict[str, str]:
    """Column -> documented type of a view, in the page's order."""
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \|", _sections()[view], flags=re.MULTILINE)
    return dict(rows)


def _query(view: str) -> str:
    (query,) = re.findall(r"```sql\n(.*?)```", _sections()[view], flags=re.DOTALL)
    return query


def _recipes() -> list[str]:
    """The queries that answer questions, in the page's order."""
    head = _PAGE.read_text(encoding="utf-8").split("## `run_results`")[0]
    return re.findall(r"```sql\n(.*?)```", head, flags=re.DOTALL)


def test_every_view_is_documented() -> None:
    assert list(_sections()) == list(VIEWS) == list(ORDER)


class ViewPromises:
    """Tests only read, all of a class from one database: see its `url`."""

    @pytest.fixture(scope="class")
    @classmethod
    def url(cls) -> Iterator[str | None]:
        raise NotImplementedError("Override the `url` fixture in your subclass.")

    @pytest.fixture(scope="class")
    @classmethod
    def demo(cls, url: str | None) -> Iterator[Bench]:
        bench = Bench(url)
        make_demo(bench)
        timing = EpochTiming(
            search_id=bench.search(), sweep=0, hardware="a cpu", epoch_s=1.5, charged_s=1.0
        )
        bench.storage.save_timings(
            [timing], study_id=bench.study.id, worker_id=bench.worker_id, seconds=0.5
        )
        yield bench
        bench.storage.close()

    @pytest.mark.parametrize("view", VIEWS)
    def test_columns_are_as_documented(self, demo: Bench, view: str) -> None:
        assert list(demo.view(view)[0]) == list(_documented(view))

    @pytest.mark.parametrize("view", VIEWS)
    def test_values_are_of_the_documented_type(self, demo: Bench, view: str) -> None:
        types = _documented(view)
        wrong = [
            (column, value)
            for row in demo.view(view)
            for column, value in row.items()
            if value is not None and not isinstance(value, _TYPES[types[column]])
        ]
        assert wrong == []

    @pytest.mark.parametrize("view", VIEWS)
    def test_the_example_query_finds_something(self, demo: Bench, view: str) -> None:
        with demo.storage._database.read() as connection:
            assert connection.exec_driver_sql(_query(view)).all() != []

    def test_recipes_answer_their_questions(self, demo: Bench) -> None:
        with demo.storage._database.read() as connection:
            costs, best, curve, failed, days = (
                [tuple(row) for row in connection.exec_driver_sql(query)] for query in _recipes()
            )
        runs, attempts = demo.view("run_results"), demo.view("attempt_costs")
        by_search: dict[str, list[dict[str, Any]]] = {}
        for run in runs:
            by_search.setdefault(run["search"], []).append(run)
        assert {row[0]: row[1:] for row in costs} == {
            name: (
                len(of_search),
                pytest.approx(sum(run["device_s"] for run in of_search)),
                pytest.approx(sum(run["method_cost_s"] for run in of_search)),
            )
            for name, of_search in by_search.items()
        }
        # y diverged, and a seed of it failed: x wins, by a quarter on test at its second epoch
        assert best == [("ew", 0, "x", pytest.approx(-12.5), pytest.approx(-25.0), 1)]
        assert [row for row in curve if row[1:3] == ("a", "error")] == [
            (epoch, "a", "error", value, 1) for epoch, value in ((1, 0.3), (2, 0.15), (3, 0.25))
        ]
        why = {(a["failure"], a["failure_text"]) for a in attempts if a["failure"] is not None}
        assert {row[:2] for row in failed} == why
        assert sum(row[2] for row in failed) == sum(a["failure"] is not None for a in attempts)
        assert sum(row[1] for row in days) == len(attempts)
        assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", row[0]) for row in days)
        assert sum(row[2] for row in days) == pytest.approx(sum(a["device_s"] for a in attempts))

    def test_examples_for_other_programs_find_something(self, demo: Bench) -> None:
        choices = {"study": "demo", "search": "ew", "metric": "a error"}
        given = {"study": "demo", "run": _run(demo, "x")["run"]}
        with demo.storage._database.read() as connection:
            seen = dict(asked_by_grafana(connection, choices))
            told = dict(asked_by_datasette(connection, given))
        assert [name for name, rows in {**seen, **told}.items() if not rows] == []
        assert {*choices, *panels()} == {*seen}
        assert (seen["study"], seen["search"]) == ([("demo",)], [("ew",)])
        assert ("a error",) in seen["metric"]
        (curve,) = (rows for name, rows in seen.items() if name.startswith("How the winner"))
        assert [tuple(row)[:3] for row in curve] == [
            (number, value, value) for number, value in ((1, 0.3), (2, 0.15), (3, 0.25))
        ]
        paid = sum(a["device_s"] for a in demo.view("attempt_costs"))
        assert seen["Device time paid"][-1][1] == pytest.approx(paid)
        assert [row[0] for row in told["best"]] == ["ew"]

    @pytest.mark.parametrize("view", VIEWS)
    def test_every_view_can_be_asked_for_one_study(self, demo: Bench, view: str) -> None:
        assert {row["study"] for row in demo.view(view)} == {"demo"}

    def test_a_finished_run(self, demo: Bench) -> None:
        run = _run(demo, "x")
        assert (run["trial"], run["state"], run["planned"]) == (0, "done", 1)
        assert (run["epochs"], run["epoch_selected"], run["baseline_hash"]) == (3, 2, "b1")
        # metric b is that of the baseline, a went from 0.2 to 0.15 (0.1 on test): half of -25 %
        assert run["delta_m_val"] == pytest.approx(-12.5)
        assert run["delta_m_test"] == pytest.approx(-25.0)

    def test_the_method_pays_for_epochs_that_stand(self, demo: Bench) -> None:
        # start-up 1, epoch 1: 2.5, epochs 2 and 3 of the second attempt: 1.5 each
        assert _run(demo, "x")["method_cost_s"] == 1.0 + 2.5 + 1.5 + 1.5
        assert _run(demo, "x")["grad_evals"] == 4 + 2 + 2

    def test_all_attempts_of_a_run_are_paid(self, demo: Bench) -> None:
        # epochs of 3.5 and 1.5 and a checkpoint, two epochs of 1.5 and a test
        assert _run(demo, "x")["device_s"] == 3.5 + 1.5 + 0.125 + 1.5 + 1.5 + 0.25

    def test_a_diverged_run(self, demo: Bench) -> None:
        run = _run(demo, "y")
        assert (run["state"], run["diverged_epoch"], run["epochs"]) == ("diverged", 2, 1)
        assert (run["delta_m_val"], run["epoch_selected"]) == (None, None)
        assert (run["method_cost_s"], run["reason"]) == (1.5 + 4.0, "loss of a is nan")

    def test_a_run_that_is_no_longer_planned(self, demo: Bench) -> None:
        assert _run(demo, "gone")["planned"] == 0

    def test_a_single_task_run(self, demo: Bench) -> None:
        (run,) = (row for row in demo.view("run_results") if row["search"] == "stl/a")
        assert (run["role"], run["epoch_selected"]) == ("baseline", 1)
        assert (run["delta_m_val"], run["delta_m_test"], run["baseline_hash"]) == (None,) * 3

    def test_metrics_of_an_epoch(self, demo: Bench) -> None:
        run = _run(demo, "x")["run"]
        rows = [row for row in demo.view("epoch_metrics") if (row["run"], row["epoch"]) == (run, 2)]
        assert [(r["split"], r["task"], r["metric"], r["value"]) for r in rows] == [
            ("test", "a", "error", 0.1),
            ("test", "b", "score", 0.5),
            ("train", "a", "loss", 2.0),
            ("validation", "a", "error", 0.15),
            ("validation", "b", "score", 0.5),
        ]

    def test_attempts_of_a_run(self, demo: Bench) -> None:
        lost, finished = demo.attempts(_run(demo, "x")["run"])
        assert (lost["state"], lost["failure"], lost["epochs"]) == ("lost", "DriverLost", 2)
        assert (lost["startup_s"], lost["train_s"], lost["checkpoint_s"]) == (1.0, 3.0, 0.125)
        assert (finished["state"], finished["failure"], finished["epochs"]) == (
            "finished", None, 2
        )  # fmt: skip
        assert (finished["device"], finished["hardware"], finished["code_version"]) == (
            "cpu", "a cpu", "1.0"
        )  # fmt: skip
        assert lost["started"] <= lost["ended"] <= finished["started"]

    def test_points_of_the_stages(self, demo: Bench) -> None:
        rows = [row for row in demo.view("stage_trials") if row["search"] == "ew"]
        assert [(r["stage"], r["position"], r["trial"], r["kind"], r["round"]) for r in rows] == [
            (0, 0, 0, "grid", 0), (0, 1, 1, "grid", 0), (1, 0, 0, "grid", 0)
        ]  # fmt: skip
        assert {row["params_tuned"] for row in rows} == {"lr"}

    def test_decisions_of_the_stages(self, demo: Bench) -> None:
        rows = [row for row in demo.view("stage_decisions") if row["search"] == "ew"]
        assert [(r["trial"], r["value"], r["standing"]) for r in rows] == [
            (1, -1.0, 0), (0, -12.5, 1)
        ]  # fmt: skip

    def test_numbers_of_the_baseline(self, demo: Bench) -> None:
        rows = demo.view("baseline_metrics")
        assert [(r["task"], r["split"], r["value"], r["trial"], r["source"]) for r in rows] == [
            ("a", "test", 0.2, 0, "trained"),
            ("a", "validation", 0.2, 0, "trained"),
            ("b", "test", 0.5, 0, "trained"),
            ("b", "validation", 0.5, 0, "trained"),
        ]


def _train_epoch(bench: Bench, number: int, *, startup_s: float) -> Claim:
    """Claim the run, and train one more epoch of it."""
    claim = bench.claim_one()
    spent = Spent(startup_s=startup_s, train_s=1.0, validation_s=0.5)
    bench.storage.record([epoch(claim, number, 0.1, 0.1, spent=spent)])
    return claim


def _run(demo: Bench, params: str) -> dict[str, Any]:
    """The first run of a point of the search ``ew``."""
    rows = [row for row in demo.view("run_results") if row["search"] == "ew"]
    return next(row for row in rows if row["params"] == params)


class TestViewsOnMemory(ViewPromises):
    @pytest.fixture(scope="class")
    @classmethod
    def url(cls) -> None:
        return None


class TestViewsOnPostgres(ViewPromises):
    @pytest.fixture(scope="class")
    @classmethod
    def url(cls) -> Iterator[str]:
        with postgres_schema() as url:
            yield url

    def test_a_role_that_may_read_views_alone_reads_nothing_else(
        self, demo: Bench, url: str
    ) -> None:
        """By the statements of the guide: a seal holds for it, as it lies in the views."""
        (text,) = re.findall(r"```sql\n(CREATE ROLE.*?)```", read(_GUIDE), flags=re.DOTALL)
        role = f"reader_{uuid.uuid4().hex}"
        schema = url.rpartition("search_path")[2].lstrip("=%3D")
        engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for statement in text.split(";"):
                named = statement.replace("grafana", role).replace("public", schema).strip()
                if named:
                    connection.exec_driver_sql(named)
            connection.exec_driver_sql(f"SET ROLE {role}")
            for view in VIEWS:
                connection.exec_driver_sql(f"SELECT * FROM {view}").all()
            with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
                connection.exec_driver_sql("SELECT * FROM scores")
            connection.exec_driver_sql(f"RESET ROLE; DROP OWNED BY {role}; DROP ROLE {role}")
        engine.dispose()


class PausePromises(Backend):
    def test_the_method_pays_for_starts_at_a_rung_but_not_after_a_loss(self, bench: Bench) -> None:
        bench.plan("a")
        paused = _train_epoch(bench, 1, startup_s=1.0)
        bench.storage.record([end(paused, RunState.PAUSED, after=1)])
        further = Verdict(run=paused.run, token=paused.token, until_epoch=3, pack_key="next")
        bench.storage.judge([further])
        _train_epoch(bench, 2, startup_s=10.0)
        bench.take_back(bench.holder)
        bench.storage.record([end(_train_epoch(bench, 3, startup_s=100.0))])
        (run,) = bench.view("run_results")
        assert run["method_cost_s"] == run["solo_cost_s"] == 1.0 + 10.0 + 3 * 1.5

    def test_the_method_pays_for_the_start_of_a_child_of_a_population(self, bench: Bench) -> None:
        """Its first epoch is the one behind its parent's."""
        bench.plan("a")
        _train_epoch(bench, 3, startup_s=1.0)
        (run,) = bench.view("run_results")
        assert run["method_cost_s"] == run["solo_cost_s"] == 1.0 + 1.5


class TestPausesOnMemory(PausePromises, OnMemory):
    pass


class TestPausesOnPostgres(PausePromises, OnPostgres):
    pass
