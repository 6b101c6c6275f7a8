"""Studies of a trainer: in rounds, killed within one, resumed, compared, on both drivers."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests import tiny_trainer, toy
from tests.integration import dashboards
from tests.integration.clusters import share_fork_server
from tests.integration.command import command

pytestmark = pytest.mark.slow

EPOCHS = 4
SPEC = """
name = "tiny"
problem = "toy:Toy"
trainer = "tiny_trainer:Tiny"
label_noise = { task = "kind", kind = "symmetric", rate = 0.2 }
seeds = [0, 1]
training = { epochs = 4, batch_size = 4 }
[[search]]
name = "plain"
stages = [{ rate = [0.25, 0.5] }]
[[search]]
name = "dying"
hyper = { dies = true }
stages = [{ rate = [0.75] }]
"""


def write(folder: Path) -> None:
    (folder / "tiny.toml").write_text(SPEC)
    for module in (toy, tiny_trainer):
        shutil.copy(module.__file__, folder)


def rows(folder: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(folder / "weighbridge.db")) as connection:
        return connection.execute(query).fetchall()


def curves(folder: Path) -> dict[tuple[str, int], list[float]]:
    """Errors on validation by point and seed, in the order of epochs."""
    found: dict[tuple[str, int], list[float]] = {}
    for params, seed, value in rows(
        folder,
        "SELECT r.params, r.seed, e.value FROM run_results r JOIN epoch_metrics e ON e.run = r.run "
        "WHERE e.split = 'validation' AND e.metric = 'error' ORDER BY r.run, e.epoch",
    ):
        found.setdefault((params, seed), []).append(value)
    return found


def expected() -> dict[tuple[str, int], list[float]]:
    points = {'{"rate":0.25}': 0.25, '{"rate":0.5}': 0.5, '{"dies":true,"rate":0.75}': 0.75}
    return {
        (params, seed): _curve(rate, seed) for params, rate in points.items() for seed in (0, 1)
    }


def _curve(rate: float, seed: int) -> list[float]:
    values, error = [], 8.0
    for _ in range(EPOCHS):
        error = error * rate + 0.01 * seed
        values.append(error)
    return values


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a study that was run to its end, though workers died in the second round."""
    folder = tmp_path_factory.mktemp("trainer")
    write(folder)
    said = command(folder, "run", "tiny.toml", "--workers", "2")
    assert said.code == 0, said.err
    return folder


def test_a_kill_in_the_second_round_changes_no_row(finished: Path) -> None:
    lost = rows(finished, "SELECT count(*) FROM attempt_costs WHERE failure IS NOT NULL")
    assert lost == [(2,)]
    assert curves(finished) == expected()


def test_trials_are_ranked_by_the_trainers_own_objective(finished: Path) -> None:
    said = command(finished, "compare", "tiny", "--json").json
    assert said["objective"]["name"] == "noisy_val_error"
    assert said["rows"][0]["search"] == "plain"  # the best first


def test_what_a_trainer_counts_is_paid_for(finished: Path) -> None:
    (counted,) = rows(
        finished,
        "SELECT sum(samples), sum(grad_evals), sum(flops) FROM attempt_costs WHERE failure IS NULL "
        "AND run IN (SELECT run FROM run_results WHERE search = 'plain')",
    )
    n_epochs = 2 * 2 * EPOCHS
    assert counted == (12 * n_epochs, 3 * n_epochs, 100.0 * n_epochs)
    assert rows(finished, "SELECT sum(validation_s) > 0 FROM attempt_costs") == [(1,)]


def test_each_round_is_in_the_ledger(finished: Path) -> None:
    found = rows(
        finished,
        "SELECT t.round, t.first_epoch, t.last_epoch, t.grad_evals, t.validation_s > 0 "
        "FROM training_rounds t JOIN run_results r ON r.run = t.run WHERE r.search = 'dying'",
    )
    assert found == 2 * [(1, 1, 2, 6, 1), (2, 3, 4, 6, 1)]
    ((run,),) = rows(finished, "SELECT min(run) FROM run_results")
    said = command(finished, "log", "tiny", str(run), "--json").json
    assert [(of["round"], of["last_epoch"]) for of in said["rounds"]] == [(1, 2), (2, 4)]


def test_trials_say_how_often_training_has_begun(finished: Path) -> None:
    plain, dying = command(finished, "trials", "tiny", "--json").json["searches"]
    rounds = [[trial["rounds"] for trial in of["trials"]] for of in (plain, dying)]
    assert rounds == [[2, 2], [2]]
    assert "rounds" in command(finished, "trials", "tiny").out


def test_a_page_of_the_dashboard_has_the_rounds(finished: Path) -> None:
    ((run, trial),) = rows(finished, "SELECT min(run), trial FROM run_results GROUP BY 2 LIMIT 1")
    with dashboards.client(finished / "weighbridge.db") as client:
        page = client.get(f"/study/1/run/{run}").text
        assert "<h2>Rounds</h2>" in page
        of_trial = client.get(f"/study/1/trial/{trial}?search=plain").text
        assert 'scope="col">Round</th>' in of_trial


def test_that_nothing_is_claimed_is_said_in_a_line(finished: Path) -> None:
    said = command(finished, "claims", "tiny")
    assert (said.code, said.out) == (2, "")
    assert "All claims compare weightings, and a trainer's study has none" in said.err


def test_no_single_task_network_is_trained(finished: Path) -> None:
    assert rows(finished, "SELECT DISTINCT role FROM run_results") == [("search",)]


def test_ray_gives_the_same_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path)
    share_fork_server(monkeypatch)
    said = command(tmp_path, "run", "tiny.toml", "--driver", "ray", "--workers", "2")
    assert said.code == 0, said.err
    assert curves(tmp_path) == expected()
