"""What the script that is sent to nodes finds, without a cluster."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from study.drivers import node_report
from study.drivers.node_report import NodeQuery, NodeReport
from trainers.hardware.environment import code_version


def reported(query: NodeQuery, **settings: str) -> NodeReport:
    """Run the script's text as it is run on a node, without weighbridge on the import path."""
    command = [sys.executable, "-P", "-c", Path(node_report.__file__).read_text()]
    done = subprocess.run(
        [*command, json.dumps(asdict(query))],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=True,
    )
    return NodeReport(**json.loads(done.stdout))


def test_it_names_versions_and_code() -> None:
    seen = reported(NodeQuery())
    assert seen.packages["python"] == ".".join(map(str, sys.version_info[:3]))
    assert seen.code == code_version()
    assert (seen.torch_gpus, seen.reads, seen.writes) == (None, None, None)
    assert seen.missing_modules is None


def test_it_answers_where_there_is_no_weighbridge() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            node_report.__file__,
            json.dumps(asdict(NodeQuery(count_gpus=True))),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    seen = NodeReport(**json.loads(done.stdout))
    assert (seen.code, seen.packages["weighbridge"]) == (None, None)
    assert seen.torch_trouble.startswith("ModuleNotFoundError")


def test_it_reads_and_writes_beside_the_marker(tmp_path: Path) -> None:
    marker = tmp_path / ".marker"
    marker.write_text("told")
    seen = reported(NodeQuery(marker=str(marker), content="told"))
    assert (seen.reads, seen.writes) == (True, True)
    assert [path.name for path in tmp_path.iterdir()] == [".marker"]


@pytest.mark.parametrize("content", ["another disk's", None])
def test_another_disk_is_not_taken_for_the_drivers(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / ".marker").write_text(content)
    assert reported(NodeQuery(marker=str(tmp_path / ".marker"), content="told")).reads is False


@pytest.mark.parametrize(
    ("folder", "missing"), [("", ["gone"]), ("elsewhere", ["my_own.parts", "gone"])]
)
def test_modules_are_found_in_the_folder_of_the_spec_only_if_they_are_there(
    tmp_path: Path, folder: str, missing: list[str]
) -> None:
    (tmp_path / "my_own.py").write_text("raise SystemExit('it is not to be imported')")
    query = NodeQuery(modules=("json", "my_own.parts", "gone"), folder=str(tmp_path / folder))
    assert reported(query).missing_modules == missing
