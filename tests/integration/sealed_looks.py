"""What each verb shows of a study: of a sealed one, the same whatever its test values are.

A new verb is entered here (`tests.architecture.test_sealed_verbs`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from storage import Reader
from study.asking import Asking
from study.deciding.news import Standing, news_of
from study.running.message import message_of
from tests.integration.command import command

NAME = "kept"


def _export(folder: Path) -> object:
    assert command(folder, "export", NAME, "-o", "runs.csv").code == 0
    return (folder / "runs.csv").read_text()


def _optuna(folder: Path) -> object:
    url = f"sqlite:///{folder / 'optuna.db'}"
    said = command(folder, "export", NAME, "-o", f"optuna:{url}", "--overwrite")
    assert said.code == 0, said.err
    import optuna

    names = optuna.get_all_study_names(url)
    return [
        [(trial.params, trial.values, trial.user_attrs) for trial in found.trials]
        for found in (optuna.load_study(study_name=name, storage=url) for name in sorted(names))
    ]


def _report(*more: str) -> Callable[[Path], object]:
    def say(folder: Path) -> object:
        said = command(folder, "report", NAME, "-o", "report.html", *more)
        assert said.code == 0, said.err
        return (folder / "report.html").read_text()

    return say


def _network(folder: Path) -> object:
    said = command(folder, "network", NAME, "-o", "model.pt", "--retrain", "--json")
    assert said.code == 0, said.err
    import torch

    return said.out, torch.load(folder / "model.pt", weights_only=True)["metrics"]


def _beside_another(folder: Path) -> object:
    """With a study that is not sealed: a copy of its database that has been given another birth."""
    if not (folder / "other.db").exists():
        with (
            closing(sqlite3.connect(folder / "weighbridge.db")) as one,
            closing(sqlite3.connect(folder / "other.db")) as other,
        ):
            one.backup(other)
            other.execute("UPDATE studies SET birth = 'another', name = 'open', sealed_at = NULL")
            other.commit()
    both = (NAME, "other.db::open")
    assert command(folder, "report", *both, "-o", "both.html", "--light").code == 0
    plain = _said("compare", *both, "--json")(folder)
    return plain, (folder / "both.html").read_text()


def _said(*words: str) -> Callable[[Path], object]:
    def say(folder: Path) -> object:
        found = command(folder, *words)
        assert found.code == 0, found.err
        return found.out

    return say


def _refused(*words: str) -> Callable[[Path], object]:
    """A verb that shows test values only: of a sealed study what it says, else what it shows."""

    def say(folder: Path) -> object:
        found = command(folder, *words)
        assert found.code == 0 or "sealed" in found.err
        return found.out, found.err

    return say


def _message(folder: Path) -> object:
    """What a webhook would be told, but for the time."""
    url = f"sqlite:///{folder / 'weighbridge.db'}"
    reader = Reader(url)
    try:
        study = reader.study(NAME)
        totals, pulse = reader.totals(study.id), reader.pulse(study.id)
    finally:
        reader.close()
    at = datetime(2026, 1, 1, tzinfo=UTC)
    standing = Standing(totals=totals, pulse=pulse, budget={}, begun=at, now=at, finished=True)
    (news,) = news_of(standing, on=["done"], shares=())
    headline = _AskingHere(url, folder).headline(NAME)
    assert headline
    return message_of(study, news, standing, headline=headline)


class _AskingHere(Asking):
    """Asks verbs in this process, which has imported what they take."""

    def __init__(self, url: str, folder: Path) -> None:
        super().__init__(url)
        self._folder = folder

    def ask(self, verb: str, study: str) -> Any:
        return command(self._folder, verb, study, "--json").json


LOOKS: dict[str, tuple[Callable[[Path], object], ...]] = {
    "compare": (
        _said("compare", NAME),
        _said("compare", NAME, "--json"),
        _said("compare", NAME, "--details"),
        _said("compare", NAME, "--at", "20epochs"),
        _beside_another,
    ),
    "claims": (_refused("claims", NAME), _refused("claims", NAME, "--json")),
    "table": (_refused("table", NAME, "--format", "csv"), _refused("table", NAME, "--json")),
    "trials": (_said("trials", NAME), _said("trials", NAME, "--json")),
    "workers": (_said("workers", NAME), _said("workers", NAME, "--json")),
    "status": (_said("status"), _said("status", NAME), _said("status", NAME, "--json")),
    "watch": (_said("watch", NAME),),
    "notify": (_message,),
    "log": (_said("log", NAME),),
    "budget": (_said("budget", NAME), _said("budget", NAME, "--json")),
    "audit": (_said("audit", NAME), _said("audit", NAME, "--json")),
    "replay": (_said("replay", NAME), _said("replay", NAME, "--json")),
    "report": (_report("--light", "--json"), _report()),
    "export": (_export, _optuna, _refused("export", NAME, "-o", "scores.csv", "--by-seed")),
    "network": (_network,),
    "plan": (
        _said("plan", NAME),
        _said("plan", NAME, "--json"),
        _said("plan", NAME, "--like", NAME, "--budget", "1d", "--json"),
        _refused("plan", NAME, "--resolve", "1"),
    ),
}
"""Verbs that show what is in a database."""
OTHERS = {
    *(
        "dashboard",
        "presets",
        "methods",
        "trainers",
        "init",
        "run",
        "retry",
        "unseal",
        "rename",
        "delete",
        "doctor",
    ),
    *("schema", "pause", "resume", "stop"),
}
"""Verbs that show no values of runs; `test_dashboard.py` looks at that one's pages."""
