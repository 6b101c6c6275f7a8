"""Loader processes and caches: the same bits whoever reads, and errors that say which file."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import closing
from itertools import product
from pathlib import Path

import pytest
import torch

from tests.unit.problems.trees import NYUV2, write_nyuv2
from trainers.problems.errors import BadOption, CacheUnwritable, DataBroken, LoaderLost
from trainers.problems.files import memory, store
from trainers.problems.files.memory import Block, SharedMemory, Window, reserve
from trainers.problems.files.source import FileSource
from trainers.problems.nyuv2 import Nyuv2
from trainers.protocol import Batch
from trainers.randomness import Key
from trainers.reading import as_read

CPU = torch.device("cpu")
ORDER = torch.tensor([3, 0, 2, 1])


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_nyuv2(tmp_path_factory.mktemp("nyuv2"))


def source(root: Path, split: str = "train", **options: object) -> FileSource:
    return Nyuv2(**{**NYUV2, "loaders": 0, **options, "root": str(root)}).sources(CPU)[split]


def arrays(batch: Batch) -> list[torch.Tensor]:
    return [batch.inputs, *(batch.targets[task] for task in sorted(batch.targets))]


def passed(of: FileSource, batch_size: int, epoch: int = 1) -> list[torch.Tensor]:
    """All samples of a pass, an array each, in their order."""
    batches = [arrays(batch) for batch in of.batches(ORDER, batch_size, Key("7/augment") / epoch)]
    return [torch.cat(parts) for parts in zip(*batches, strict=True)]


def same(first: list[torch.Tensor], second: list[torch.Tensor]) -> bool:
    return all(
        torch.equal(one.nan_to_num(-7), other.nan_to_num(-7))
        for one, other in zip(first, second, strict=True)
    )


WAYS = [*product((0, 1, 3), ("none",)), (0, "memory"), (2, "memory"), (0, "mapped"), (2, "mapped")]


@pytest.mark.parametrize(("loaders", "cache"), WAYS)
def test_bits_depend_neither_on_who_reads_nor_on_batches(
    root: Path, loaders: int, cache: str
) -> None:
    expected = passed(source(root), 2)
    assert expected[0].shape == (4, 3, 12, 16)
    of = source(root, loaders=loaders, cache=cache)
    for batch_size in (1, 3, 100):
        assert same(passed(of, batch_size), expected)


def test_augmentation_follows_the_address_and_only_training_has_any(root: Path) -> None:
    of = source(root)
    first, again = passed(of, 2), passed(of, 2)
    other = passed(of, 2, epoch=2)
    assert same(first, again)
    assert not same(first, other)
    judged = source(root, "test")
    ways = [[arrays(batch) for batch in judged.batches(None, 2, Key(key))] for key in ("a", "b")]
    assert same(ways[0][0], ways[1][0])


def test_the_stored_order_is_that_of_the_names(root: Path) -> None:
    of = source(root, augment="none")
    every = torch.cat([batch.inputs for batch in of.batches(None, 3, Key("x"))])
    shuffled = torch.cat([batch.inputs for batch in of.batches(ORDER, 3, Key("x"))])
    assert torch.equal(every[ORDER], shuffled)


def test_passes_over_several_splits_may_be_open_at_once(root: Path) -> None:
    sources = Nyuv2(**{**NYUV2, "loaders": 2, "root": str(root)}).sources(CPU)
    expected = passed(sources["train"], 1)
    judged = [arrays(batch) for batch in sources["test"].batches(None, 1, Key("t"))]
    train, test = (
        sources["train"].batches(ORDER, 1, Key("7/augment/1")),
        sources["test"].batches(None, 1, Key("t")),
    )
    found_train, found_test = [], []
    for _ in range(3):
        found_train.append(arrays(next(train)))
        found_test.append(arrays(next(test)))
    found_train.append(arrays(next(train)))
    together = [torch.cat(parts) for parts in zip(*found_train, strict=True)]
    assert same(together, expected)
    assert all(same(*pair) for pair in zip(found_test, judged, strict=True))
    train.close()  # type: ignore[attr-defined]
    test.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("loaders", [0, 2])
def test_who_stops_early_can_begin_anew(root: Path, loaders: int) -> None:
    of = source(root, loaders=loaders)
    expected = passed(of, 1)
    for n_taken in (0, 1, 2):
        with closing(of.batches(ORDER, 1, Key("7/augment/1"))) as batches:  # type: ignore[type-var]
            for _ in range(n_taken):
                next(batches)
    assert same(passed(of, 1), expected)


def test_engines_read_it_ahead_in_copies(root: Path) -> None:
    read = as_read(source(root, loaders=1), CPU)
    held = [*read.batches(ORDER, 1, Key("7/augment/1"))]
    expected = passed(source(root), 1)
    assert same([torch.cat(p) for p in zip(*map(arrays, held), strict=True)], expected)


@pytest.mark.parametrize("loaders", [0, 2])
def test_a_torn_file_is_named_and_the_others_can_be_read_on(tmp_path: Path, loaders: int) -> None:
    root = write_nyuv2(tmp_path)
    of = source(root, loaders=loaders)
    whole = passed(of, 1)
    torn = root / (of.reading.names[2].replace("/", "/depth/") + ".npy")
    content = torn.read_bytes()
    torn.write_bytes(content[:-1])
    with pytest.raises(DataBroken, match=str(torn)):
        passed(of, 1)
    torn.write_bytes(content)
    assert same(passed(of, 1), whole)


def test_a_lost_process_is_told_and_the_next_pass_has_new_ones(root: Path) -> None:
    of = source(root, loaders=2)
    expected = passed(of, 1)
    crew = of.pool._crew
    assert crew is not None
    pids = [loader.process.pid for loader in crew._all]
    os.kill(pids[0], signal.SIGKILL)
    os.waitid(os.P_PID, pids[0], os.WEXITED | os.WNOWAIT)
    with pytest.raises(LoaderLost, match="code -9"):
        passed(of, 1)
    assert same(passed(of, 1), expected)


def test_processes_end_with_the_sources(root: Path) -> None:
    of = source(root, loaders=2)
    passed(of, 1)
    crew = of.pool._crew
    assert crew is not None
    processes = [loader.process for loader in crew._all]
    del of, crew
    assert [process.returncode for process in processes] == [0, 0]


def test_processes_end_although_somebody_else_holds_their_pipes(root: Path) -> None:
    """As a process does that was forked while they were there."""
    of = source(root, loaders=2)
    passed(of, 1)
    crew = of.pool._crew
    assert crew is not None
    held = [os.dup(loader.pipe.fileno()) for loader in crew._all]
    processes = [loader.process for loader in crew._all]
    del of, crew
    assert [process.returncode for process in processes] == [0, 0]
    for descriptor in held:
        os.close(descriptor)


def test_a_mapped_cache_is_filled_once_and_outlives_the_worker(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEIGHBRIDGE_CACHE", str(tmp_path))
    expected = passed(source(root, cache="mapped"), 2)

    def refused(*_: object) -> None:
        raise AssertionError("filled again")

    monkeypatch.setattr(store, "_fill", refused)
    assert same(passed(source(root, cache="mapped"), 2), expected)
    (home,) = (path for path in (tmp_path / "samples").iterdir() if path.is_dir())
    assert sorted(path.name for path in home.iterdir()) == ["depth", "image", "label", "normal"]


def test_another_content_has_another_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEIGHBRIDGE_CACHE", str(tmp_path / "cache"))
    root = write_nyuv2(tmp_path / "data")
    passed(source(root, cache="mapped"), 2)
    content = (root / "train/image/0.npy").read_bytes()
    (root / "train/image/0.npy").write_bytes((root / "train/image/1.npy").read_bytes())
    (root / "train/image/1.npy").write_bytes(content)
    found = passed(source(root, cache="mapped"), 2)
    assert same(found, passed(source(root), 2))


def test_a_half_filled_cache_is_filled_anew(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEIGHBRIDGE_CACHE", str(tmp_path))
    fill = store._fill

    def interrupted(*of: object) -> None:
        fill(*of)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(store, "_fill", interrupted)
        with pytest.raises(KeyboardInterrupt):
            source(root, cache="mapped")
    assert same(passed(source(root, cache="mapped"), 2), passed(source(root), 2))


@pytest.mark.parametrize("cache", ["memory", "mapped"])
def test_a_cache_without_room_says_how_much_it_needs(
    root: Path, cache: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setenv("WEIGHBRIDGE_CACHE", str(root / "elsewhere"))
    monkeypatch.setattr(memory, "reserve", full)
    monkeypatch.setattr(store, "reserve", full)
    with pytest.raises(CacheUnwritable, match=r"needs .* GiB .*No space left"):
        source(root, cache=cache)


def test_a_cache_beyond_memory_is_refused_before_it_is_taken(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "_available_bytes", lambda: 1000)
    with pytest.raises(CacheUnwritable, match='Set `cache` to "none"'):
        source(root, cache="memory")


def test_a_batch_that_would_fill_the_memory_is_refused(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trainers.problems.files.source.MOST_BYTES", 10_000)
    with pytest.raises(BadOption, match="lower `batch_size` or `eval_batch_size`"):
        next(iter(source(root).batches(ORDER, 4, Key("x"))))


@pytest.fixture
def shared() -> Iterator[SharedMemory]:
    shared = SharedMemory()
    yield shared
    shared.close()


def test_what_one_process_writes_others_see_although_the_file_grows(shared: SharedMemory) -> None:
    window = Window(shared.fileno)
    first = shared.take(10)
    shared.view(first)[:3] = b"one"
    assert bytes(window.view(first)[:3]) == b"one"
    second = shared.take(100_000)
    window.view(second)[:3] = b"two"
    assert bytes(shared.view(second)[:3]) == b"two"
    assert bytes(shared.view(first)[:3]) == b"one"


def test_blocks_do_not_overlap_and_the_smallest_that_fits_is_used_again(
    shared: SharedMemory,
) -> None:
    blocks = [shared.take(size) for size in (5_000, 20_000, 5_000)]
    assert [block.at for block in blocks] == [0, 8192, 8192 + 20480]
    for block in blocks:
        shared.give_back(block)
    assert shared.take(6_000) == Block(0, 8192)
    assert shared.take(9_000) == Block(8192, 20480)


def test_reserved_files_have_their_size(tmp_path: Path) -> None:
    for size in (0, 5_000):
        with open(tmp_path / str(size), "wb") as file:
            reserve(file.fileno(), size)
        assert (tmp_path / str(size)).stat().st_size == size
