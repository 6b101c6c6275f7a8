"""Which checkpoint files are kept."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from study.retention import KEPT_A_RUN, Saved, forget, superfluous, tidy


def a_file(run: int, epoch: int, size_bytes: int = 10, modified_s: float = 0.0) -> Saved:
    name = f"run{run}-token1-epoch{epoch}.pt"
    return Saved(
        path=Path(name),
        run=run,
        token=1,
        epoch=epoch,
        size_bytes=size_bytes,
        modified_s=modified_s,
    )


FILES = st.lists(
    st.builds(
        a_file,
        run=st.integers(1, 4),
        epoch=st.integers(1, 9),
        size_bytes=st.integers(1, 50),
        modified_s=st.floats(0, 100),
    ),
    unique_by=lambda saved: saved.path,
)


@given(files=FILES, cap_bytes=st.integers(0, 200))
def test_what_stays_is_within_both_limits(files: list[Saved], cap_bytes: int) -> None:
    gone = superfluous(files, cap_bytes=cap_bytes)
    stays = [saved for saved in files if saved not in gone]
    assert sum(saved.size_bytes for saved in stays) <= cap_bytes
    assert all(sum(s.run == run for s in stays) <= KEPT_A_RUN for run in range(1, 5))


@given(files=FILES)
def test_under_the_cap_the_newest_two_of_each_run_stay(files: list[Saved]) -> None:
    gone = superfluous(files, cap_bytes=10_000)
    for run in {saved.run for saved in files}:
        epochs = sorted(saved.epoch for saved in files if saved.run == run)
        left = sorted(s.epoch for s in files if s.run == run and s not in gone)
        assert left == epochs[-KEPT_A_RUN:]


def test_second_ones_go_before_newest_ones() -> None:
    files = [a_file(1, 1, modified_s=9), a_file(1, 2, modified_s=1), a_file(2, 5, modified_s=0)]
    assert superfluous(files, cap_bytes=20) == [files[0]]
    assert superfluous(files, cap_bytes=10) == [files[0], files[2]]


def test_files_on_disk(tmp_path: Path) -> None:
    for name in ("run1-token1-epoch1.pt", "run1-token1-epoch2.pt", "run1-token2-epoch3.pt"):
        (tmp_path / name).write_bytes(b"12345")
    (tmp_path / "run1-token2-epoch4.pt.77.part").write_bytes(b"1")
    (tmp_path / "run11-token1-epoch1.pt").write_bytes(b"12345")
    (tmp_path / "notes.txt").write_text("mine")
    tidy(tmp_path, cap_bytes=1000)
    assert not (tmp_path / "run1-token1-epoch1.pt").exists()
    forget(tmp_path, 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "notes.txt",
        "run11-token1-epoch1.pt",
    ]
