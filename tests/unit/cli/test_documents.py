"""Whatever becomes of runs, documents are JSON of their shape: nothing infinite, nothing unsaid."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from reports import StudyFrames, compare, load
from reports.across import compare_studies
from reports.claims import claims_of
from reports.errors import ReportError
from reports.replaying import replay
from reports.spending import equal_budgets
from reports.tables import method_table
from reports.trials import ranked, trials
from study.cli._documents import FORMAT
from study.cli._table import _cells
from study.cli._trials import _plain
from tests import shapes
from tests.unit.reports import synthetic

ENDS = ("diverged", "diverged", "failed", "waiting", "pruned")


def a_study(draw: random.Random) -> StudyFrames:
    """A study of which some runs, or nearly all, came to no value."""
    made = synthetic.reader(
        epochs=3,
        seeds=draw.choice([(1,), (1, 2), (1, 2, 3, 4, 5, 6)]),
        confirm=draw.choice([(), (11, 12)]),
        fused=draw.random() < 0.5,
    )
    lost = draw.choice([0.02, 0.1, 0.5, 0.95])
    for run in made.rows["run_results"]:
        if draw.random() < lost:
            run |= dict.fromkeys(("delta_m_val", "delta_m_test", "epoch_selected"))
            run["state"] = draw.choice(ENDS)
            run["diverged_epoch"] = 1 if run["state"] == "diverged" else None
    if draw.random() < 0.2:
        made.rows["baseline_metrics"] = []
    made.sealed = draw.random() < 0.2
    return load(made, synthetic.STUDY)


def documents(
    one: StudyFrames, other: StudyFrames
) -> Mapping[str, Callable[[], Mapping[str, Any]]]:
    name = one.name
    about = {"study": name}
    return {
        "compare.methods": lambda: {**about, **compare(one).to_plain()},
        "compare.budgets": lambda: {
            **about,
            "budgets": [found.to_plain() for found in equal_budgets(one)],
            "why_none": "",
        },
        "compare.studies": lambda: compare_studies({"a": one, "b": other}).to_plain(),
        "claims": lambda: {
            "studies": {name: [claim.to_plain() for claim in claims_of(one, None)]},
            "together": [],
        },
        "table": lambda: {
            **about,
            "caption": method_table(one).caption,
            "cells": list(_cells(method_table(one))),
        },
        "replay": lambda: {**about, **replay(one, None, orders=5).to_plain()},
        "trials": lambda: {
            **about,
            "notices": [],
            "searches": [_plain(search, ranked(search)) for search in trials(one)],
        },
    }


@pytest.mark.parametrize("seed", [1, 3, 9, 27])
def test_documents_are_json_of_their_shape_whatever_becomes_of_runs(seed: int) -> None:
    draw = random.Random(seed)
    printed = 0
    for document, make in documents(a_study(draw), a_study(draw)).items():
        try:
            plain = make()
        except ReportError:
            continue  # which says what is missing
        told = {"format": FORMAT, "document": document, **plain}
        shapes.check(json.dumps(told, allow_nan=False))
        printed += 1
    assert printed
