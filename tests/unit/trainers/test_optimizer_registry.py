from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from trainers.errors import BadOptimizer, UnknownOptimizer
from trainers.jobs import Training
from trainers.optimizers import BUILT_IN, WITHOUT_MOMENTUM, _registry, adam, names, optimizer
from trainers.optimizers.adam import Adam
from trainers.optimizers.sgd import SGD

ROOT = Path(__file__).parents[3]
OWN = """
from trainers.optimizers.sgd import SGD
class Mine(SGD):
    pass
def helper():
    pass
"""


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    optimizer.cache_clear()
    yield
    optimizer.cache_clear()


def offer(monkeypatch: pytest.MonkeyPatch, **plugins: str) -> None:
    entries = {n: EntryPoint(n, target, _registry.GROUP) for n, target in plugins.items()}

    def of_group(group: str) -> dict[str, EntryPoint]:
        assert group == _registry.GROUP
        return entries

    monkeypatch.setattr(_registry, "offered_by_name", of_group)


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_file_is_called_like_its_optimiser(name: str) -> None:
    assert type(optimizer(name)).__module__ == f"trainers.optimizers.{name}"


def test_built_in_ones_that_need_each_tasks_gradient_are_known_without_loading() -> None:
    training = Training(epochs=1, batch_size=1)
    split = {name for name in BUILT_IN if optimizer(name).splits_tasks(training)}
    assert split == _registry._PER_TASK


def test_built_in_ones_that_ignore_momentum_are_known_without_loading() -> None:
    with_it, without = (Training(epochs=1, batch_size=1, momentum=m) for m in (0.9, 0.0))
    alike = {n for n in BUILT_IN if optimizer(n).kept(with_it) == optimizer(n).kept(without)}
    assert alike == WITHOUT_MOMENTUM


def test_a_file_has_one_optimiser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        adam, "Second", type("Second", (Adam,), {"__module__": adam.__name__}), raising=False
    )
    with pytest.raises(BadOptimizer, match=r"`adam` .* has one concrete Optimizer\. Got .*Second"):
        optimizer("adam")


def test_an_unknown_optimiser_is_answered_with_the_nearest_and_all() -> None:
    with pytest.raises(UnknownOptimizer, match=r"Did you mean `adam`\? Known: adam, .*sgd\."):
        optimizer("adan")


def test_a_plugin_is_known_behind_the_built_in_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, mine="trainers.optimizers.sgd:SGD")
    assert names() == (*BUILT_IN, "mine")
    assert type(optimizer("mine")) is SGD


def test_a_plugin_takes_no_name_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, adam="trainers.optimizers.sgd:SGD")
    assert names() == BUILT_IN
    assert type(optimizer("adam")) is Adam


@pytest.mark.parametrize(
    "target",
    ["no_such_module:Mine", "trainers.optimizers:decayed", "trainers.optimizers:Optimizer"],
)
def test_a_plugin_that_is_no_optimiser_is_named(
    monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    offer(monkeypatch, mine=target)
    assert "mine" in names()
    with pytest.raises(BadOptimizer, match=rf"`mine` \({target}\) cannot be used: .* Mend it, or"):
        optimizer("mine")


def test_listing_imports_no_torch() -> None:
    code = (
        "import sys; from trainers.optimizers import names; names(); print('torch' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert found.stdout == "False\n", found.stderr


def test_one_of_ones_own_is_a_class_in_a_module(tmp_path: Path) -> None:
    (tmp_path / "my_optimizer.py").write_text(OWN)
    mine = optimizer("my_optimizer:Mine", str(tmp_path))
    assert isinstance(mine, SGD)
    assert type(mine).__module__ == "my_optimizer"
    assert optimizer("my_optimizer:Mine", str(tmp_path)) is mine


@pytest.mark.parametrize(
    ("target", "finding"),
    [
        ("my optimizer:Mine", "is `package.module:Class`. Got 'my optimizer:Mine'. Write"),
        ("no_such_module:Mine", "Module `no_such_module` was not found"),
        ("my_optimizer:Mime", "has no `Mime`. Did you mean `Mine`?"),
        ("my_optimizer:helper", "no concrete subclass of Optimizer. Mend it, or"),
        ("trainers.optimizers:Optimizer", "no concrete subclass of Optimizer. Mend it, or"),
    ],
)
def test_what_is_no_optimiser_of_ones_own_is_said(
    tmp_path: Path, target: str, finding: str
) -> None:
    (tmp_path / "my_optimizer.py").write_text(OWN)
    with pytest.raises(BadOptimizer) as refused:
        optimizer(target, str(tmp_path))
    assert finding in str(refused.value)
