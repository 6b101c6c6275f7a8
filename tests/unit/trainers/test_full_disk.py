"""A checkpoint that cannot be written is told, and the run goes on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.packs import EPOCHS, a_job, a_pack, told
from tests.toy import Toy
from trainers.engines import open_session, train
from trainers.jobs import Engine


@pytest.mark.parametrize("engine", ["solo", "fused"])
def test_a_run_goes_on_without_its_checkpoints(engine: Engine, tmp_path: Path) -> None:
    in_the_way = tmp_path / "checkpoints"
    in_the_way.write_text("not a folder")
    pack = a_pack(a_job(1), a_job(2), checkpoints=in_the_way, checkpoint_s=0.0)
    runs = told(train(replace(pack, engine=engine), open_session(Toy(), "cpu")))
    assert [run.end.outcome for run in runs.values()] == ["done", "done"]
    assert not any(run.checkpoints for run in runs.values())
    assert len(runs[1].skipped) == EPOCHS - 1
    assert "could not be written" in runs[1].skipped[0].reason
