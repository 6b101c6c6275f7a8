"""Which epochs' networks of a run are held, and what a file of one must be."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from storage.objectives import known
from tests.packs import a_job
from trainers.errors import NetworkUnreadable
from trainers.events import EpochDone, Seconds
from trainers.keeping import networks
from trainers.keeping.networks import MOST, Candidates

METRICS = (("left", "error", "min"), ("right", "accuracy", "max"))


def done(epoch: int, error: float, accuracy: float) -> EpochDone:
    return EpochDone(
        run=1,
        token=1,
        epoch=epoch,
        values=(
            ("train", "left", "loss", 1.0),
            ("validation", "left", "error", error),
            ("validation", "left", "loss", 1.0),
            ("validation", "right", "accuracy", accuracy),
            ("test", "left", "error", 0.0),
        ),
        seconds=Seconds(),
        samples=1,
        grad_evals=1,
    )


def a_network() -> networks.State:
    return {"network": {"w": torch.ones(2)}, "outside": {}}


def held(epochs: Sequence[tuple[float, float]]) -> list[int]:
    candidates = Candidates(a_job(select_by=METRICS))
    for number, values in enumerate(epochs, start=1):
        if candidates.wants(event := done(number, *values), last=number == len(epochs)):
            candidates.add(event, a_network)
    return [one["epoch"] for one in candidates.state()]


# shares of 64 samples: sums of a few of them are exact
SHARES = st.integers(1, 64).map(lambda n: n / 64)


@given(
    epochs=st.lists(st.tuples(SHARES, SHARES), min_size=1, max_size=MOST),
    baseline=st.tuples(SHARES, SHARES),
)
def test_the_selected_epoch_is_held(
    epochs: list[tuple[float, float]], baseline: tuple[float, float]
) -> None:
    names = [(task, name) for task, name, _ in METRICS]
    curves = dict(zip(names, zip(*epochs, strict=True), strict=True))
    curve = known(METRICS)["delta_m"].curve(curves, dict(zip(names, baseline, strict=True)))
    assert curve.index(min(curve)) + 1 in held(epochs)


def test_of_equal_epochs_the_first_is_held() -> None:
    assert held([(0.5, 0.5), (0.5, 0.5)]) == [1]


def test_what_is_beaten_in_all_metrics_goes() -> None:
    assert held([(0.5, 0.5), (0.4, 0.4), (0.3, 0.6)]) == [3]
    assert held([(0.5, 0.5), (0.4, 0.4), (0.5, 0.4)]) == [1, 2]


def test_of_too_many_the_furthest_from_the_best_goes() -> None:
    """The accuracy is dearly bought: each step down costs more of the error than the one before."""
    front = [(1.0 + n * n, 0.5 + n / 100) for n in range(MOST + 1)]
    assert held(front) == list(range(1, MOST + 1))


def test_copies_are_held() -> None:
    weight = torch.ones(4)
    state = {"network": {"w": weight[1:3]}, "outside": {"trunk.seen": [weight[:1], 7]}, "epoch": 1}
    copy = networks.copied(state)
    weight.zero_()
    assert copy["network"]["w"].tolist() == [1.0, 1.0]
    assert copy["network"]["w"].untyped_storage().nbytes() == 2 * weight.element_size()
    assert copy["outside"] == {"trunk.seen": [torch.ones(1), 7]}


def test_a_file_with_other_bytes_is_refused(tmp_path: Path) -> None:
    candidates = Candidates(a_job(select_by=METRICS))
    candidates.add(done(1, 0.5, 0.5), a_network)
    (file,) = candidates.write(str(tmp_path), a_job())
    loaded = networks.load(file.path, sha256=file.sha256)
    assert loaded["network"]["w"].tolist() == [1.0, 1.0]
    Path(file.path).write_bytes(Path(file.path).read_bytes()[:-1])
    with pytest.raises(NetworkUnreadable, match="other bytes"):
        networks.load(file.path, sha256=file.sha256)


def test_a_file_that_is_gone_is_told_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(NetworkUnreadable, match=r"none\.pt: No such file"):
        networks.load(str(tmp_path / "none.pt"), sha256="")
