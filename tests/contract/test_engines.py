"""Every engine keeps the promises of all three contracts."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.contract.engine_learning import LearningContract
from tests.contract.engine_repeating import RepeatingContract, trained
from tests.contract.engine_reporting import PackedContract, ReportingContract
from tests.contract.fused_cases import fused
from tests.packs import Engine, a_job, a_pack, two_jobs
from trainers.engines import train

pytestmark = pytest.mark.usefixtures("one_thread")


class TestSolo(RepeatingContract, ReportingContract, LearningContract):
    @pytest.fixture
    def engine(self) -> Engine:
        return train

    def test_files_are_named_by_run_attempt_and_epoch(self, engine: Engine, tmp_path: Path) -> None:
        trained(engine, a_pack(a_job(5, token=9), checkpoints=tmp_path, until_epoch=2))
        assert [path.name for path in tmp_path.iterdir()] == ["run5-token9-epoch2.pt"]

    def test_files_hold_plain_tensors_only(self, engine: Engine, tmp_path: Path) -> None:
        pack = a_pack(a_job(1, "uw"), checkpoints=tmp_path, until_epoch=2)
        (saved,) = trained(engine, pack)[1].checkpoints
        state = torch.load(saved.checkpoint.path, weights_only=True)["runs"][1]
        assert set(state) == {"network", "optimizer", "params", "state", "outside", "epoch"}


class TestFused(RepeatingContract, PackedContract, LearningContract):
    @pytest.fixture
    def engine(self) -> Engine:
        return fused

    def test_files_hold_plain_tensors_by_run(self, engine: Engine, tmp_path: Path) -> None:
        pack = a_pack(*two_jobs("uw"), checkpoints=tmp_path, until_epoch=2)
        (saved,) = trained(engine, pack)[1].checkpoints
        states = torch.load(saved.checkpoint.path, weights_only=True)["runs"]
        assert set(states) == {1, 2}
        assert set(states[2]) == {"network", "optimizer", "params", "state", "outside", "epoch"}
