"""`weighbridge status` counts money where device time has a price, and what a budget leaves."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests import toy
from tests.integration.command import command

SPEC = """
name = "{name}"
problem = "toy:Toy"
seeds = [0]
training = {{ epochs = 2, batch_size = 4, optimizer = "sgd" }}
baseline.metrics = {{ level.error = 1.0, kind.error = 0.5, flag.error = 0.5 }}
{more}
[[search]]
weighting = "ew"
stages = [{{ lr = [0.02, 0.05] }}]
"""
PRICED = """
cost.price_per_h = 3600
budget = { money = 5000, epochs = 10, trials = 2, wall_s = 600 }
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two finished studies: `priced`, at one a device-second, and `free`."""
    folder = tmp_path_factory.mktemp("status")
    shutil.copy(toy.__file__, folder / "toy.py")
    for name, more in (("priced", PRICED), ("free", "")):
        (folder / f"{name}.toml").write_text(SPEC.format(name=name, more=more))
        said = command(folder, "run", f"{name}.toml", "--workers", "1")
        assert said.code == 0, said.err
    return folder


def test_money_stands_beside_device_time(folder: Path) -> None:
    said = command(folder, "status", "priced", "--json").json
    assert said["device_s"] > 0
    assert said["money"] == pytest.approx(said["device_s"])
    (search,) = said["searches"]
    assert 0 < search["money"] == pytest.approx(search["device_s"])


def test_the_table_has_a_column_of_money(folder: Path) -> None:
    said = command(folder, "status", "priced")
    paid = command(folder, "status", "priced", "--json").json["money"]
    assert "money" in said.out.splitlines()[2]
    (whole,) = [line for line in said.out.splitlines() if line.strip().startswith("all ")]
    assert whole.split()[-1] == (f"{paid:,.2f}" if paid >= 1 else f"{paid:.2g}")


def test_what_is_left_of_the_budget_is_told(folder: Path) -> None:
    said = command(folder, "status", "priced", "--json").json
    left = said["budget_left"]
    assert (left["epochs"], left["trials"]) == (10 - 4, 0)
    assert left["money"] == pytest.approx(5000 - said["money"])
    assert set(left) == {"epochs", "trials", "money"}
    text = command(folder, "status", "priced").text
    assert "left of the budget: 0 of 2 trials (without baselines), 6 of 10 epochs, " in text
    assert f"{left['money']:,.2f} of 5,000.00 in money" in text


def test_without_a_price_and_a_budget_nothing_is_said_of_them(folder: Path) -> None:
    said = command(folder, "status", "free")
    assert "money" not in said.out
    assert "budget" not in said.out
    plain = command(folder, "status", "free", "--json").json
    assert (plain["money"], plain["budget_left"]) == (None, {})


def test_all_studies_are_listed_with_their_money(folder: Path) -> None:
    said = {
        study["study"]: study["money"]
        for study in command(folder, "status", "--json").json["studies"]
    }
    assert said["free"] is None
    assert said["priced"] > 0
    lines = [line for line in command(folder, "status").out.splitlines() if line.strip()]
    rows = {line.split()[0]: line for line in lines}
    assert "money" in rows["study"]
    assert rows["free"].split()[-1] == "·"


def test_plan_forecasts_a_study_of_the_same_shape(folder: Path) -> None:
    (folder / "next.toml").write_text(SPEC.format(name="next", more="cost.price_per_h = 3600"))
    said = command(folder, "plan", "next.toml", "--json", "--workers", "2").json["forecast"]
    (search,) = said["searches"]
    assert (search["timed_by"], search["epochs_left"], said["device_s_paid"]) == ("like", 4, 0)
    left = said["device_s_left"]
    assert 0 <= left["low"] < left["value"] < left["high"]
    assert said["money_left"] == pytest.approx(left)  # at one a second
    assert said["wall_s_left"]["value"] == pytest.approx(left["value"] / 2)
    text = command(folder, "plan", "next.toml", "--like", "free").text
    assert "the same weighting in other studies" in text
    assert "With 2 workers that never wait" in text


def test_of_what_is_done_nothing_is_left(folder: Path) -> None:
    said = command(folder, "plan", "free", "--json").json["forecast"]
    assert said["device_s_left"] == {"value": 0, "low": 0, "high": 0}
    assert said["device_s_paid"] == command(folder, "status", "free", "--json").json["device_s"]
    assert "nothing left to train" in command(folder, "plan", "free").text


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (["wide.toml", "--like", "free"], "its steps are of another shape"),
        (["digits", "--like", "free"], "free has another problem and data and network than digits"),
        (["digits", "--like", "none"], "There is no study 'none' in this database"),
        (["digits", "--like", "free", "--storage", "sqlite:///no.db"], "there is no database yet"),
        (["wide.toml"], "nothing of this shape was timed yet"),
    ],
)
def test_what_no_study_tells_is_no_forecast(folder: Path, line: list[str], why: str) -> None:
    wide = SPEC.format(name="wide", more="").replace("batch_size = 4", "batch_size = 2")
    (folder / "wide.toml").write_text(wide)
    said = command(folder, "plan", *line)
    assert why in " ".join((said.text + said.err).split())


@pytest.fixture
def half_way(folder: Path, tmp_path: Path) -> Path:
    """A folder in which one of two runs of `priced` waits again."""
    for name in ("weighbridge.db", "priced.toml", "toy.py"):
        shutil.copy(folder / name, tmp_path)
    with closing(sqlite3.connect(tmp_path / "weighbridge.db")) as database, database:
        database.execute("UPDATE runs SET state = 'waiting', epochs_done = 0 WHERE id = 1")
    return tmp_path


def test_what_is_left_is_told_as_plan_tells_it(half_way: Path) -> None:
    planned = command(half_way, "plan", "priced", "--json").json["forecast"]
    said = command(half_way, "status", "priced", "--json").json
    (search,) = said["forecast"]["searches"]
    assert said["forecast"]["device_s_left"] == planned["device_s_left"]
    assert said["forecast"]["money_left"]["value"] == pytest.approx(said["money"] / 2)
    assert (search["runs_left"], search["epochs_left"], search["timed_by"]) == (1, 2, "own")
    assert said["forecast"]["wall_s_left"] is None  # nobody is at work
    assert "left: " in command(half_way, "status", "priced").text


def test_what_cannot_be_planned_any_more_is_said_to_be_so(half_way: Path) -> None:
    (half_way / "toy.py").unlink()
    said = command(half_way, "status", "priced")
    assert (said.code, "What is left cannot be told here: " in said.text) == (0, True)
    assert "why" in command(half_way, "status", "priced", "--json").json["forecast"]


PILOT = """
name = "{name}"
problem = "toy:Toy"
seeds = {seeds}
training = {{ epochs = 2, batch_size = 4, optimizer = "sgd" }}
baseline.metrics = {{ level.error = 1.0, kind.error = 0.5, flag.error = 0.5 }}
{more}
[[search]]
weighting = ["ew", "uw"]
stages = [{{ lr = [0.02, 0.05] }}]
"""


@pytest.fixture(scope="module")
def piloted(folder: Path) -> Path:
    """The folder with a finished `pilot` of two methods on two seeds, and specs like it."""
    more = {"sealed": "[compare]\nsealed = true", "metric": 'objective = "level.error"'}
    for name in ("pilot", "sealed", "metric"):
        text = PILOT.format(name=name, seeds=[0, 1], more="")
        if name in more:
            text = text.replace("[[search]]", f"{more[name]}\n[[search]]", 1)
        if name == "metric":
            text = f"{more[name]}\n" + PILOT.format(name=name, seeds=[0, 1], more="")
        (folder / f"{name}.toml").write_text(text)
        said = command(folder, "run", f"{name}.toml", "--workers", "1")
        assert said.code == 0, said.err
    (folder / "asked.toml").write_text(PILOT.format(name="asked", seeds=[4, 5], more=""))
    return folder


def test_seeds_that_resolve_a_difference_are_told_by_a_pilot(piloted: Path) -> None:
    said = command(piloted, "plan", "asked.toml", "--like", "pilot", "--resolve", "10", "--json")
    told = said.json["resolve"]
    assert (told["pilot"], told["pilot_seeds"], told["unit"]) == ("pilot", 2, "%")
    n_seeds = told["seeds"]["seeds"]
    assert len(told["seed_list"]) == max(n_seeds, 2)
    assert told["seed_list"][:2] == [4, 5]
    runs = sum(search["runs_left"] for search in told["forecast"]["searches"])
    assert runs == 4 * len(told["seed_list"])
    assert said.json["unfair"][0].startswith("2 seeds: ")
    text = command(piloted, "plan", "asked.toml", "--like", "pilot", "--resolve", "10").text
    assert "resolve: " in text
    assert f"seeds = {told['seed_list']}" in text
    own = command(piloted, "plan", "pilot", "--resolve", "10", "--json").json["resolve"]
    assert own["seeds"] == told["seeds"]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (["pilot", "--resolve", "0"], "a difference above 0"),
        (["pilot", "--resolve", "nan"], "a difference above 0"),
        (["asked.toml", "--resolve", "1"], "asked has not been started"),
        (["asked.toml", "--resolve", "1", "--like", "free"], "free has one seed"),
        (["asked.toml", "--resolve", "1", "--like", "sealed"], "sealed is sealed"),
        (["asked.toml", "--resolve", "1", "--like", "metric"], "metric by level.error"),
        (["metric", "--resolve", "1", "--like", "pilot"], "pilot by Δm"),
        (["free", "--resolve", "1"], "free has one seed"),
    ],
)
def test_what_no_pilot_tells_is_refused(piloted: Path, line: list[str], why: str) -> None:
    said = command(piloted, "plan", *line)
    assert (said.code, why in " ".join(said.err.split())) == (2, True), said.err


def test_a_sealed_study_that_is_named_tells_times_only(piloted: Path) -> None:
    said = command(piloted, "plan", "asked.toml", "--like", "sealed", "--json").json
    assert {search["timed_by"] for search in said["forecast"]["searches"]} == {"like"}
    assert not any("margin" in sentence for sentence in said["unfair"])


def test_what_fits_in_a_budget_is_proposed_by_rank(piloted: Path) -> None:
    text = PILOT.format(name="large", seeds=[4, 5, 6], more="")
    grid = "stages = [{ lr = [0.02, 0.05] }, { weight_decay = [0, 0.1, 0.2, 0.3, 0.4] }]"
    (piloted / "large.toml").write_text(text.replace("stages = [{ lr = [0.02, 0.05] }]", grid))
    line = "plan", "large.toml", "--like", "pilot", "--budget"
    whole, *_ = command(piloted, *line, "1d", "--json").json["budget"]["options"]
    assert (whole["what"], whole["toml"], whole["surely"]) == ("as it is", "", True)
    # 2 methods x (2 rates + 4 new decays + 0.8 neighbours of 0 to 2) x 3 seeds x 2 epochs
    in_epochs = command(piloted, *line, "96epochs", "--json").json["budget"]["options"]
    assert in_epochs[0]["cost"] == {"value": pytest.approx(81.6), "low": 72, "high": 96}
    cut = command(piloted, *line, "72epochs", "--json").json["budget"]
    assert [(one["what"], one["surely"]) for one in cut["options"][:2]] == [
        ("every second value", True),
        ("2 of 3 seeds", True),
    ]
    finer, coarser = (one["half_width"] for one in cut["options"][:2])
    assert finer < coarser
    said = command(piloted, *line, "72epochs").text
    assert "weight_decay = [0, 0.2, 0.4]" in said
    assert "seeds = [4, 5]" in said
    # what has begun keeps its seeds
    (piloted / "grown.toml").write_text(
        (piloted / "large.toml")
        .read_text()
        .replace("large", "pilot")
        .replace("[4, 5, 6]", "[0, 1]")
    )
    grown = "plan", "grown.toml", "--budget", "30epochs", "--json"
    options = command(piloted, *grown).json["budget"]["options"]
    assert options
    assert not any("seeds" in one["what"] for one in options)
    none = command(piloted, *line, "3epochs")
    assert "no version fits" in none.text
    assert not (piloted / "large.db").exists()


@pytest.mark.parametrize("text", ["0", "8", "-1h", "8x", "nan", "1kWh", "30runs", ""])
def test_what_is_no_budget_of_a_plan_is_refused(piloted: Path, text: str) -> None:
    said = command(piloted, "plan", "asked.toml", "--budget", text)
    why = "A budget must be a number above 0 and a unit: s, min, h, d (device time)"
    assert (said.code, why in " ".join(said.err.split())) == (2, True)


def test_money_without_a_price_and_time_without_timings_are_told(piloted: Path) -> None:
    said = command(piloted, "plan", "asked.toml", "--budget", "5money")
    assert (said.code, "needs the price of device time" in said.err) == (2, True)
    elsewhere = "--storage", "sqlite:///no.db"
    untimed = command(piloted, "plan", "asked.toml", "--budget", "8h", *elsewhere)
    assert "nothing of this shape was timed yet" in untimed.text
