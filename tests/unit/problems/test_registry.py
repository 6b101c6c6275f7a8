import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from trainers.jobs import ProblemRef
from trainers.problems import ProblemError, build, names, problem_class, summaries
from trainers.problems.digits import Digits
from trainers.problems.errors import (
    BadOption,
    ClassMissing,
    ConstructorFailed,
    ModuleBroken,
    ModuleMissing,
    NotAProblem,
    UnknownOption,
    UnknownProblem,
)

MINE = """
from trainers.problems.digits import Digits

class Mine(Digits):
    pass

class Card:
    card = "no card"
    def sources(self, device): ...
    def trunk(self): ...
    def head(self, task): ...
    def functions(self, task): ...

class Forgetful(Card):
    @property
    def card(self):
        return self.not_there

class Cardless:
    sources = trunk = head = functions = Card.trunk

class Half:
    card = None
    def trunk(self): ...

class Raising(Mine):
    def __post_init__(self):
        raise RuntimeError("the disk is full")

class Needing(Card):
    def __init__(self, root): ...

class Anything(Mine):
    def __init__(self, **options):
        super().__init__()

number = 3
"""


@pytest.fixture
def folder(tmp_path: Path) -> str:
    (tmp_path / "weighbridge_mine.py").write_text(MINE)
    (tmp_path / "weighbridge_torn.py").write_text("import weighbridge_not_there\n")
    (tmp_path / "weighbridge_bad.py").write_text("def broken(:\n")
    return str(tmp_path)


@pytest.fixture(autouse=True)
def _clean_import_path() -> Iterator[None]:
    yield
    with suppress(ModuleMissing):  # a search without a folder forgets the last one
        problem_class("weighbridge_none:Mine")


def test_built_in_names() -> None:
    assert {"diamonds", "digits", "multimnist"} <= set(names())


def test_a_name_gives_its_class() -> None:
    assert problem_class("digits") is Digits


def test_options_reach_the_constructor() -> None:
    assert build(ProblemRef(target="digits", options={"width": 8})) == Digits(width=8)


def test_summaries_are_the_card_titles() -> None:
    assert summaries()["digits"] == Digits().card.title


def test_a_users_class_is_found_in_the_folder(folder: str) -> None:
    problem = build(ProblemRef(target="weighbridge_mine:Mine", folder=folder))
    assert type(problem).__name__ == "Mine"


def test_the_folder_is_appended(folder: str) -> None:
    build(ProblemRef(target="weighbridge_mine:Mine", folder=folder))
    assert sys.path[-1] == folder


def test_the_normal_path_wins_over_the_folder(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = tmp_path / "first"
    first.mkdir()
    (first / "weighbridge_mine.py").write_text(MINE + "\nclass OnlyHere(Mine): pass\n")
    monkeypatch.syspath_prepend(first)
    assert problem_class("weighbridge_mine:OnlyHere", folder).__name__ == "OnlyHere"
    del sys.modules["weighbridge_mine"]


def test_building_a_built_in_keeps_the_users_modules(folder: str) -> None:
    mine = problem_class("weighbridge_mine:Mine", folder)
    build(ProblemRef(target="digits"))
    assert problem_class("weighbridge_mine:Mine", folder) is mine


def test_two_folders_may_have_a_module_of_the_same_name(folder: str, tmp_path: Path) -> None:
    other = tmp_path / "other"
    (other / "weighbridge_mine").mkdir(parents=True)
    (other / "weighbridge_mine" / "__init__.py").write_text(MINE.replace("Mine", "Other"))
    assert problem_class("weighbridge_mine:Mine", folder).__name__ == "Mine"
    assert problem_class("weighbridge_mine:Other", str(other)).__name__ == "Other"
    assert problem_class("weighbridge_mine:Mine", folder).__name__ == "Mine"


@pytest.mark.parametrize(
    ("target", "options", "error", "parts"),
    [
        (
            "digts",
            {},
            UnknownProblem,
            ["`digts`", "Did you mean `digits`?", "diamonds-five, digits"],
        ),
        ("weighbridge_mine.Mine", {}, UnknownProblem, ["`package.module:Class`"]),
        ("weighbridge_mine:", {}, UnknownProblem, ["`package.module:Class`"]),
        ("..up:Mine", {}, UnknownProblem, ["`package.module:Class`"]),
        ("weighbridge_none:Mine", {}, ModuleMissing, ["normal import path and {folder}"]),
        ("weighbridge_none.sub:Mine", {}, ModuleMissing, ["weighbridge_none/sub.py"]),
        ("weighbridge_torn:Mine", {}, ModuleBroken, ["weighbridge_not_there"]),
        ("weighbridge_bad:Mine", {}, ModuleBroken, ["SyntaxError"]),
        ("weighbridge_mine:Mien", {}, ClassMissing, ["Did you mean `Mine`?", "{folder}"]),
        ("weighbridge_mine:number", {}, NotAProblem, ["must be a class", "int"]),
        ("weighbridge_mine:Half", {}, NotAProblem, ["lacks sources, head, functions"]),
        ("weighbridge_mine:Card", {}, NotAProblem, ["ProblemCard", "has str"]),
        ("weighbridge_mine:Cardless", {}, NotAProblem, ["has NoneType", "as an attribute"]),
        ("weighbridge_mine:Forgetful", {}, ConstructorFailed, ["no attribute 'not_there'"]),
        ("weighbridge_mine:Raising", {}, ConstructorFailed, ["RuntimeError: the disk is full"]),
        ("weighbridge_mine:Needing", {}, ConstructorFailed, ["'root'"]),
        ("digits", {"widht": 3}, UnknownOption, ["Did you mean `width`?", "Allowed: network"]),
        ("weighbridge_mine:Card", {"a": 1}, UnknownOption, ["Allowed: none."]),
        ("digits", {"width": 0}, BadOption, ["`width`"]),
    ],
)
def test_each_error_says_what_to_do(
    folder: str, target: str, options: dict[str, object], error: type[Exception], parts: list[str]
) -> None:
    with pytest.raises(error) as caught:
        build(ProblemRef(target=target, options=options, folder=folder))
    assert isinstance(caught.value, ProblemError)
    for part in parts:
        assert part.format(folder=folder) in str(caught.value)


def test_without_a_folder_the_message_says_so() -> None:
    with pytest.raises(ModuleMissing, match="no folder was given"):
        problem_class("weighbridge_none:Mine")


def test_a_constructor_with_open_options_takes_any(folder: str) -> None:
    build(ProblemRef(target="weighbridge_mine:Anything", options={"any": 1}, folder=folder))


@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An installed package with a good and a broken problem, on disk as pip would leave it."""
    site = tmp_path / "site"
    info = site / "weighbridge_plug-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: weighbridge-plug\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[weighbridge.problems]\n"
        "plugged = weighbridge_plug:Mine\n"
        "torn = weighbridge_plug_torn:Mine\n"
        "digits = weighbridge_plug:Mine\n"
    )
    (site / "weighbridge_plug.py").write_text(MINE)
    (site / "weighbridge_plug_torn.py").write_text("raise OSError('no licence file')\n")
    monkeypatch.syspath_prepend(site)
    yield
    sys.modules.pop("weighbridge_plug", None)


@pytest.mark.usefixtures("plugins")
def test_a_plugin_is_found_by_name() -> None:
    assert "plugged" in names()
    assert type(build(ProblemRef(target="plugged"))).__name__ == "Mine"


@pytest.mark.usefixtures("plugins")
def test_a_built_in_name_wins_over_a_plugin() -> None:
    assert problem_class("digits") is Digits


@pytest.mark.usefixtures("plugins")
def test_a_broken_plugin_is_named_and_left_out_of_the_list() -> None:
    with pytest.warns(UserWarning, match="Problem plugin `torn` is left out"):
        lines = summaries()
    assert "torn" not in lines
    assert "plugged" in lines


@pytest.mark.usefixtures("plugins")
def test_a_broken_plugin_asked_for_is_an_error() -> None:
    with pytest.raises(ModuleBroken, match="package weighbridge-plug must load"):
        build(ProblemRef(target="torn"))


def test_reading_cards_is_light() -> None:
    code = (
        "import sys; from trainers.problems import summaries; summaries();"
        "print(*({'torch', 'numpy', 'sklearn', 'mlxtend'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []
