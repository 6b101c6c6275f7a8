"""How alike gradients of runs were over training: curves of pairs of tasks, and of samples."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from reports._palette import TASKS
from storage import Reader
from storage.records import StudyRecord
from storage.scoring import mean

_TITLES: Final[Mapping[str, str]] = {
    "cosine": "Direction of gradients (cosine)",
    "magnitude": "Length of gradients (magnitude similarity)",
}
_AXES: Final = {"cosine": "Cosine", "magnitude": "Magnitude similarity"}
_PAIRINGS: Final = {"tasks": "between tasks", "samples": "between samples"}
_LINES: Final = {"mean": [], "2.5th percentile": [1, 3], "97.5th percentile": [1, 3]}
_PREFIX: Final = "gradients."


def conflict_charts(record: StudyRecord) -> list[dict[str, str]]:
    """Charts of gradients, if the study has them compared."""
    if not (record.spec.get("diagnostics") or {}).get("gradients"):
        return []
    return [{"of": f"{_PREFIX}{name}", "title": title} for name, title in _TITLES.items()]


def is_of_gradients(of: str) -> bool:
    """Whether a query string names one of these charts."""
    return of.removeprefix(_PREFIX) in _TITLES and of.startswith(_PREFIX)


def conflicts_drawn(
    reader: Reader, record: StudyRecord, runs: Sequence[int], of: str
) -> dict[str, Any]:
    """One of these charts, ready to be drawn: means over the runs that reached an epoch."""
    measure = of.removeprefix(_PREFIX)
    found: defaultdict[tuple[str, str], defaultdict[int, list[float]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for row in reader.conflicts(record.name, runs=runs):
        if row.measure == measure and row.mean is not None:
            of_row = (row.mean, row.percentile_2_5, row.percentile_97_5)
            for line, value in zip(_LINES, of_row, strict=True):
                found[row.pairing, line][row.epoch].append(value)
    series = []
    for place, (pairing, said) in enumerate(_PAIRINGS.items()):
        for line, dash in _LINES.items():
            values = {epoch: mean(of_runs) for epoch, of_runs in found[pairing, line].items()}
            if values:
                epochs = sorted(values)
                series.append(
                    {
                        "name": said if line == "mean" else f"{said}, {line}",
                        "colour": TASKS[place],
                        "dash": dash,
                        "x": epochs,
                        "y": [values[epoch] for epoch in epochs],
                    }
                )
    return {"kind": "lines", "x": "Epoch", "whole": True, "y": _AXES[measure], "series": series}
