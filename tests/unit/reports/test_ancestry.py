"""Children of a population say whose networks they go on from, and pay for their own epochs."""

import json
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from reports.comparing.ancestry import ancestry, schedule_said
from reports.frames import trained_epochs
from search_spaces.lineage import Origin

ORIGINS = {4: (1, 5, 2), 7: (4, 10, 3), 8: (0, 10, 6)}
"""Trial to its parent, the epoch, and whom it replaces."""


@pytest.fixture
def frames() -> Any:
    rows = []
    for trial in range(9):
        point: dict[str, Any] = {"lr": 0.1}
        if trial in ORIGINS:
            parent, epoch, replaces = ORIGINS[trial]
            point["from"] = {"trial": parent, "epoch": epoch, "replaces": replaces}
        row = {"search": "ew", "trial": trial, "params": json.dumps(point)}
        rows += [row | {"epochs": 20, "diverged_epoch": None}] * 2
    runs = pd.DataFrame(rows).astype({"epochs": "Int64", "diverged_epoch": "Int64"})
    return SimpleNamespace(runs=runs, runs_of=lambda search: runs[runs["search"] == search])


def test_ancestors_are_told_from_the_oldest_on(frames: Any) -> None:
    assert ancestry(frames, "ew", 7) == [
        Origin(trial=1, epoch=5, replaces=2),
        Origin(trial=4, epoch=10, replaces=3),
    ]
    assert ancestry(frames, "ew", 0) == []


def test_a_schedule_is_said_where_there_is_one(frames: Any) -> None:
    said = schedule_said(frames, "ew", 7)
    assert "trained as trial 1 up to epoch 5, trial 4 up to epoch 10, and as itself" in said
    assert schedule_said(frames, "ew", 1) == ""


def test_no_origin_goes_round_in_a_circle(frames: Any) -> None:
    own = json.dumps({"from": {"trial": 3, "epoch": 5, "replaces": 1}})
    frames.runs.loc[frames.runs["trial"] == 3, "params"] = own
    assert ancestry(frames, "ew", 3) == []


def test_epochs_of_ancestors_are_paid_by_them(frames: Any) -> None:
    paid = trained_epochs(frames.runs).groupby(frames.runs["trial"]).first()
    assert paid[[0, 4, 7, 8]].tolist() == [20, 15, 10, 10]
