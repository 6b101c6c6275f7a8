"""Power counters as the kernel shows them: files in folders."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from trainers.hardware.energy import NvmlMeter, RaplMeter, Unmetered, open_meter

RANGE_UJ = 262_143_328_850


class Domain:
    """One counter."""

    def __init__(self, folder: Path, name: str, *, energy_uj: int = 0) -> None:
        folder.mkdir()
        self.folder = folder
        (folder / "name").write_text(f"{name}\n")
        (folder / "max_energy_range_uj").write_text(f"{RANGE_UJ}\n")
        self.show(energy_uj)

    def show(self, energy_uj: int) -> None:
        (self.folder / "energy_uj").write_text(f"{energy_uj}\n")


@pytest.fixture
def package(tmp_path: Path) -> Domain:
    return Domain(tmp_path / "intel-rapl:0", "package-0", energy_uj=5_000_000)


def test_a_lap_is_what_the_counter_has_gone_on(package: Domain) -> None:
    meter = RaplMeter([package.folder], share=1.0)
    package.show(7_500_000)
    assert meter.lap_j() == 2.5
    assert meter.lap_j() == 0.0


def test_a_counter_that_begins_anew_has_gone_on(package: Domain) -> None:
    meter = RaplMeter([package.folder], share=1.0)
    package.show(RANGE_UJ - 1_000_000)
    meter.lap_j()
    package.show(2_000_000)
    assert meter.lap_j() == 3.0


def test_turns_between_two_laps_are_sampled(package: Domain) -> None:
    meter = RaplMeter([package.folder], share=1.0)
    for energy_uj in (RANGE_UJ // 2, 0, RANGE_UJ // 2, 5_000_000):
        package.show(energy_uj)
        meter.sample()
    assert meter.lap_j() == pytest.approx(2 * RANGE_UJ / 1e6)


def test_packages_add_up_and_their_parts_are_not_counted_twice(
    tmp_path: Path, package: Domain
) -> None:
    second = Domain(tmp_path / "intel-rapl:1", "package-1")
    parts = [
        Domain(tmp_path / f"intel-rapl:{number}", name)
        for number, name in (("0:0", "core"), ("0:1", "dram"), ("2", "psys"))
    ]
    meter = open_meter("cpu", os.cpu_count() or 1, powercap=tmp_path)
    package.show(6_000_000)
    second.show(2_000_000)
    for part in parts:
        part.show(50_000_000)
    assert meter.lap_j() == 3.0


def test_a_worker_has_the_share_of_its_threads(tmp_path: Path, package: Domain) -> None:
    meter = open_meter("cpu", 1, powercap=tmp_path)
    package.show(5_000_000 + 8_000_000)
    assert meter.lap_j() == pytest.approx(8.0 / (os.cpu_count() or 1))


def test_no_share_is_more_than_all(tmp_path: Path, package: Domain) -> None:
    meter = open_meter("cpu", 10_000, powercap=tmp_path)
    package.show(6_000_000)
    assert meter.lap_j() == 1.0


def test_nothing_is_known_from_a_failed_sample_on(package: Domain) -> None:
    meter = RaplMeter([package.folder], share=1.0)
    (package.folder / "energy_uj").unlink()
    meter.sample()
    package.show(9_000_000)
    assert meter.lap_j() is None


def test_a_machine_without_counters_tells_nothing(tmp_path: Path) -> None:
    meter = open_meter("cpu", 1, powercap=tmp_path / "none")
    meter.sample()
    assert meter.lap_j() is None


def test_a_counter_that_may_not_be_read_tells_nothing(tmp_path: Path, package: Domain) -> None:
    (package.folder / "energy_uj").unlink()
    (package.folder / "energy_uj").mkdir()  # the administrator can read all files, but no folder
    assert isinstance(open_meter("cpu", 1, powercap=tmp_path), Unmetered)


def test_other_devices_tell_nothing(tmp_path: Path, package: Domain) -> None:
    assert open_meter("mps", 1, powercap=tmp_path).lap_j() is None


class FakeNvml:
    """A GPU that takes a joule each time it is asked."""

    NVMLError = RuntimeError

    def __init__(self) -> None:
        self._mj = 0

    def nvmlInit(self) -> None: ...

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> str:
        return uuid

    def nvmlDeviceGetTotalEnergyConsumption(self, _handle: str) -> int:
        self._mj += 1_000
        return self._mj


@pytest.mark.parametrize("share", [1.0, 0.25])
def test_a_worker_that_shares_a_gpu_is_booked_its_share(share: float) -> None:
    meter = NvmlMeter(FakeNvml(), "GPU-1", share=share)
    assert [meter.lap_j(), meter.lap_j()] == [share, share]
