"""The statements that run all the time find their rows by an index."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, event

from storage import changes as _changes
from storage.leasing import budgets as _budgets
from storage.leasing import leases as _leases
from storage.leasing import queue as _queue
from storage.planning import history as _history
from storage.planning import writing as _writing
from storage.recording import checkpoints as _checkpoints
from storage.recording import progress as _progress
from storage.recording import repeats as _repeats
from storage.recording import reports as _recording
from storage.schema.prepared import PreparedStatement
from storage.schema.tables import metadata
from tests.contract.storage_bench import Bench

_NEW = {"run": 1, "old_token": 1, "number": 1}
_HOT: dict[str, tuple[PreparedStatement, dict[str, Any]]] = {
    "claim: first in line": (_queue._FIRST, {"study": 1, "n": 1}),
    "claim: the pack": (_queue._CANDIDATES, {"study": 1, "pack": "p", "n": 8}),
    "claim: how many to share": (_queue._WAITING, {"study": 1, "most": 9}),
    "claim: first in line of a search": (_queue._FIRST_OF_SEARCH, {"search": 1, "n": 1}),
    "claim: the pack of a search": (
        _queue._CANDIDATES_OF_SEARCH,
        {"search": 1, "pack": "p", "n": 8},
    ),
    "claim: lease": (
        _leases._LEASE,
        {
            "run": 1,
            "old_token": 1,
            "new_token": 2,
            "holder": 1,
            "until": 1.0,
            "start": 0,
            "number": 1,
        },
    ),
    "claim: checkpoints": (_queue._CHECKPOINTS, {"run": 1}),
    "claim: oldest running attempt": (_budgets._OLDEST_RUNNING, {"study": 1, "after": 1}),
    "claim: what is used": (_budgets._USED, {"study": 1, "after": 1, "before": 9}),
    "claim: what is reserved": (_budgets._RESERVED, {"study": 1}),
    **{
        f"changes: {number}": (
            PreparedStatement(statement),
            {"study": 1, "change": 0, "after": 0, "n": 9},
        )
        for number, (_, statement) in enumerate(_changes._CHANGED)
    },
    "changes: next": (_writing._COUNT_UP, {"study": 1}),
    "changes: runs": (PreparedStatement(_changes._RUNS), {"ids": [1, 2]}),
    "changes: attempts": (PreparedStatement(_changes._ATTEMPTS_AT), {"ids": [1, 2], "since": 0}),
    "changes: decisions": (PreparedStatement(_changes._DECISIONS), {"ids": [1, 2]}),
    "checkpoints: forget": (PreparedStatement(_checkpoints._FORGET), {"gone": "one.pt"}),
    "renew": (_leases._RENEW, {"holder": 1, "run_ids": [1, 2], "until": 1.0}),
    "take back: leases": (_leases._LEASED, {"study": 1}),
    "take back": (_leases._TAKE_BACK, {"run": 1, "old_token": 1, "seen_until": 1.0, "number": 1}),
    "take back: attempt": (
        _leases._LOSE_ATTEMPT,
        {
            "run": 1,
            "old_token": 1,
            "class": "",
            "text": "",
            "at": None,
            "unbooked": 0.0,
            "number": 1,
        },
    ),
    "busy searches": (PreparedStatement(_history._BUSY), {"study": 1}),
    "paused searches": (PreparedStatement(_history._PAUSED), {"study": 1}),
    "record: current": (_recording._CURRENT, {"ids": [1, 2]}),
    "record: stored epochs": (_repeats._STORED, {"run": 1, "first": 1, "last": 2}),
    "record: progress": (
        _progress._PROGRESS._one,
        {"new_id": 1, "new_epochs_done": 1, "new_epochs_change": 1},
    ),
    "record: end": (
        _progress._END,
        {
            "run": 1,
            "old_token": 1,
            "new_state": "done",
            "why": "",
            "bad_epoch": None,
            "at": None,
            "number": 1,
        },
    ),
}


@pytest.fixture(scope="module")
def connection() -> Iterator[Connection]:
    bench = Bench(None)
    bench.plan(*map(str, range(50)), pack="p")
    with bench.storage._database.engine.connect() as connection:
        yield connection
    bench.storage.close()


def _plan(connection: Connection, hot: PreparedStatement, values: dict[str, Any]) -> list[str]:
    """What SQLite does for a statement, step by step, asked just before it does so."""
    steps: list[str] = []

    def explain(_1: Any, cursor: Any, text: str, parameters: Any, _2: Any, _3: Any) -> None:
        rows = cursor.connection.execute(f"EXPLAIN QUERY PLAN {text}", parameters)
        steps.extend(row[3] for row in rows)

    event.listen(connection, "before_cursor_execute", explain)
    connection.execute(hot.statement, values)
    event.remove(connection, "before_cursor_execute", explain)
    connection.rollback()
    return steps


@pytest.mark.parametrize("name", _HOT)
def test_no_table_is_walked_through(connection: Connection, name: str) -> None:
    plan = _plan(connection, *_HOT[name])
    assert plan != []
    walks = [step for step in plan if step.startswith("SCAN")]
    assert [step for step in walks if step.split()[1] in metadata.tables] == []


@pytest.mark.parametrize("name", ["claim: first in line", "claim: the pack", "changes: 0"])
def test_what_the_index_has_in_order_is_not_sorted(connection: Connection, name: str) -> None:
    plan = _plan(connection, *_HOT[name])
    assert [step for step in plan if "TEMP B-TREE" in step] == []


def test_of_a_study_without_news_only_the_counter_is_asked() -> None:
    bench = Bench(None)
    bench.plan("a", "b")
    following, asked = _changes.Following(bench.storage._database), list[str]()
    cursor = following.changes("demo").cursor
    event.listen(
        bench.storage._database.engine,
        "before_cursor_execute",
        lambda *found: asked.append(found[2]),
    )
    assert following.changes("demo", cursor).cursor == cursor
    assert len(asked) == 1
    assert "change_counters" in asked[0]
    bench.storage.close()


def test_the_pack_is_found_by_its_key(connection: Connection) -> None:
    plan = _plan(connection, *_HOT["claim: the pack"])
    assert any("study_id=? AND state=? AND pack_key=?" in step for step in plan)
