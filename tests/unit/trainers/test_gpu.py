"""What a worker settles with its GPU; where CUDA is asked, a fake answers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from tests.packs import a_job, a_pack
from tests.toy import TASKS, Toy
from trainers.engines import calibrate, open_session, train
from trainers.engines.solo.group import GroupBroken
from trainers.errors import DeviceUnusable
from trainers.events import Event, RunEnded, Seconds
from trainers.failures import as_failure
from trainers.hardware import devices
from trainers.hardware.devices import indexed
from trainers.hardware.environment import hardware_of
from trainers.hardware.gpu import (
    CONTEXT_BYTES,
    DeviceBroken,
    cap_memory,
    end_if_broken,
    memory_bytes,
    others_bytes,
    prepare,
)
from trainers.jobs import Calibrate, Engine
from trainers.run_ends import failed

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
        monkeypatch.setattr("trainers.hardware.gpu._try", trial)
        monkeypatch.setattr("trainers.run_ends.peak_memory_bytes", lambda _device: 0)

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

    @pytest.mark.parametrize("engine", ["solo", "fused"])
    def test_no_run_of_a_pack_is_told_to_have_failed(
        self, engine: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(_device: torch.device) -> None:
            raise DeviceBroken("cuda:0 does not work any more")

        monkeypatch.setattr("trainers.run_ends.end_if_broken", broken)
        problem = Toy(troubles=("raises",))
        jobs = [a_job(run, tasks=("level", "raises")) for run in (1, 2)]
        said: list[Event] = []
        with pytest.raises(DeviceBroken):
            said.extend(
                train(replace(a_pack(*jobs, epochs=4), engine=engine), open_session(problem, "cpu"))
            )
        assert not [event for event in said if isinstance(event, RunEnded)]

    @pytest.mark.parametrize("kind", [DeviceBroken, GroupBroken])
    def test_no_handler_takes_it_for_a_run_s(self, kind: type[BaseException]) -> None:
        assert not issubclass(kind, Exception)
        with pytest.raises(kind):
            as_failure(kind("cannot go on"))


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


class Started:
    """What torch is asked about a GPU when a worker opens on it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.fractions: dict[torch.device, float] = {}
        properties = SimpleNamespace(total_memory=80 * GIB)
        monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _device: properties)
        monkeypatch.setattr(torch.cuda, "set_per_process_memory_fraction", self._cap)

    def _cap(self, fraction: float, device: torch.device) -> None:
        assert device.index is not None  # else torch raises
        self.fractions[device] = fraction


def test_a_share_of_a_gpu_is_capped_by_the_device_s_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = Started(monkeypatch)
    cap_memory(torch.device(indexed("cuda")), 0.25)
    cap_memory(torch.device("cpu"), 0.25)
    cap_memory(torch.device("cuda:1"), 1.0)
    assert asked.fractions == {CUDA: pytest.approx((80 / 4 - 0.6) / 80, rel=1e-6)}


@pytest.mark.parametrize(
    ("device", "name"), [("cuda", "cuda:0"), ("cuda:3", "cuda:3"), ("cpu", "cpu")]
)
def test_a_gpu_without_a_number_is_the_first(device: str, name: str) -> None:
    assert indexed(device) == name


def test_where_there_is_no_driver_there_is_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "_COUNT", "import ctypes; ctypes.CDLL('libnothing.so.1')")
    assert devices.n_gpus() == 0


@pytest.mark.parametrize(("device", "share", "n"), [(CUDA, 0.25, 0.25), ("cpu", 0.25, 1.0)])
def test_a_second_of_a_shared_gpu_is_booked_once(
    device: torch.device, share: float, n: float
) -> None:
    session = open_session(Toy(), "cpu", memory_share=share)
    assert replace(session, device=torch.device(device)).n_devices == n


def test_what_is_measured_on_a_share_of_a_gpu_is_kept_for_that_share() -> None:
    whole = {"device": "NVIDIA H100", "cpu": "a cpu"}
    assert hardware_of(whole) == "NVIDIA H100"
    assert hardware_of(whole | {"device_share": "0.25"}) == "NVIDIA H100, a share of 0.25"
    assert hardware_of({"device": "cpu", "cpu": "a cpu"}) == "a cpu"
