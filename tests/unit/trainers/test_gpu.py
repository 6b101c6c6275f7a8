"""What a worker settles with its GPU; where CUDA is asked, a fake answers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import torch

from tests.packs import a_job, a_pack
from tests.toy import TASKS, Toy
from trainers.endings import failed
from trainers.engines import calibrate, open_session
from trainers.errors import DeviceUnusable
from trainers.events import Seconds
from trainers.gpu import (
    CONTEXT_BYTES,
    DeviceBroken,
    end_if_broken,
    memory_bytes,
    others_bytes,
    prepare,
)
from trainers.jobs import Calibrate

GIB = 2**30
CUDA = torch.device("cuda:0")


def asserted(_device: torch.device) -> None:
    raise RuntimeError("CUDA error: device-side assert triggered\nand more lines")


def full(_device: torch.device) -> None:
    raise torch.OutOfMemoryError("CUDA out of memory")


def well(_device: torch.device) -> None: ...


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[..., None]], None]:
    """CUDA has been started in this process; what is tried on it ends as is said."""

    def start(trial: Callable[..., None]) -> None:
        monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
        monkeypatch.setattr("trainers.gpu._try", trial)
        monkeypatch.setattr("trainers.endings.peak_memory_bytes", lambda _device: 0)

    return start


@pytest.fixture
def settings() -> Iterator[None]:
    cublas, mode = os.environ.get("CUBLAS_WORKSPACE_CONFIG"), torch.get_deterministic_debug_mode()
    cudnn = torch.backends.cudnn
    before = torch.backends.cuda.matmul.allow_tf32, cudnn.allow_tf32, cudnn.deterministic
    yield
    torch.backends.cuda.matmul.allow_tf32, cudnn.allow_tf32, cudnn.deterministic = before
    torch.set_deterministic_debug_mode(mode)
    os.environ.pop("CUBLAS_WORKSPACE_CONFIG", None)
    if cublas is not None:
        os.environ["CUBLAS_WORKSPACE_CONFIG"] = cublas


def a_failure(error: Exception) -> object:
    return failed(a_job(), error, epoch=1, seconds=Seconds(), device=CUDA)


class TestBroken:
    def test_a_failure_ends_a_process_whose_gpu_is_broken(
        self, started: Callable[..., None]
    ) -> None:
        started(asserted)
        with pytest.raises(DeviceBroken, match=r"cuda:0 does not work .* \(CUDA error: device-si"):
            a_failure(RuntimeError("CUDA error: device-side assert triggered"))

    @pytest.mark.parametrize("trial", [well, full])
    def test_a_failure_is_the_run_s_where_the_gpu_works(
        self, started: Callable[..., None], trial: Callable[..., None]
    ) -> None:
        started(trial)
        assert a_failure(ValueError("no such label")).failure == "ValueError"  # type: ignore[attr-defined]

    def test_nothing_is_tried_before_cuda_is_started(self) -> None:
        end_if_broken(CUDA, asserted)

    def test_a_processor_is_never_tried(self, started: Callable[..., None]) -> None:
        started(asserted)
        end_if_broken(torch.device("cpu"))

    def test_a_calibration_that_breaks_it_ends_the_process_too(
        self, started: Callable[..., None]
    ) -> None:
        started(asserted)
        session = replace(open_session(Toy(), "cpu"), device=CUDA)
        pack = a_pack()
        wanted = Calibrate(problem=pack.problem, training=pack.training, shapes=(TASKS,), most=2)
        with pytest.raises(DeviceBroken):
            calibrate(wanted, session)

    def test_no_exception_handler_takes_it_for_a_run_s(self) -> None:
        assert not issubclass(DeviceBroken, Exception)


class TestMemory:
    @pytest.mark.parametrize("n", [2, 4, 7])
    def test_shares_leave_room_for_contexts(self, n: int) -> None:
        caps = n * memory_bytes(1 / n, 80 * GIB)
        assert caps == pytest.approx(80 * GIB - n * CONTEXT_BYTES, abs=n)

    def test_a_process_alone_has_it_all(self) -> None:
        assert memory_bytes(1.0, 80 * GIB) == 80 * GIB

    def test_contexts_that_fill_a_gpu_leave_nothing(self) -> None:
        assert memory_bytes(0.01, 16 * GIB) == 0

    @pytest.mark.parametrize(
        ("free", "reserved", "others"), [(10, 69, 0), (10, 10, 58), (78, 1, 0)]
    )
    def test_what_is_neither_free_nor_ours_is_others(
        self, free: int, reserved: int, others: int
    ) -> None:
        found = others_bytes(free * GIB, 80 * GIB, reserved * GIB)
        assert found == (others and pytest.approx(others * GIB, rel=0.05))


@pytest.mark.usefixtures("settings")
class TestSettings:
    @pytest.mark.parametrize(("precision", "tf32"), [("float32", False), ("tf32", True)])
    def test_what_shortens_products_is_said(
        self, precision: str, tf32: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
        settled = prepare("cuda:0", precision)  # type: ignore[arg-type]
        assert settled["tf32"] == ("on" if tf32 else "off")
        assert torch.backends.cuda.matmul.allow_tf32 is tf32
        assert torch.backends.cudnn.allow_tf32 is tf32

    @pytest.mark.parametrize(
        ("before", "after"), [(None, ":4096:8"), (":16:8", ":16:8"), (":0:0", ":4096:8")]
    )
    def test_a_gpu_gets_all_of_what_makes_it_round_alike(
        self, before: str | None, after: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
        if before is not None:
            monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", before)
        settled = prepare("cuda:0", "bfloat16")
        assert settled["cublas_workspace"] == os.environ["CUBLAS_WORKSPACE_CONFIG"] == after
        assert torch.backends.cudnn.deterministic
        assert not torch.backends.cudnn.benchmark
        assert torch.get_deterministic_debug_mode() == 1

    def test_a_processor_s_worker_leaves_a_gpu_s_settings_alone(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
        assert prepare("cpu", "float32") == {}
        assert "CUBLAS_WORKSPACE_CONFIG" not in os.environ

    def test_a_processor_has_no_tf32(self) -> None:
        with pytest.raises(DeviceUnusable, match="way of GPUs"):
            prepare("cpu", "tf32")
