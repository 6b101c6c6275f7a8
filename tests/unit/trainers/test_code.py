"""The source of a user's own code, with all that it imports of it, and nothing of others."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from trainers.worker.code import Code, code_of, told_code, unread

FILES = {
    "mine.py": "import json, torch\nfrom helper import f\nfrom pack.deep import g\n",
    "helper.py": "def f():\n    import late\n",
    "late.py": "import mine\n",  # a circle
    "pack/__init__.py": "",
    "pack/deep/__init__.py": "from .inner import g\n",
    "pack/deep/inner.py": "from .. import sibling\n",
    "pack/sibling.py": "from importlib import import_module\nimport_module('.by_name', 'pack')\n",
    "pack/by_name.py": "from starred import *\n",
    "starred/__init__.py": "__all__ = ['part']\n",
    "starred/part.py": "",
    "unrelated.py": "raise SystemExit\n",
}
FOUND = {
    *("mine", "helper", "late", "pack", "pack.deep", "pack.deep.inner", "pack.sibling"),
    *("pack.by_name", "starred", "starred.part"),
}


@pytest.fixture(autouse=True)
def none_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other tests in this process may have loaded users' modules of the same names."""
    of_users = {Path(name).parts[0].removesuffix(".py") for name in FILES} | {"toy"}
    for name in [name for name in sys.modules if name.partition(".")[0] in of_users]:
        monkeypatch.delitem(sys.modules, name)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path


def read(folder: Path, *modules: str) -> Code:
    return code_of(modules or ("mine",), str(folder))


def test_imports_are_followed_through_the_users_own_folder(folder: Path) -> None:
    assert set(read(folder).modules) == FOUND


def test_nothing_is_imported(folder: Path) -> None:
    (folder / "helper.py").write_text("import unrelated\nraise SystemExit\n")
    read(folder)
    assert not {"mine", "helper", "unrelated"} & set(sys.modules)


@pytest.mark.parametrize("name", ["mine", "late", "pack.deep.inner", "pack.by_name"])
def test_a_change_anywhere_is_seen_and_named(folder: Path, name: str) -> None:
    before = read(folder)
    file = folder / f"{name.replace('.', '/')}.py"
    file.write_text(file.read_text() + "x = 1\n")
    after = read(folder)
    assert after.fingerprint != before.fingerprint
    assert after.changed(before) == [name]


def test_a_change_of_what_is_not_imported_is_none(folder: Path) -> None:
    before = read(folder)
    (folder / "unrelated.py").write_text("x = 1\n")
    assert read(folder).fingerprint == before.fingerprint


def test_a_file_that_is_new_or_gone_is_a_change(folder: Path) -> None:
    before = read(folder)
    (folder / "late.py").unlink()
    assert read(folder).changed(before) == ["late"]
    assert before.changed(read(folder)) == ["late"]


def test_folders_and_line_ends_of_another_machine_are_no_change(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("other")
    for name, text in FILES.items():
        file = other / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.replace("\n", "\r\n").encode())
    assert read(other).fingerprint == read(folder).fingerprint


@pytest.mark.parametrize("text", ["def (:\n", "x = '" + "\0", "(" * 5000])
def test_source_that_python_cannot_read_is_hashed_all_the_same(folder: Path, text: str) -> None:
    before = read(folder)
    (folder / "helper.py").write_text(text)
    assert "helper" in read(folder).changed(before)


def test_a_namespace_package_is_gone_through(folder: Path) -> None:
    (folder / "open" / "wide").mkdir(parents=True)
    (folder / "open" / "wide" / "door.py").write_text("import helper\n")
    assert set(read(folder, "open.wide.door").modules) == {
        *("open.wide.door", "helper", "late"),
        *(FOUND - {"helper", "late"}),
    }


def test_an_installed_package_counts_only_if_the_study_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = tmp_path / "site-packages"
    for name in ("plug", "other"):
        (installed / name).mkdir(parents=True)
    (installed / "plug" / "__init__.py").write_text("from . import part\nimport other\n")
    (installed / "plug" / "part.py").write_text("")
    (installed / "other" / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(installed)
    assert set(code_of(["plug"], None).modules) == {"plug", "plug.part"}


@pytest.mark.parametrize("name", ["trainers.problems.digits", "json", "sys", "no_such_module"])
def test_what_is_not_the_users_own_has_no_code(name: str) -> None:
    assert code_of([name], None) == Code()
    assert Code().fingerprint == ""


def test_a_worker_tells_it_in_its_environment(folder: Path) -> None:
    code = read(folder)
    told = {"python": "3.11", **code.told()}
    assert told_code(told) == code
    assert told["user code"] == code.fingerprint


@pytest.mark.parametrize(
    "name",
    ["f'pack.{kind}'", "'pack.' + kind", "'pack.%s' % kind", "'pack.{}'.format(kind)"],
)
def test_of_a_name_that_is_put_together_all_that_it_may_mean_is_read(
    folder: Path, name: str
) -> None:
    (folder / "mine.py").write_text(f"import importlib\nimportlib.import_module({name})\n")
    assert {"pack.deep", "pack.sibling", "pack.by_name"} < set(read(folder).modules)


def test_so_is_one_within_the_own_package(folder: Path) -> None:
    (folder / "mine.py").write_text("import pack\n")
    text = (
        "import importlib\ndef f(kind):\n    return importlib.import_module(f'.{kind}', 'pack')\n"
    )
    (folder / "pack/__init__.py").write_text(text)
    assert {"pack.deep", "pack.sibling", "pack.by_name"} < set(read(folder).modules)


@pytest.mark.parametrize("name", ["kind", "f'{kind}'", "3", "'x' + kind", "some().name"])
def test_a_name_of_which_nothing_is_known_leads_nowhere(folder: Path, name: str) -> None:
    (folder / "mine.py").write_text(f"import importlib\nimportlib.import_module({name})\n")
    assert set(read(folder).modules) == {"mine"}


def test_what_is_loaded_and_was_not_read_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = set(unread(Code()))
    monkeypatch.syspath_prepend(str(folder / "starred"))
    monkeypatch.delitem(sys.modules, "part", raising=False)
    importlib.import_module("part")
    assert set(unread(read(folder))) - before == {"part"}
    assert "part" not in unread(Code({"part": "read"}))
    assert not any(name.startswith(("trainers", "torch", "json")) for name in unread(Code()))
    monkeypatch.delitem(sys.modules, "part")
