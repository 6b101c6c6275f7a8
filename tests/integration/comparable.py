"""What must be equal between two databases of the same study, whoever trained it and when."""

from __future__ import annotations

import hashlib
from pathlib import Path

from storage import Reader

Rows = list[tuple[object, ...]]

_RESULTS = (
    "search",
    "trial",
    "params",
    "seed",
    "role",
    "state",
    "planned",
    "epochs",
    "epoch_selected",
    "delta_m_val",
    "delta_m_test",
    "baseline_hash",
    "diverged_epoch",
    "grad_evals",
)
_EPOCHS = ("epoch", "split", "task", "metric", "value")


def results(url: str, study: str) -> Rows:
    """Every run's result, without times, costs and row numbers."""
    return sorted(_rows(url, "run_results", study, _RESULTS), key=repr)


def epochs(url: str, study: str) -> Rows:
    """Every value of every epoch, named by search, trial and seed instead of the run's number."""
    names = {
        run: name
        for run, *name in _rows(url, "run_results", study, ("run", "search", "trial", "seed"))
    }
    rows = _rows(url, "epoch_metrics", study, ("run", *_EPOCHS))
    return sorted((*names[run], *rest) for run, *rest in rows)


def decisions(url: str, study: str) -> Rows:
    """Every standing decision."""
    columns = ("search", "stage", "trial", "value", "baseline_hash", "standing")
    return sorted(_rows(url, "stage_decisions", study, columns))


def attempts(url: str, study: str) -> Rows:
    """(run, state) of every attempt."""
    return _rows(url, "attempt_costs", study, ("run", "state"))


def networks(url: str, study: str) -> Rows:
    """Every kept network by search, trial, seed, epoch and bytes; no others lie beside them."""
    names = {
        run: name
        for run, *name in _rows(url, "run_results", study, ("run", "search", "trial", "seed"))
    }
    reader = Reader(url)
    try:
        record = next(record for record in reader.studies() if record.name == study)
        kept = reader.network_files(record.id)
    finally:
        reader.close()
    files = {Path(one.file.path) for one in kept}
    assert {file for path in files for file in path.parent.glob("network-run*")} == files
    for one in kept:
        assert hashlib.sha256(Path(one.file.path).read_bytes()).hexdigest() == one.file.sha256
    return sorted((*names[one.run], one.file.epoch, one.file.sha256) for one in kept)


def checkpoint_files(folder: Path) -> list[Path]:
    """Checkpoints in a folder, half-written ones included."""
    return [file for file in folder.rglob("*.pt*") if not file.name.startswith("network-run")]


def epochs_trained(url: str, study: str) -> int:
    """Of all attempts together."""
    return sum(int(str(row[0])) for row in _rows(url, "attempt_costs", study, ("epochs",)))


def gradients_paid(url: str, study: str) -> int:
    """Gradient evaluations of all attempts together."""
    return sum(int(str(row[0])) for row in _rows(url, "attempt_costs", study, ("grad_evals",)))


def losses(url: str, study: str) -> set[str]:
    """Classes of failure of the attempts that were lost."""
    rows = _rows(url, "attempt_costs", study, ("state", "failure"))
    return {str(failure) for state, failure in rows if state == "lost"}


def _rows(url: str, view: str, study: str, columns: tuple[str, ...]) -> Rows:
    reader = Reader(url)
    try:
        names, rows = reader.view(view, study)
    finally:
        reader.close()
    picked = [names.index(column) for column in columns]
    return [tuple(row[k] for k in picked) for row in rows]
