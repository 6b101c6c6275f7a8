"""The process that works out conclusions: when its database is away, and when it is to end."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.dashboard.concluder import Concluder, NotConcluded
from tests.contract.storage_bench import Bench


def test_a_database_that_was_away_at_first_is_asked_again(tmp_path: Path) -> None:
    bench = Bench(f"sqlite:///{tmp_path / 'w.db'}")
    bench.plan('{"lr":0.1}')
    bench.storage.close()
    concluder = Concluder(bench.url)
    (tmp_path / "w.db").rename(tmp_path / "away")
    with pytest.raises(NotConcluded, match="no study database"):
        concluder.conclusions("demo", "1")
    (tmp_path / "away").rename(tmp_path / "w.db")
    assert concluder.conclusions("demo", "1").cursor == "1"
    process = concluder._process
    concluder.end()
    assert process is not None
    assert process.returncode is not None
