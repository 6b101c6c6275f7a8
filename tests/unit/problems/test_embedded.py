import io
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from trainers.problems._embedded import (
    EmbeddedFile,
    cache_folder,
    load,
    load_all,
    package_folder,
)
from trainers.problems.errors import DataChanged, DataMissing, MissingPackage

CONTENT = b"\x01\x02\x03"
FILE = EmbeddedFile(
    problem="toy",
    distribution="toy-data",
    package="toy_data",
    path="inner/bytes.bin",
    sha256=sha256(CONTENT).hexdigest(),
)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "toy_data"
    (folder / "inner").mkdir(parents=True)
    (folder / "inner" / "bytes.bin").write_bytes(CONTENT)
    return folder


def _an_npy() -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.zeros(3))
    return stream.getvalue()


class Parser:
    """Parses, and counts how often."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, content: bytes) -> dict[str, np.ndarray]:
        self.calls += 1
        return {"values": np.frombuffer(content, dtype=np.uint8)}


def _load(package: Path, cache: Path | None, parser: Parser | None = None) -> list[int]:
    arrays = load(FILE, parser or Parser(), locate=lambda _: package, cache=cache)
    return [int(value) for value in arrays["values"]]


def test_second_load_comes_from_the_cache(package: Path, tmp_path: Path) -> None:
    parser = Parser()
    assert _load(package, tmp_path / "cache", parser) == [1, 2, 3]
    assert _load(package, tmp_path / "cache", parser) == [1, 2, 3]
    assert parser.calls == 1


def test_cache_holds_one_finished_file(package: Path, tmp_path: Path) -> None:
    _load(package, tmp_path / "cache")
    (cached,) = (tmp_path / "cache").iterdir()
    assert cached.name == f"toy-{FILE.sha256[:16]}-1.npz"


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 torn", b"\x93NUMPY", b"junk", _an_npy()])
def test_corrupt_cache_is_rebuilt(package: Path, tmp_path: Path, damage: bytes) -> None:
    cache = tmp_path / "cache"
    _load(package, cache)
    (cached,) = cache.iterdir()
    cached.write_bytes(damage)
    assert _load(package, cache) == [1, 2, 3]
    parser = Parser()
    _load(package, cache, parser)
    assert parser.calls == 0


def test_cut_cache_is_rebuilt(package: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    _load(package, cache)
    (cached,) = cache.iterdir()
    cached.write_bytes(cached.read_bytes()[:-30])
    assert _load(package, cache) == [1, 2, 3]


def test_unwritable_cache_is_done_without(package: Path, tmp_path: Path) -> None:
    in_the_way = tmp_path / "cache"
    in_the_way.write_text("a file where the folder should be")
    assert _load(package, in_the_way) == [1, 2, 3]


def test_nothing_is_left_aside_when_the_rename_fails(package: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    (cache / f"toy-{FILE.sha256[:16]}-1.npz").mkdir(parents=True)
    assert _load(package, cache) == [1, 2, 3]
    assert [path.suffix for path in cache.iterdir()] == [".npz"]


def test_works_without_a_cache(package: Path) -> None:
    assert _load(package, None) == [1, 2, 3]


def test_changed_file_is_refused_with_both_hashes(package: Path, tmp_path: Path) -> None:
    (package / "inner" / "bytes.bin").write_bytes(b"other")
    with pytest.raises(DataChanged) as error:
        _load(package, tmp_path / "cache")
    assert FILE.sha256 in str(error.value)
    assert sha256(b"other").hexdigest() in str(error.value)


def test_changed_file_is_refused_although_cached(package: Path, tmp_path: Path) -> None:
    _load(package, tmp_path / "cache")
    (package / "inner" / "bytes.bin").write_bytes(b"other")
    with pytest.raises(DataChanged):
        _load(package, tmp_path / "cache")


def test_missing_package_says_how_to_install_it() -> None:
    with pytest.raises(MissingPackage) as error:
        load(FILE, Parser(), locate=lambda _: None, cache=None)
    assert str(error.value) == (
        "Problem `toy` needs the package toy-data. "
        "Install it with: pip install 'weighbridge[datasets]'"
    )


def test_missing_file_names_the_path(package: Path) -> None:
    (package / "inner" / "bytes.bin").unlink()
    with pytest.raises(DataMissing, match=r"inner/bytes\.bin"):
        _load(package, None)


def test_several_files_are_parsed_together_and_cached_under_all_their_hashes(
    package: Path, tmp_path: Path
) -> None:
    (package / "second.bin").write_bytes(b"\x04")
    second = replace(FILE, path="second.bin", sha256=sha256(b"\x04").hexdigest())

    def loaded(*files: EmbeddedFile) -> list[int]:
        def parse(contents: Sequence[bytes]) -> dict[str, np.ndarray]:
            return {"values": np.frombuffer(b"".join(contents), dtype=np.uint8)}

        found = load_all(files, parse, locate=lambda _: package, cache=tmp_path / "cache")
        return [int(value) for value in found["values"]]

    for _ in range(2):
        assert loaded(FILE, second) == [1, 2, 3, 4]
        assert loaded(second, FILE) == [4, 1, 2, 3]
    (package / "second.bin").write_bytes(b"\x05")
    with pytest.raises(DataChanged, match=r"second\.bin"):
        loaded(FILE, second)


def test_package_folder_finds_an_installed_package() -> None:
    folder = package_folder("numpy")
    assert folder is not None
    assert (folder / "__init__.py").exists()


@pytest.mark.parametrize("package_name", ["no_such_package_anywhere", "this"])
def test_package_folder_of_what_is_no_package_is_none(package_name: str) -> None:
    assert package_folder(package_name) is None


def test_cache_folder_follows_the_environment(tmp_path: Path) -> None:
    assert cache_folder({"WEIGHBRIDGE_CACHE": str(tmp_path)}) == tmp_path


def test_cache_folder_defaults_to_the_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder({}) == tmp_path / ".cache" / "weighbridge"
