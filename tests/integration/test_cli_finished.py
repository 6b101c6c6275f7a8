"""What each verb says, writes and refuses of a study that has run to its end."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

import optuna
import optuna_dashboard
import pandas as pd
import pytest

from tests.integration.command import Said, command
from tests.integration.tiny_study import TINY, write_spec


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Said]:
    """A folder with a finished study, and what `run` said."""
    folder = tmp_path_factory.mktemp("tiny")
    write_spec(folder, "tiny", TINY)
    return folder, command(folder, "run", "tiny.toml", "--workers", "1")


@pytest.fixture(scope="module")
def finished(ran: tuple[Path, Said]) -> Path:
    return ran[0]


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
        assert (bad["state"], bad["epoch"], bad["params"]["lr"]) == (
            "diverged",
            0,
            1e20,
        )

    def test_status_counts_runs_by_state(self, finished: Path) -> None:
        (all_studies,) = command(finished, "status", "--json").json["studies"]
        one = command(finished, "status", "tiny.toml", "--json").json
        assert all_studies["states"] == one["states"]
        assert (one["states"]["done"], one["states"]["diverged"], one["trials"]) == (18, 4, 5)
        assert sum(search["states"]["done"] for search in one["searches"]) == 18

    def test_running_again_trains_nothing(self, finished: Path) -> None:
        before = command(finished, "status", "--json").json["studies"][0]
        said = command(finished, "run", "tiny", "--json")
        assert said.code == 0
        assert before == {key: said.json[key] for key in before}
        assert (said.json["over"], said.json["limit"], said.json["interrupted"]) == (
            True,
            None,
            False,
        )
        assert said.json["sentence"] == "18 runs done, 4 diverged, 0 failed, 0 left."
        assert said.json["next"]["command"] == "weighbridge report tiny -o report.html"

    def test_compare_lists_methods_with_costs_and_winners(self, finished: Path) -> None:
        said = command(finished, "compare", "tiny")
        assert said.code == 0
        parts = ("STL", "EW", "UW-SO", "lr 0.05", "note", "next: weighbridge report tiny")
        assert [part for part in parts if part not in said.out] == []
        assert "note EW: 2 of 4 runs diverged: their trials rank last" in said.text
        assert "cost: what methods are charged with" in said.text

    def test_compare_as_json_is_json_and_nothing_else(self, finished: Path) -> None:
        said = command(finished, "compare", "tiny", "--json")
        assert said.err == ""
        assert [row["search"] for row in said.json["rows"]] == ["stl", "ew", "uw-so"]

    def test_claims_are_told_one_after_the_other(self, finished: Path) -> None:
        said = command(finished, "claims", "tiny")
        assert said.code == 0
        found = re.findall(r"^(C\d+) (?:not |un)?(?:supported|decided|asked): ", said.out, re.M)
        assert found == ["C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8", "C9", "C10"]
        plain = command(finished, "claims", "tiny", "--json").json
        assert [claim["claim"] for claim in plain["studies"]["tiny"]] == [
            name for name in found if name != "C3"
        ]
        assert [claim["finding"] for claim in plain["together"]] == ["not asked"]

    def test_replay_plays_what_was_recorded(self, finished: Path) -> None:
        args = ["replay", "tiny", "--search", "uw-so", "--eta", "2", "--orders", "20"]
        said = command(finished, *args)
        assert said.code == 0
        assert "Played on uw-so, stage 2: 2 trials of temperature on 2 seeds for 2" in said.text
        assert "racing cannot be replayed here: it can save the third seed" in said.text
        found = command(finished, *args, "--json").json
        played = {row["strategy"]: row for row in found["strategies"]}
        assert [*played] == ["random", "tpe", "halving", "hyperband", "asha", "line"]
        assert played["halving"]["cost"]["epochs"] == 6  # of 8: one trial ends after epoch 1
        assert played["random"]["at_end"]["value"] == pytest.approx(found["value"])

    def test_trials_come_best_first_and_can_be_chosen(self, finished: Path) -> None:
        said = command(finished, "trials", "tiny", "--search", "ew")
        assert said.code == 0
        assert re.search(r"ew: 2 trials .* 0 .* done .* 1 +– +diverged", said.text)
        one, other = command(finished, "trials", "tiny", "--json", "-n", "1").json["searches"][-2:]
        assert [(one["search"], one["n_trials"]), (other["search"], other["n_trials"])] == [
            ("ew", 2),
            ("uw-so", 3),
        ]
        (best,) = one["trials"]
        assert (best["trial"], best["state"], best["seeds"]) == (0, "done", [0, 1])
        assert best["value"] == pytest.approx(_delta_m(finished, "ew", trial=0))
        bad = command(finished, "trials", "tiny", "--state", "diverged", "--json").json["searches"]
        assert [row["trial"] for row in bad[-2]["trials"]] == [1]

    def test_workers_are_listed_with_what_they_did(self, finished: Path) -> None:
        said = command(finished, "workers", "tiny")
        assert said.code == 0
        assert "1 worker on 1 host, 0 at work; 0 runs held, 0 attempts lost." in said.text
        told = command(finished, "workers", "tiny", "--json").json
        status = command(finished, "status", "tiny", "--json").json
        (worker,) = told["workers"]
        assert worker["device_s"] == pytest.approx(status["device_s"])
        assert worker["epochs"] == told["hosts"][0]["epochs"] == status["epochs"]
        assert told["leases"] == worker["runs"] == []

    def test_what_was_written_is_told_as_json(self, finished: Path) -> None:
        said = command(finished, "export", "tiny", "-o", "told.csv", "--json").json
        assert said["size_bytes"] == (finished / said["path"]).stat().st_size
        url = f"sqlite:///{finished / 'told.db'}"
        told = command(finished, "export", "tiny", "-o", f"optuna:{url}", "--json").json
        assert told["studies"][-1] == {"name": "tiny/uw-so", "n_trials": 3}
        cells = command(finished, "table", "tiny", "--json").json["cells"]
        rows = command(finished, "compare", "tiny", "--json").json["rows"]
        values = {one["search"]: one["value"] for one in cells if one["metric"] == "delta_m"}
        assert values == {row["search"]: row["delta_m_test"] for row in rows}

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

    def test_optuna_dashboard_opens_the_export(self, finished: Path) -> None:
        url = f"sqlite:///{finished / 'shown.db'}"
        assert command(finished, "export", "tiny", "-o", f"optuna:{url}").code == 0
        shown = optuna_dashboard.wsgi(url)
        listed = _asked(shown, "/api/studies")["study_summaries"]
        (number,) = [one["study_id"] for one in listed if one["study_name"] == "tiny/ew"]
        trials = _asked(shown, f"/api/studies/{number}")["trials"]
        assert [trial["state"] for trial in trials] == ["Complete", "Fail"]
        assert [step["step"] for step in trials[0]["intermediate_values"]] == [1, 2]

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
            (["export", "tiny", "-o", "optuna:x.db", "--by-seed"], "Leave out --by-seed"),
            (["export", "tiny", "-o", "x.csv", "--front", "--exhibit", "y"], "holds one table"),
            (["export", "tiny", "-o", "x.csv", "--search", "uw"], "Got it without `--exhibit`"),
            (["export", "tiny", "-o", "x.csv", "--exhibit", "y"], "that they show: none"),
            (["table", "tiny", "--json", "--format", "csv"], "--json is a format, and is printed."),
            (["trials", "tiny", "--search", "uwso"], "Got uwso. Did you mean `uw-so`?"),
            (["trials", "tiny", "--state", "over"], "--state takes one of done, running"),
            (
                ["schema", "compar"],
                "Got compar. Did you mean `compare`? There are: presets, methods",
            ),
            (["table", "tiny", "--format", "xls"], "latex, markdown, csv. Got 'xls'"),
            (["table", "tiny", "-o", "no/t.tex"], "written into a folder that exists"),
            (["export", "tiny", "-o", "optuna:sqlite:///no/x.db"], "a folder that exists."),
            (["export", "tiny", "-o", "optuna:sqlite:///weighbridge.db"], "do not go into a study"),
            (["export", "tiny", "-o", "runs.txt"], "An export ends in .csv, .parquet or .npz."),
            (["export", "tiny", "-o", "no/runs.csv"], "a folder that exists. Got no."),
            (["report", "tiny", "-o", "no/r.html"], "a folder that exists. Got no."),
            (["replay", "tiny", "--strategy", "halfing"], "Use some of: random, tpe, halving,"),
            (["replay", "tiny", "--strategy", "racing"], "racing: it can save the third seed"),
            (["replay", "tiny", "--search", "stl"], "Use one of: ew, uw-so."),
            (["replay", "tiny", "--search", "ew", "--stage", "3"], "Got 3. Use one of: 1."),
            (["replay", "tiny", "--at", "5parsec"], "A budget must be a number above 0 and a unit"),
            (["replay", "tiny", "--at", "5epochs", "--axis", "solo_s"], "must be in one unit."),
            (["replay", "tiny", "--axis", "h"], "must be one of solo_s, as_run_s, epochs,"),
            (["status", "tinny"], "There is no study 'tinny'. Did you mean `tiny`?"),
            (["claims", "tiny", "no.db::tiny"], "There is no study database no.db, where tiny"),
            (["claims", "tiny", "./weighbridge.db::tiny"], "are one and the same study."),
            (["claims", "tiny", "tinny"], "There is no study 'tinny'. Did you mean `tiny`?"),
            (["compare", "tinny"], "There is no study 'tinny'. Did you mean `tiny`?"),
            (["compare", "tiny", "tiny"], "tiny is named twice. Name each study once."),
            (["compare", "tiny", "./weighbridge.db::tiny"], "are one and the same study."),
            (["compare", "tiny", "tiny.toml::tiny"], "It is some other file."),
            (["compare", "tiny", "no.db::tiny"], "There is no study database no.db, where tiny"),
            (["compare", "tiny", "::tiny"], "is written DATABASE::STUDY, with a file or a URL."),
            (["compare", "weighbridge.db::tinny"], "a stored study (tiny)"),
            (["compare", "tiny", "--details", "--at", "9epochs"], "--details goes with whole"),
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
    with closing(sqlite3.connect(folder / "weighbridge.db")) as connection, connection:
        ((value,),) = connection.execute(
            "SELECT AVG(delta_m_val) FROM run_results WHERE search = ? AND trial = ?",
            (search, trial),
        )
    return float(value)


def _asked(app: Any, path: str) -> Any:
    """What a WSGI application answers."""
    environment: dict[str, Any] = {"PATH_INFO": path, "QUERY_STRING": "after=0"}
    setup_testing_defaults(environment)
    return json.loads(b"".join(app(environment, lambda *_: None)))
