"""What each verb prints, writes and returns."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import optuna
import pandas as pd
import pytest

from storage import Storage
from study.planning.plan import make_plan
from study.spec.study_spec import read
from tests import toy
from tests.integration.command import Said, command
from tests.integration.driving import descendants

HEAD = """
name = "{name}"
problem = "toy:Toy"
seeds = [0, 1]
training = {{ epochs = {epochs}, batch_size = 4, optimizer = "sgd" }}
"""
TINY = """
[[search]]
weighting = "ew"
stages = [{ lr = [0.05, 1e20] }]
[[search]]
weighting = "uw-so"
stages = [{ lr = [0.05] }, { temperature = { line = [1, 10] } }]
"""
TIRED = """
[problem_options]
troubles = ["raises"]
[baseline.metrics]
level = { error = 1.0 }
kind = { error = 0.5 }
flag = { error = 0.5 }
raises = { error = 1.0 }
[[search]]
weighting = "ew"
stages = [{ lr = [0.05] }]
"""
BROKEN = """
[problem_options]
broken = true
[[search]]
weighting = "ew"
stages = [{ lr = [0.05] }]
"""
VERBS = ["presets", "init", "plan", "run", "status", "compare", "report", "export", "doctor"]


def write_spec(folder: Path, name: str, rest: str, *, epochs: int = 2) -> None:
    (folder / f"{name}.toml").write_text(HEAD.format(name=name, epochs=epochs) + rest)
    shutil.copy(toy.__file__, folder / "toy.py")


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Said]:
    """A folder with a finished study, and what `run` said."""
    folder = tmp_path_factory.mktemp("tiny")
    write_spec(folder, "tiny", TINY)
    return folder, command(folder, "run", "tiny.toml", "--workers", "1")


@pytest.fixture(scope="module")
def finished(ran: tuple[Path, Said]) -> Path:
    return ran[0]


class TestHelp:
    @pytest.mark.parametrize("verb", VERBS)
    def test_each_verb_explains_itself(self, verb: str, tmp_path: Path) -> None:
        said = command(tmp_path, verb, "--help")
        assert said.code == 0
        assert f"weighbridge {verb}" in said.out
        assert "--storage" in said.out

    def test_without_a_verb_all_are_listed(self, tmp_path: Path) -> None:
        said = command(tmp_path)
        assert said.code == 2
        assert all(verb in said.out for verb in VERBS)

    @pytest.mark.parametrize(
        ("args", "why"),
        [
            (["nope"], "No such command 'nope'"),
            (["plan"], "Missing argument 'STUDY'"),
            (["plan", "digits", "--jsn"], "No such option: --jsn"),
            (["run", "digits", "--workers", "0"], "Invalid value for '--workers'"),
        ],
    )
    def test_a_slip_is_explained_on_standard_error(
        self, args: list[str], why: str, tmp_path: Path
    ) -> None:
        said = command(tmp_path, *args)
        assert said.code == 2
        assert why in said.err
        assert said.out == ""


def test_presets_list_studies_problems_and_weightings(tmp_path: Path) -> None:
    said = command(tmp_path, "presets")
    assert said.code == 0
    names = ("quickstart", "digits", "multimnist", "scalarization", "uw-so", "imtl-l")
    assert [name for name in names if name not in said.out] == []
    assert list(tmp_path.iterdir()) == []


class TestInit:
    def test_it_writes_a_spec_that_plans(self, tmp_path: Path) -> None:
        assert command(tmp_path, "init", "mine.toml").code == 0
        assert command(tmp_path, "plan", "mine.toml", "--json").json["study"] == "mine"

    def test_a_disk_without_room_keeps_no_half_of_it(self, tmp_path: Path) -> None:
        small = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (9, 9)); "
        ignoring = "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        words = "import sys; sys.argv = ['weighbridge', 'init', 'a.toml']; "
        code = f"{small}{ignoring}{words}from study.cli import main; main()"
        said = subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert said.returncode == 2
        assert said.stderr.startswith("error Cannot write a.toml: ")
        assert list(tmp_path.iterdir()) == []

    def test_a_name_becomes_one_that_a_study_may_have(self, tmp_path: Path) -> None:
        said = command(tmp_path, "init", "über uns.toml")
        assert "weighbridge plan 'über uns.toml'" in said.out
        assert command(tmp_path, "plan", "über uns.toml", "--json").json["study"] == "ber-uns"

    @pytest.mark.parametrize(
        ("name", "why"),
        [
            ("mine.txt", "A spec's name ends in .toml. Got mine.txt. Try mine.toml."),
            (".", "Got .. Try study.toml."),
            ("there.toml", "there.toml exists and stays as it is. Choose another name."),
            ("no/folder.toml", "Cannot write no/folder.toml: No such file or directory."),
        ],
    )
    def test_what_cannot_be_written_is_refused(self, name: str, why: str, tmp_path: Path) -> None:
        (tmp_path / "there.toml").write_text("precious")
        said = command(tmp_path, "init", name)
        assert (said.code, said.out) == (2, "")
        assert why in said.err
        assert (tmp_path / "there.toml").read_text() == "precious"


class TestPlan:
    def test_numbers_in_json_are_those_of_the_plan(self, finished: Path) -> None:
        plan = make_plan(read(finished / "tiny.toml"), folder=str(finished))
        said = command(finished, "plan", "tiny.toml", "--json").json
        assert said["expected_runs"] == plan.expected_runs == (3 * 2 + 2 + 5) * 2
        assert said["expected_epochs"] == plan.expected_runs * 2
        assert {s["name"]: s["expected_trials"] for s in said["searches"]} == {
            search.name: search.expected_trials for search in plan.searches
        }

    def test_the_table_shows_stages_trials_runs_and_epochs(self, finished: Path) -> None:
        said = command(finished, "plan", "tiny.toml")
        assert said.code == 0
        assert "uw-so lr grid 1 → temperature line 2 → lr neighbours ≤2 5 10 20" in said.text
        assert "At most 26 runs (2 seeds) of 2 epochs" in said.text
        assert "next: weighbridge run tiny.toml" in said.out

    def test_a_preset_needs_no_file_and_leaves_none(self, tmp_path: Path) -> None:
        said = command(tmp_path, "plan", "digits")
        assert said.code == 0
        assert "task_weights grid 36" in said.out
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        ("study", "why"),
        [
            ("missing.toml", "There is no file missing.toml. `weighbridge init missing.toml`"),
            ("broken.toml", "broken.toml is not valid TOML"),
            ("wrong.toml", "  Unknown key `epoch` in [training]. Did you mean `epochs`?"),
            ("digit", "There is no study 'digit'. Did you mean `digits`?"),
        ],
    )
    def test_a_study_that_cannot_be_read_is_refused(
        self, study: str, why: str, tmp_path: Path
    ) -> None:
        (tmp_path / "broken.toml").write_text("name = ")
        (tmp_path / "wrong.toml").write_text("[training]\nepoch = 3\n")
        for verb in ("plan", "run"):
            said = command(tmp_path, verb, study)
            assert (said.code, said.out) == (2, "")
            assert why in said.err


REPORTING = [
    ["status", "tiny.toml"],
    ["compare", "tiny.toml"],
    ["compare", "tiny.toml", "--json"],
    ["report", "tiny.toml"],
    ["export", "tiny.toml", "-o", "runs.csv"],
]


class TestBeforeAnythingRan:
    @pytest.mark.parametrize("args", REPORTING)
    def test_there_is_no_database(self, args: list[str], tmp_path: Path) -> None:
        write_spec(tmp_path, "tiny", TINY)
        said = command(tmp_path, *args)
        assert (said.code, said.out) == (2, "")
        assert "There is no study database at weighbridge.db. Start a study with" in said.err
        assert sorted(path.name for path in tmp_path.iterdir()) == ["tiny.toml", "toy.py"]

    @pytest.mark.parametrize("args", REPORTING[1:])
    def test_the_study_is_not_in_it(self, args: list[str], tmp_path: Path) -> None:
        write_spec(tmp_path, "tiny", TINY)
        Storage(f"sqlite:///{tmp_path / 'weighbridge.db'}").close()
        said = command(tmp_path, *args)
        assert (said.code, said.out) == (2, "")
        assert "The study 'tiny' has not been started in sqlite:///weighbridge.db." in said.err
        assert "weighbridge run tiny.toml" in said.err

    def test_status_of_an_empty_database_is_an_empty_list(self, tmp_path: Path) -> None:
        Storage(f"sqlite:///{tmp_path / 'weighbridge.db'}").close()
        assert command(tmp_path, "status", "--json").json == []


@pytest.mark.usefixtures("impatient")
class TestStorage:
    @pytest.mark.parametrize(
        ("url", "why"),
        [
            ("weighbridge.db", "A storage URL looks like sqlite:///weighbridge.db or postgresql"),
            ("nosuch://here", "A storage URL looks like sqlite:///weighbridge.db or postgresql"),
            ("sqlite:///text.db", "file is not a database. It is some other file."),
            ("sqlite:///newer.db", "has schema 9999, newer than"),
            ("sqlite:///other.db", "is a database of another program: it holds the tables runs."),
            ("postgresql://me:secret@127.0.0.1:1/x", "Check that the server runs"),
        ],
    )
    @pytest.mark.parametrize("args", [["status"], ["compare", "digits"], ["run", "digits"]])
    def test_one_that_cannot_be_used_is_refused(
        self, args: list[str], url: str, why: str, tmp_path: Path
    ) -> None:
        (tmp_path / "text.db").write_text("This is a letter, and no database. " * 100)
        Storage(f"sqlite:///{tmp_path / 'newer.db'}").close()
        _execute(tmp_path / "newer.db", "UPDATE alembic_version SET version_num = '9999'")
        _execute(tmp_path / "other.db", "CREATE TABLE runs (a)")
        said = command(tmp_path, *args, "--storage", url)
        assert (said.code, said.out) == (2, "")
        assert why in said.err
        assert "secret" not in said.err


def _execute(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()


class TestFinished:
    def test_run_says_how_it_ended(self, ran: tuple[Path, Said]) -> None:
        _, said = ran
        assert said.code == 0
        assert "tiny: 18 runs done, 4 diverged, 0 failed, 0 left." in said.text
        assert "next: weighbridge report tiny -o report.html" in said.out

    def test_a_diverged_run_is_shown_with_its_epoch_and_reason(self, finished: Path) -> None:
        said = command(finished, "status", "tiny")
        assert said.code == 0
        assert re.search(r"diverged run \d+, ew trial 1 seed 0: In epoch 1 the ", said.text)
        endings = command(finished, "status", "tiny", "--json").json["bad_endings"]
        bad = next(ending for ending in endings if ending["search"] == "ew")
        assert (bad["state"], bad["epoch"], json.loads(bad["params"])["lr"]) == (
            "diverged",
            0,
            1e20,
        )

    def test_status_counts_runs_by_state(self, finished: Path) -> None:
        (all_studies,) = command(finished, "status", "--json").json
        one = command(finished, "status", "tiny.toml", "--json").json
        assert all_studies["states"] == one["states"]
        assert (one["states"]["done"], one["states"]["diverged"], one["trials"]) == (18, 4, 5)
        assert sum(search["states"]["done"] for search in one["searches"]) == 18

    def test_running_again_trains_nothing(self, finished: Path) -> None:
        before = command(finished, "status", "--json").json[0]["epochs"]
        said = command(finished, "run", "tiny")
        assert said.code == 0
        assert command(finished, "status", "--json").json[0]["epochs"] == before

    def test_compare_lists_methods_with_costs_and_winners(self, finished: Path) -> None:
        said = command(finished, "compare", "tiny")
        assert said.code == 0
        parts = ("STL", "EW", "UW-SO", "lr 0.05", "note", "next: weighbridge report tiny")
        assert [part for part in parts if part not in said.out] == []

    def test_compare_as_json_is_json_and_nothing_else(self, finished: Path) -> None:
        said = command(finished, "compare", "tiny", "--json")
        assert said.err == ""
        assert [row["search"] for row in said.json["rows"]] == ["stl", "ew", "uw-so"]

    def test_report_writes_one_file(self, finished: Path) -> None:
        said = command(finished, "report", "tiny", "-o", "r.html")
        assert said.code == 0
        assert "Wrote r.html" in said.out
        assert "UW-SO" in (finished / "r.html").read_text()

    def test_export_has_one_row_a_run(self, finished: Path) -> None:
        for name in ("runs.csv", "runs.parquet"):
            said = command(finished, "export", "tiny", "-o", name)
            assert (said.code, said.text) == (0, f"Wrote {name}: 22 runs.")
        assert len(pd.read_csv(finished / "runs.csv")) == 22
        assert len(pd.read_parquet(finished / "runs.parquet")) == 22

    def test_export_writes_an_optuna_study_a_search(self, finished: Path) -> None:
        url = f"sqlite:///{finished / 'trials.db'}"
        said = command(finished, "export", "tiny", "-o", f"optuna:{url}")
        assert said.code == 0
        assert "Wrote 5 Optuna studies with" in said.text
        assert f"optuna-dashboard {url}" in said.out
        ew = optuna.load_study(study_name="tiny/ew", storage=url)
        assert [trial.state.name for trial in ew.trials] == ["COMPLETE", "FAIL"]
        assert sorted(ew.best_trial.intermediate_values) == [1, 2]
        assert ew.best_value == pytest.approx(_delta_m(finished, "ew", trial=0))

    def test_exporting_to_optuna_again_needs_a_word(self, finished: Path) -> None:
        args = ["export", "tiny", "-o", "optuna:sqlite:///again.db"]
        assert command(finished, *args).code == 0
        said = command(finished, *args)
        assert (said.code, said.out) == (2, "")
        assert "already has tiny/stl/level, tiny/stl/kind, " in said.err
        assert "--overwrite" in said.err
        assert command(finished, *args, "--overwrite").code == 0

    @pytest.mark.parametrize(
        ("args", "why"),
        [
            (["export", "tiny", "-o", "optuna:x.db"], "Write optuna:sqlite:///trials.db."),
            (["export", "tiny", "-o", "optuna:sqlite:///no/x.db"], "a folder that exists."),
            (["export", "tiny", "-o", "optuna:sqlite:///weighbridge.db"], "do not go into a study"),
            (["export", "tiny", "-o", "runs.txt"], "An export ends in .csv or .parquet."),
            (["export", "tiny", "-o", "no/runs.csv"], "a folder that exists. Got no."),
            (["report", "tiny", "-o", "no/r.html"], "a folder that exists. Got no."),
            (["status", "tinny"], "There is no study 'tinny'. Did you mean `tiny`?"),
            (["compare", "tinny"], "There is no study 'tinny'. Did you mean `tiny`?"),
        ],
    )
    def test_what_cannot_be_written_or_found_is_refused(
        self, args: list[str], why: str, finished: Path
    ) -> None:
        said = command(finished, *args)
        assert (said.code, said.out) == (2, "")
        assert why in said.err

    def test_a_changed_spec_is_refused_and_nothing_is_trained(self, finished: Path) -> None:
        other = finished / "changed"
        other.mkdir()
        write_spec(other, "tiny", TINY, epochs=3)
        said = command(other, "run", "tiny.toml", "--storage", "sqlite:///../weighbridge.db")
        assert (said.code, said.out) == (2, "")
        assert "[training] epochs: stored 2, now 3" in said.err


def _delta_m(folder: Path, search: str, *, trial: int) -> float:
    """Mean validation delta_m of a trial, by the documented view."""
    with sqlite3.connect(folder / "weighbridge.db") as connection:
        ((value,),) = connection.execute(
            "SELECT AVG(delta_m_val) FROM run_results WHERE search = ? AND trial = ?",
            (search, trial),
        )
    return float(value)


def test_a_problem_that_raises_in_training_fails_its_runs(tmp_path: Path) -> None:
    write_spec(tmp_path, "tired", TIRED, epochs=toy.CALM_CALLS)
    said = command(tmp_path, "run", "tired.toml", "--workers", "1")
    assert said.code == 1
    assert "0 runs done, 0 diverged, 2 failed, 0 left." in said.text
    assert "search ew stopped: no trial can win: 0 diverged, 1 with failed runs." in said.text
    assert "next: weighbridge log tired" in said.out
    assert "ArithmeticError: this loss is tired" in command(tmp_path, "status", "tired").text


def test_a_problem_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    write_spec(tmp_path, "broken", BROKEN)
    said = command(tmp_path, "run", "broken.toml", "--workers", "1")
    assert said.code == 2
    assert "is gone" in said.err


@pytest.mark.parametrize("args", [["missing.toml"], ["--workers", "0"], ["--help"]])
def test_a_run_that_trains_nothing_leaves_no_process(args: list[str], tmp_path: Path) -> None:
    before = descendants(os.getpid())
    command(tmp_path, "run", *args, warm=False)
    assert descendants(os.getpid()) == before


def test_doctor_names_a_database_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "weighbridge.db").write_text("This is a letter, and no database. " * 100)
    said = command(tmp_path, "doctor")
    assert said.code == 2
    assert "file is not a database" in said.text
