"""The README's cluster works when followed to the letter, and the how-to page's files are sound."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import typer
import yaml
from ray.scripts import scripts

from study.cli._main import application
from tests.docs.pages import blocks, read
from tests.docs.shell import run_bash

pytestmark = pytest.mark.slow

HOW_TO = "docs/how-to/cluster.md"


@pytest.fixture
def rays_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where Ray keeps its files; whatever has been started there is ended.

    The path is short, since it becomes part of the names of sockets.
    """
    folder = Path(tempfile.mkdtemp(prefix="wb-", dir="/tmp"))
    monkeypatch.setenv("RAY_TMPDIR", str(folder))
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(folder / "auth_token"))
    (folder / "auth_token").write_text("a" * 64)
    yield folder
    for pid in _with_environment(f"RAY_TMPDIR={folder}"):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)


def cluster_of_the_readme() -> str:
    (block,) = (block for block in blocks("README.md") if "ray start --head" in block.text)
    typed, stop = re.subn(r"^ray stop .*\n", "", block.text, flags=re.MULTILINE)
    assert stop == 1, "it would end the Rays of others on this machine"
    return typed


@pytest.mark.nightly
def test_three_nodes_on_one_machine_train_a_study(tmp_path: Path, rays_folder: Path) -> None:
    said = run_bash(cluster_of_the_readme(), tmp_path)
    assert "Workers that fit: 3." in said
    assert " 0 failed, 0 left." in said
    assert (tmp_path / "cluster.db").exists()


def test_the_readmes_cluster_can_be_typed_and_has_one_address() -> None:
    """What the lines do is seen on clusters of `test_ray` and `test_ray_doctor`."""
    lines = [line for line in cluster_of_the_readme().splitlines() if "RAY_AUTH_MODE" not in line]
    groups = {"ray": scripts.cli, "weighbridge": typer.main.get_command(application())}
    verbs, places = [], set()
    for line in lines:
        program, *words = shlex.split(line.partition(">")[0])
        found = groups[program]
        while commands := getattr(found, "commands", None):
            found = commands[words.pop(0)]
        asked = found.make_context(found.name, words).params
        verbs.append(found.name)
        places |= {f"127.0.0.1:{asked['port']}"} if asked.get("head") else {asked.get("address")}
    assert verbs == ["get-auth-token", "start", "start", "start", "doctor", "run"]
    assert places - {None} == {"127.0.0.1:6399"}


def test_commands_of_the_guide_have_options_that_exist() -> None:
    verbs = typer.main.get_command(application()).commands
    known = {"run": verbs["run"], "ray doctor": verbs["ray"].commands["doctor"]}
    typed = re.findall(r"weighbridge (run|ray doctor) (.*--.*)", read(HOW_TO))
    assert {verb for verb, _ in typed} == set(known)
    for verb, rest in typed:
        options = {option for param in known[verb].params for option in param.opts}
        assert set(re.findall(r"--[a-z-]+", rest)) <= options


def test_shell_and_manifest_of_the_guide_can_be_read() -> None:
    found = {block.language: block.text for block in blocks(HOW_TO)}
    job = yaml.safe_load(found["yaml"])["spec"]
    for group in (
        job["rayClusterSpec"]["headGroupSpec"],
        *job["rayClusterSpec"]["workerGroupSpecs"],
    ):
        pod = group["template"]["spec"]
        mounted = {place["name"] for place in pod["containers"][0]["volumeMounts"]}
        assert mounted == {volume["name"] for volume in pod["volumes"]}
    for text in (block.text for block in blocks(HOW_TO) if block.language == "sh"):
        command = ["bash", "-n", "-c", text]
        assert subprocess.run(command, capture_output=True, text=True, check=True).stderr == ""


RAY = """
case "$*" in
    get-auth-token*) echo secret ;;
    *--head*) eval "$DIES_AT_ONCE"; sleep 60 ;;
    start*) sleep 60 ;;
    status*) eval "$IS_UP" ;;
esac
"""
SHIMS = {
    "ray": RAY,
    "hostname": '[ "$1" = -I ] && echo 10.0.0.7 fe80::1',
    "srun": """
echo "$RAY_AUTH_TOKEN $*" >> calls
while [[ $1 == --* ]]; do shift; done
exec "$@"
""",
    "sleep": '[ "$1" = 60 ] && exec /bin/sleep 60; /bin/sleep 0.05',
    "weighbridge": 'echo "weighbridge $*" >> calls',
}


@pytest.fixture
def submitted(tmp_path: Path) -> Callable[..., tuple[int, list[str]]]:
    """Runs the guide's SLURM script, on so many nodes; gives its exit code and what it called."""
    (script,) = (block.text for block in blocks(HOW_TO) if "#SBATCH" in block.text)
    for name, text in SHIMS.items():
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/bash\n{text}\n")
        program.chmod(0o755)
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/activate").touch()

    def submit(nodes: int, **shims: str) -> tuple[int, list[str]]:
        environment = {
            "DIES_AT_ONCE": "true",
            "IS_UP": "true",
            "SLURM_JOB_ID": "7",
            "SLURM_CPUS_PER_TASK": "16",
            "SLURMD_NODENAME": "n1",
            "SLURM_JOB_NUM_NODES": str(nodes),
            "PATH": f"{tmp_path}/bin:{os.environ['PATH']}",
            **shims,
        }
        command = ["bash", "-c", script]
        with subprocess.Popen(
            command, cwd=tmp_path, env=environment, start_new_session=True
        ) as submitted:
            code = submitted.wait(240)
            with suppress(ProcessLookupError):
                os.killpg(submitted.pid, signal.SIGKILL)  # as SLURM ends what a job leaves behind
        return code, (tmp_path / "calls").read_text().splitlines()

    return submit


def test_the_slurm_script_starts_a_cluster_of_all_nodes(
    submitted: Callable[..., tuple[int, list[str]]],
) -> None:
    code, calls = submitted(4, IS_UP='[ "$(wc -l < calls)" = 2 ]')
    assert code == 0
    head = next(call for call in calls if "--head" in call)
    others = next(call for call in calls if "--exclude=n1" in call)
    assert "--node-ip-address=10.0.0.7 --port=20007" in head
    assert "--nodes=3 --ntasks=3" in others
    assert "ray start --address=10.0.0.7:20007" in others
    assert {call.split()[0] for call in (head, others)} == {"secret"}, "nodes have no token"
    assert "weighbridge run my_study.toml --driver ray --address 10.0.0.7:20007" in calls[-1]


def test_the_slurm_script_of_one_node_asks_for_no_others(
    submitted: Callable[..., tuple[int, list[str]]],
) -> None:
    code, calls = submitted(1)
    assert code == 0
    assert not [call for call in calls if "--exclude" in call]


def test_the_slurm_script_ends_if_its_head_has_died(
    submitted: Callable[..., tuple[int, list[str]]],
) -> None:
    code, calls = submitted(1, DIES_AT_ONCE="exit 1", IS_UP="false")
    assert code == 1
    assert not [call for call in calls if call.startswith("weighbridge")]


def _with_environment(line: str) -> list[int]:
    """Processes that were started with a line in their environment, but for this one."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended, or is somebody else's
            if line.encode() in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return [pid for pid in found if pid != os.getpid()]
