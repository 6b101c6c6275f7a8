"""Studies of training functions: run, pruned, killed, resumed, reported and exported."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import optuna
import pandas as pd
import pytest

from tests.integration import training
from tests.integration.command import DEADLINE_S, WARM, Said, begun, command, ended
from tests.integration.training import STEPS

SPEC = """
name = "{name}"
seeds = [0, 1]
[function]
target = "training:{target}"
metric = "loss"
kind = "{kind}"
[training]
epochs = 6
[[search]]
stages = [{{ lr = [0.2, 0.5, 0.8], depth = [1, 2]{more} }}]
"""
STOP = ', stop = { rule = "halving", rungs = [2] }'
EARLY = ', stop = { rule = "halving", rungs = [2, 4], asynchronous = true }'


def write(folder: Path, target: str, *, kind: str = "plain", more: str = "") -> None:
    text = SPEC.format(name=target, target=target, kind=kind, more=more)
    (folder / f"{target}.toml").write_text(text)
    shutil.copy(training.__file__, folder / "training.py")


def run(folder: Path, target: str, *args: str) -> Said:
    return command(folder, "run", f"{target}.toml", "--workers", "2", *args)


def rows(folder: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(folder / "weighbridge.db")) as connection, connection:
        return connection.execute(query).fetchall()


def files(folder: Path) -> Path:
    """The folder of the only study."""
    ((birth,),) = rows(folder, "SELECT birth FROM studies")
    return folder / "weighbridge.checkpoints" / str(birth)


def curve(lr: float, depth: float, seed: int) -> list[float]:
    values, loss = [], 8.0 * depth
    for _ in range(STEPS):
        loss = loss * lr + 0.01 * seed
        values.append(loss)
    return values


def records(folder: Path) -> dict[tuple[str, int], list[float]]:
    """Validation loss by point and seed, in the order of epochs."""
    found: dict[tuple[str, int], list[float]] = {}
    for params, seed, epoch, value in rows(
        folder,
        "SELECT r.params, r.seed, e.epoch, e.value FROM run_results r "
        "JOIN epoch_metrics e ON e.run = r.run "
        "WHERE e.split = 'validation' AND e.metric = 'loss' ORDER BY r.run, e.epoch",
    ):
        values = found.setdefault((params, seed), [])
        values.append(value)
        assert len(values) == epoch, "no step is missing"
    return found


def expected() -> dict[tuple[str, int], list[float]]:
    return {
        (json.dumps({"depth": d, "lr": lr}, separators=(",", ":")), seed): curve(lr, d, seed)
        for lr in (0.2, 0.5, 0.8)
        for d in (1, 2)
        for seed in (0, 1)
    }


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a study of a plain function that was run to its end."""
    folder = tmp_path_factory.mktemp("function")
    write(folder, "train")
    said = run(folder, "train")
    assert said.code == 0, said.err
    assert "weighbridge network" not in said.text  # it keeps its own
    return folder


def test_every_step_of_every_run_is_recorded(finished: Path) -> None:
    assert records(finished) == {k: pytest.approx(v) for k, v in expected().items()}


def test_runs_are_ranked_by_their_metric(finished: Path) -> None:
    said = command(finished, "compare", "train", "--json").json
    assert (said["metric"], said["direction"]) == ("loss", "min")
    best = min(said["rows"], key=lambda row: row["value"])
    assert best["params"] == {"depth": 1.0, "lr": 0.2}
    assert best["value"] == pytest.approx((curve(0.2, 1, 0)[-1] + curve(0.2, 1, 1)[-1]) / 2)


def test_there_is_no_delta_m(finished: Path) -> None:
    assert rows(finished, "SELECT DISTINCT role, delta_m_val, delta_m_test FROM run_results") == [
        ("function", None, None)
    ]


def test_compare_shows_the_best_first(finished: Path) -> None:
    said = command(finished, "compare", "train")
    assert said.code == 0
    assert "best loss 0.00" in said.text
    lines = [line.split() for line in said.out.splitlines() if " done " in line]
    values = [float(line[1]) for line in lines]
    assert (len(values), values) == (6, sorted(values))
    details = command(finished, "compare", "train", "--details")
    assert (details.code, details.out) == (2, "")
    assert "--details is about methods" in details.err


def test_its_trials_are_replayed_by_its_own_metric(finished: Path) -> None:
    said = command(finished, "replay", "train", "--eta", "2", "--orders", "30", "--json").json
    assert (said["objective"], said["judged_on"], said["margin"]) == ("loss", "test", None)
    # on test it reports twice as much
    assert said["value"] == pytest.approx(curve(0.2, 1, 0)[-1] + curve(0.2, 1, 1)[-1])
    played = {row["strategy"]: row for row in said["strategies"]}
    assert set(played) == {"random", "tpe", "halving", "hyperband", "asha", "staged"}
    assert played["halving"]["finds_winner"] == 1.0  # curves never cross


def test_the_report_has_the_same_table(finished: Path) -> None:
    assert command(finished, "report", "train", "-o", "r.html").code == 0
    page = (finished / "r.html").read_text()
    assert "Training function training:train" in page
    assert page.count("<tr>") > 6
    assert "plotly" not in page.lower().split("<script>")[0]


def test_exports_have_the_metric(finished: Path) -> None:
    assert command(finished, "export", "train", "-o", "runs.csv").code == 0
    table = pd.read_csv(finished / "runs.csv")
    assert len(table) == 12
    assert table["test_loss"].to_numpy() == pytest.approx(2 * table["validation_loss"].to_numpy())


def test_optuna_opens_what_was_exported(finished: Path) -> None:
    url = f"sqlite:///{finished / 'trials.db'}"
    assert command(finished, "export", "train", "-o", f"optuna:{url}").code == 0
    study = optuna.load_study(study_name="train/function", storage=url)
    assert study.best_params == {"depth": 1, "lr": 0.2}
    assert sorted(study.best_trial.intermediate_values) == list(range(1, STEPS + 1))


def test_plan_and_status_know_it(finished: Path) -> None:
    said = command(finished, "plan", "train.toml")
    assert "a training function trains one run at a time" in said.text
    assert command(finished, "status", "train", "--json").json["trials"] == 6


def test_running_again_trains_nothing(finished: Path) -> None:
    before = rows(finished, "SELECT COUNT(*) FROM attempt_costs WHERE kind = 'run'")
    assert run(finished, "train").code == 0
    assert rows(finished, "SELECT COUNT(*) FROM attempt_costs WHERE kind = 'run'") == before


@pytest.mark.parametrize(("target", "kind"), [("objective", "optuna"), ("trainable", "ray")])
def test_functions_of_other_libraries_run_unchanged(target: str, kind: str, tmp_path: Path) -> None:
    write(tmp_path, target, kind=kind)
    said = run(tmp_path, target)
    assert said.code == 0, said.err
    assert records(tmp_path) == {k: pytest.approx(v) for k, v in expected().items()}


@pytest.mark.parametrize(("target", "kind"), [("train", "plain"), ("objective", "optuna")])
def test_a_rung_prunes_and_the_rest_goes_on(target: str, kind: str, tmp_path: Path) -> None:
    write(tmp_path, target, kind=kind, more=STOP)
    assert run(tmp_path, target).code == 0
    found = rows(
        tmp_path, "SELECT params, seed, state, epochs FROM run_results ORDER BY trial, seed"
    )
    states = [state for _, _, state, _ in found]
    assert (states.count("done"), states.count("pruned")) == (6, 6)
    for params, seed, state, epochs in found:
        values = records(tmp_path)[params, seed]
        assert epochs == len(values) == (STEPS if state == "done" else 2)
        point = json.loads(params)
        assert values == pytest.approx(curve(point["lr"], point["depth"], seed)[:epochs])


def test_a_rung_is_gone_on_from_in_the_runs_own_folder(tmp_path: Path) -> None:
    write(tmp_path, "train", more=STOP)
    assert run(tmp_path, "train").code == 0
    done = rows(tmp_path, "SELECT run_key FROM runs WHERE state = 'done'")
    for (key,) in done:
        folder = files(tmp_path) / f"run-{key[:16]}"
        calls = (folder / "calls").read_text().split()
        assert calls == [str(step) for step in range(1, STEPS + 1)], "no step was trained twice"


def test_an_objective_that_goes_on_at_once_is_called_once(tmp_path: Path) -> None:
    """Kept or pruned, at one rung or two: each stretch is an attempt that is paid for."""
    write(tmp_path, "objective", kind="optuna", more=EARLY)
    spec = tmp_path / "objective.toml"
    spec.write_text(spec.read_text().replace("seeds = [0, 1]", "seeds = [1]"))
    assert "again from the start" not in command(tmp_path, "plan", "objective.toml").text
    assert run(tmp_path, "objective").code == 0
    found = rows(tmp_path, "SELECT run, params, state, epochs FROM run_results")
    states = [state for _, _, state, _ in found]
    assert states.count("done") >= 1 and states.count("pruned") >= 1
    for number, params, _, epochs in found:
        point = json.loads(params)
        assert len(records(tmp_path)[params, 1]) == epochs
        assert records(tmp_path)[params, 1] == pytest.approx(
            curve(point["lr"], point["depth"], 1)[:epochs]
        )
        paid = rows(
            tmp_path,
            f"SELECT state, epochs, train_s > 0 FROM attempt_costs WHERE run = {number} "
            "ORDER BY attempt",
        )
        assert paid == [("finished", 2, 1)] * (epochs // 2)
    calls = [path.read_text() for path in files(tmp_path).glob("run-*/calls")]
    assert calls == ["called\n"] * 6


def test_a_worker_that_dies_costs_no_step(tmp_path: Path) -> None:
    write(tmp_path, "fatal")
    assert run(tmp_path, "fatal").code == 0
    assert records(tmp_path) == {k: pytest.approx(v) for k, v in expected().items()}
    lost = rows(tmp_path, "SELECT COUNT(*) FROM attempt_costs WHERE state = 'lost'")
    assert lost == [(12,)]
    shown = rows(
        tmp_path,
        "SELECT name, epoch, COUNT(*), COUNT(DISTINCT content) FROM run_exhibits "
        "GROUP BY name, epoch ORDER BY name, epoch",
    )
    each = [("bins", epoch, 12, 1) for epoch in range(1, 7)]
    assert shown == [*each, ("line", 6, 12, 1), ("shades", 6, 12, 1), ("steps", 6, 12, 1)]


def test_a_report_that_was_never_made_is_missed_and_no_more(tmp_path: Path) -> None:
    write(tmp_path, "careless")
    assert run(tmp_path, "careless").code == 0
    steps = rows(tmp_path, "SELECT DISTINCT epoch FROM epoch_metrics ORDER BY epoch")
    assert steps == [(1,), (2,), (4,), (5,), (6,)]
    last = rows(tmp_path, "SELECT DISTINCT epoch_selected FROM run_results WHERE seed = 0")
    assert last == [(6,)], "the number of the step, not its place"


def test_a_killed_driver_costs_no_step(tmp_path: Path) -> None:
    write(tmp_path, "slow")
    with begun(tmp_path, "run", "slow.toml", "--workers", "2", module=WARM) as process:
        folder = tmp_path / "weighbridge.checkpoints"
        deadline_s = time.monotonic() + DEADLINE_S
        while len(list(folder.glob("*/run-*/state.json"))) < 4 and time.monotonic() < deadline_s:
            time.sleep(0.05)
        os.kill(process.pid, signal.SIGKILL)
        assert ended(process).code == -signal.SIGKILL
    assert run(tmp_path, "slow").code == 0
    assert records(tmp_path) == {k: pytest.approx(v) for k, v in expected().items()}


def test_a_study_whose_database_is_made_anew_begins_anew(tmp_path: Path) -> None:
    write(tmp_path, "train")
    assert run(tmp_path, "train").code == 0
    before = files(tmp_path)
    for file in tmp_path.glob("weighbridge.db*"):
        file.unlink()
    spec = tmp_path / "train.toml"
    spec.write_text(spec.read_text().replace("0.2, 0.5, 0.8", "0.3"))
    assert run(tmp_path, "train").code == 0
    assert files(tmp_path) != before
    for (params, seed), values in records(tmp_path).items():
        point = json.loads(params)
        assert values == pytest.approx(curve(point["lr"], point["depth"], seed))


def test_a_body_that_changes_between_two_runs_is_told_and_may_be_refused(tmp_path: Path) -> None:
    write(tmp_path, "train")
    spec, body = tmp_path / "train.toml", tmp_path / "training.py"
    whole = spec.read_text()
    spec.write_text(whole.replace("0.2, 0.5, 0.8", "0.2"))
    assert "has changed" not in run(tmp_path, "train").out
    body.write_text(body.read_text() + "\n# another body\n")
    spec.write_text(whole)
    told = "The code has changed since 4 runs were trained: training."
    assert told in command(tmp_path, "plan", "train.toml").text
    spec.write_text(whole.replace("epochs = 6", "epochs = 6\nstrict_code = true"))
    refused = run(tmp_path, "train")
    assert (refused.code, told in refused.err) == (2, True)
    spec.write_text(whole)
    said = run(tmp_path, "train")
    assert (said.code, told in said.text) == (0, True)
    versions = rows(
        tmp_path,
        "SELECT COUNT(DISTINCT run) FROM attempt_costs WHERE kind = 'run' "
        "GROUP BY code_fingerprint ORDER BY MIN(attempt)",
    )
    assert versions == [(4,), (8,)]
    report = tmp_path / "report.html"
    assert command(tmp_path, "report", "train", "-o", str(report)).code == 0
    assert "2 versions of your own code" in report.read_text()


def test_a_function_that_raises_fails_its_runs(tmp_path: Path) -> None:
    write(tmp_path, "hopeless")
    said = run(tmp_path, "hopeless")
    assert said.code == 1
    (reason,) = {reason for (reason,) in rows(tmp_path, "SELECT reason FROM run_results") if reason}
    assert "ArithmeticError: this function is tired" in reason
    shown = command(tmp_path, "compare", "hopeless")
    assert (shown.code, "no trial has a value" in shown.text) == (0, True)


def test_a_function_that_is_not_there_is_said_at_once(tmp_path: Path) -> None:
    write(tmp_path, "nobody")
    said = run(tmp_path, "nobody")
    assert said.code == 2
    assert "has no `nobody`" in said.err


def test_its_network_is_its_own(tmp_path: Path) -> None:
    write(tmp_path, "train")
    said = command(tmp_path, "network", "train.toml")
    assert said.code == 2
    assert "A training function saves its own network" in " ".join(said.err.split())
