"""What each verb says before anything has run."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from storage import Storage
from study.planning.plan import make_plan
from study.spec.study_spec import read
from tests.integration.command import command
from tests.integration.tiny_study import TINY, write_spec
from trainers.functions import trainer_names

VERBS = ["presets", "init", "plan", "run", "status", "compare", "report", "export", "doctor"]


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
    names = ("quickstart", "diamonds", "digits", "multimnist", "scalarization", "uw-so", "imtl-l")
    assert [name for name in names if name not in said.out] == []
    told = command(tmp_path, "presets", "--json").json
    listed = {one["study"] for one in told["studies"]} | {
        one["problem"] for one in told["problems"]
    }
    assert {*names} <= listed | {one["weighting"] for one in told["weightings"]}
    assert list(tmp_path.iterdir()) == []


class TestMethods:
    def test_they_are_listed_with_costs_and_what_they_need(self, tmp_path: Path) -> None:
        told = {
            one["method"]: one for one in command(tmp_path, "methods", "--json").json["methods"]
        }
        costs = {name: told[name]["cost"] for name in ("uw-so", "famo", "cagrad")}
        assert costs == {
            "uw-so": "1 backward",
            "famo": "1 backward, 2 forward",
            "cagrad": "T backward",
        }
        assert told["cagrad"]["needs"] == ["torchjd", "cvxpy", "clarabel"]
        assert [one["method"] for one in told.values() if not one["formula"]] == []
        said = command(tmp_path, "methods").out
        assert [name for name in told if name not in said] == []

    def test_one_is_shown_with_what_can_be_tuned(self, tmp_path: Path) -> None:
        said = command(tmp_path, "methods", "gradvac").out
        for part in ("a step takes: T backward, trained one by one", "at least 0 and at most 1"):
            assert part in said

    def test_an_unknown_one_is_answered_with_the_nearest(self, tmp_path: Path) -> None:
        said = command(tmp_path, "methods", "gradvax")
        assert (said.code, said.out) == (2, "")
        assert "Did you mean `gradvac`?" in said.err


class TestTrainers:
    def test_one_is_shown_with_what_may_select_and_be_tuned(self, tmp_path: Path) -> None:
        of = "tests.tiny_trainer:Tiny"
        (told,) = command(tmp_path, "trainers", of, "--json").json["trainers"]
        objectives = {one["name"]: one["uses_truth"] for one in told["objectives"]}
        assert objectives == {"noisy_val_error": False, "truly_found": True}
        said = command(tmp_path, "trainers", of).out
        for part in ("with `oracle = true` only", "numbers from 0 to 1", "'plain', 'odd'"):
            assert part in said

    def test_all_are_listed(self, tmp_path: Path) -> None:
        told = command(tmp_path, "trainers", "--json").json["trainers"]
        assert [one["trainer"] for one in told] == list(trainer_names())
        assert command(tmp_path, "trainers").code == 0

    def test_an_unknown_one_is_refused(self, tmp_path: Path) -> None:
        said = command(tmp_path, "trainers", "relabell")
        assert (said.code, said.out) == (2, "")
        assert "There is no trainer `relabell`" in said.err


class TestInit:
    def test_it_writes_a_spec_that_plans(self, tmp_path: Path) -> None:
        assert command(tmp_path, "init", "mine.toml").code == 0
        assert command(tmp_path, "plan", "mine.toml", "--json").json["study"] == "mine"

    def test_programs_are_told_what_it_wrote(self, tmp_path: Path) -> None:
        told = command(tmp_path, "init", "mine.toml", "--json").json
        size_bytes = (tmp_path / "mine.toml").stat().st_size
        assert (told["study"], told["path"], told["size_bytes"]) == (
            "mine",
            "mine.toml",
            size_bytes,
        )
        assert told["next"]["command"] == "weighbridge plan mine.toml"

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
    def test_numbers_in_json_are_those_of_the_plan(self, tmp_path: Path) -> None:
        write_spec(tmp_path, "tiny", TINY)
        plan = make_plan(read(tmp_path / "tiny.toml"), folder=str(tmp_path))
        said = command(tmp_path, "plan", "tiny.toml", "--json").json
        assert said["expected_runs"] == plan.expected_runs == (3 * 2 + 2 + 5) * 2
        assert said["expected_epochs"] == plan.expected_runs * 2
        assert {s["name"]: s["expected_trials"] for s in said["searches"]} == {
            search.name: search.expected_trials for search in plan.searches
        }

    def test_the_table_shows_stages_trials_runs_and_epochs(self, tmp_path: Path) -> None:
        write_spec(tmp_path, "tiny", TINY)
        said = command(tmp_path, "plan", "tiny.toml")
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
        assert command(tmp_path, "status", "--json").json["studies"] == []


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
    @pytest.mark.usefixtures("impatient")
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


def test_doctor_names_a_database_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "weighbridge.db").write_text("This is a letter, and no database. " * 100)
    said = command(tmp_path, "doctor")
    assert said.code == 2
    assert "file is not a database" in said.text
