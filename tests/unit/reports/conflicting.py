"""Made-up similarities of gradients for the runs of a synthetic study."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from reports import load
from reports.conflicts import winners_runs
from reports.frames import StudyFrames
from storage.records import MEASURES
from tests.unit.reports.synthetic import STUDY, FakeReader, reader

MEANS = {
    "tasks": {"cosine": 0.0, "negative_cosine": 0.5, "magnitude": 0.6, "opposite_signs": 0.2},
    "samples": {"cosine": 0.1, "negative_cosine": 0.5, "magnitude": 0.9, "opposite_signs": 0.1},
}


def compared(
    *, searches: Iterable[str] = ("ew",), shifts: Iterable[float] = (-0.01, 0.0, 0.01), **means: Any
) -> FakeReader:
    """A study in which gradients of the winners of some searches were compared in two epochs.

    Args:
        shifts: Of all means between tasks, of one seed each.
        means: `tasks_MEASURE` and `samples_MEASURE` in the place of those in `MEANS`.
    """
    made = reader()
    made.spec["diagnostics"] = {"gradients": {"every": 5, "samples": 8}}
    before = load(made, STUDY)
    made.rows["gradient_conflicts"] = [
        row for search in searches for row in _rows(before, search, [*shifts], means)
    ]
    return made


def _rows(
    frames: StudyFrames, search: str, shifts: list[float], means: dict[str, float]
) -> Iterator[dict[str, Any]]:
    for place, run in enumerate(winners_runs(frames, search)):
        for epoch in (1, 2):
            for pairing, of_pairing in MEANS.items():
                for measure in MEASURES:
                    mean = means.get(f"{pairing}_{measure}", of_pairing[measure])
                    mean += shifts[place % len(shifts)] if pairing == "tasks" else 0.0
                    yield {
                        "study": STUDY,
                        "run": run,
                        "epoch": epoch,
                        "pairing": pairing,
                        "measure": measure,
                        "n_pairs": 10,
                        "n_left_out": 1,
                        "mean": mean,
                        "sd": 0.1,
                        "percentile_2_5": mean - 0.2,
                        "median": mean,
                        "percentile_97_5": mean + 0.2,
                        "one_by_one": 0,
                    }
