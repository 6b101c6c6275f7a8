"""What is loaded when, and where our packages come from."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

HEAVY = {"torch", "ray", "optuna", "plotly", "pandas", "sqlalchemy", "alembic"}
PACKAGES = ("study", "trainers", "search_spaces", "storage", "reports")
ROOT = Path(__file__).resolve().parents[2]


def loaded_by(code: str) -> set[str]:
    script = f"import sys\n{code}\nprint(*({HEAVY!r} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(run.stdout.splitlines()[-1].split())


def test_planning_loads_nothing_heavy() -> None:
    steps = [
        "import search_spaces",
        "import trainers.cards",
        "import trainers.weightings; trainers.weightings.names()",
        "import trainers.problems; trainers.problems.summaries()",
        "import study",
        "from study import Study; Study.open('quickstart', storage='sqlite:///none.db')",
        "from study.cli._main import application; application()",
        "from study.cli.shapes.schema import schema_of; schema_of('compare')",
    ]
    told = [f"{step}\nassert not {HEAVY!r} & set(sys.modules), {step!r}" for step in steps]
    assert loaded_by("\n".join(told)) == set()


def test_what_a_users_module_imports_may_be_imported_first() -> None:
    parts = ("cards", "functions", "jobs", "nets", "problems.regions", "protocol", "trainer_card")
    code = """
import importlib, os, sys
for name in sys.argv[1:]:
    child = os.fork()
    if not child:
        importlib.import_module("trainers." + name)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        print(name)
"""
    run = subprocess.run(
        [sys.executable, "-c", code, *parts], capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == [], run.stderr


def test_a_verb_loads_no_other() -> None:
    script = (
        "import sys\nfrom study.cli._main import application\napplication(['status'])\n"
        "print(*(name for name in sys.modules if name.startswith('study.')))"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(run.stdout.split())
    assert "study.cli._status" in loaded
    late = {"study.cli._run", "study.cli._compare", "study.api", "study.spec.study_spec"}
    assert not loaded & late


def test_storage_loads_no_migration_tool() -> None:
    assert loaded_by("from storage import Storage; Storage(None)") == {"sqlalchemy"}


def test_reports_load_no_training() -> None:
    assert not loaded_by("import reports, reports.figures") & {"torch", "ray", "optuna"}


def test_a_folder_of_the_same_name_hides_none_of_our_packages(tmp_path: Path) -> None:
    for name in PACKAGES:
        (tmp_path / name).mkdir()
    script = f"import {', '.join(PACKAGES)}; print({'.__file__, '.join(PACKAGES)}.__file__)"
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert all(str(tmp_path) not in line for line in run.stdout.split())


@pytest.mark.parametrize(
    "window",
    [
        "study",
        "study.drivers",
        "search_spaces",
        "storage",
        "reports",
        "reports.across",
        "reports.figures",
        "trainers.engines",
        "trainers.functions",
        "trainers.nets",
        "trainers.problems",
        "trainers.problems.dense",
        "trainers.problems.labels",
        "trainers.testing",
        "trainers.weightings",
    ],
)
def test_every_name_in_a_window_is_there(window: str) -> None:
    module = import_module(window)
    assert all(hasattr(module, name) for name in module.__all__)
    assert len(module.__all__) <= 15


def test_verbs_that_look_do_not_collect_garbage_as_they_end() -> None:
    script = (
        "import atexit, gc, sys\n"
        "atexit.register(lambda: print(gc.isenabled(), gc.get_freeze_count() > 0))\n"
        "sys.argv = ['weighbridge', 'status', '--help']\n"
        "from study.cli import main\nmain()"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "False True"
