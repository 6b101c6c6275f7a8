"""`plan` says what would fail: a last batch of one sample, and whatever a probe meets."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.command import command
from tests.integration.planning import spec_text, with_modules
from tests.unit.trainers import failing

FAILING = Path(failing.__file__).read_text().replace("from tests.toy", "from toy")


def spec(more: str = "", *, name: str = "normed", problem: str = "normed:Normed") -> str:
    """In batches of eleven, so that twelve training samples leave one."""
    return spec_text(more, name=name, problem=problem, batch_size=11)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve training samples in batches of eleven, for a network with batch normalisation."""
    folder = with_modules(tmp_path_factory.mktemp("probe"))
    (folder / "failing.py").write_text(FAILING)
    (folder / "lone.toml").write_text(spec())
    (folder / "whole.toml").write_text(spec("drop_last = true"))
    return folder


def test_a_last_batch_of_one_is_told_by_the_card(folder: Path) -> None:
    said = command(folder, "plan", "lone.toml")
    assert (said.code, "12 training samples in batches of 11 leave one" in said.text) == (0, True)
    assert "leave one" not in command(folder, "plan", "whole.toml").text


def test_a_probe_tries_it_and_so_does_a_run(folder: Path) -> None:
    probed, ran = (
        command(folder, "plan", "lone.toml", "--probe"),
        command(folder, "run", "lone.toml", "--workers", "1"),
    )
    assert (probed.code, ran.code) == (1, 2)
    for text in (probed.text, ran.err):
        assert "The last one holds one sample, on which this network fails: ValueError" in text
        assert "(trunk)" in text
        assert "drop_last = true" in text


def test_without_the_last_batch_it_is_trained(folder: Path) -> None:
    assert (
        "went through every loss and metric"
        in command(folder, "plan", "whole.toml", "--probe").text
    )
    elsewhere = "--storage", "sqlite:///whole.db"  # `normed` is another study by now
    assert command(folder, "run", "whole.toml", "--workers", "1", *elsewhere).code == 0


def test_a_probe_names_the_part_the_split_and_the_line(folder: Path) -> None:
    text = spec('[problem_options]\nfails = "metric"', problem="failing:Failing")
    (folder / "failing.toml").write_text(text)
    said = command(folder, "plan", "failing.toml", "--probe", "--json")
    assert said.code == 1
    for split, found in zip(("validation", "test"), said.json["findings"], strict=True):
        assert f"In evaluation, on the {split} split: LookupError: nothing here" in found
        assert "(metric error of task kind; failing.py, line " in found


def test_the_reason_for_the_engine_of_what_fails_is_its_error_in_probe_and_run(
    folder: Path,
) -> None:
    fails = '[problem_options]\nfails = "trunk"'
    (folder / "trunk.toml").write_text(spec(fails, name="bad", problem="failing:Failing"))
    probed = command(folder, "plan", "trunk.toml", "--probe", "--json").json
    ran = command(folder, "run", "trunk.toml", "--workers", "1")
    stored = command(folder, "plan", "trunk.toml", "--json").json
    assert ran.code == 1
    assert (probed["packs"]["known_by"], stored["packs"]["known_by"]) == ("look", "stored")
    reason = probed["packs"]["reason"]
    assert reason == stored["packs"]["reason"]
    assert reason.startswith("the network fails: LookupError: nothing here (trunk; failing.py, ")


HIDING = """
import sys
from pathlib import Path
from toy import Toy
class Hiding(Toy):
    def trunk(self):
        sys.path.append(str(Path(__file__).parent / "aside"))
        from net_aside import trunk
        return trunk()
"""


def test_a_module_that_no_import_leads_to_is_told_or_refused(folder: Path) -> None:
    (folder / "hiding.py").write_text(HIDING)
    (folder / "aside").mkdir()
    net = "from torch import nn\ndef trunk():\n    return nn.Linear(3, 4)\n"
    (folder / "aside" / "net_aside.py").write_text(net)
    for name, more in (("hiding", ""), ("strict", "strict_code = true")):
        text = spec(more, name=name, problem="hiding:Hiding")
        (folder / f"{name}.toml").write_text(text)
    told = "No import that can be read names what the workers have loaded: net_aside."
    for name, code in (("hiding", 0), ("strict", 2)):
        said = command(folder, "run", f"{name}.toml", "--workers", "1")
        assert (said.code, told in said.text + said.err) == (code, True)
