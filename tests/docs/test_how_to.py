"""The how-to pages work when followed to the letter."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks.report_database import MTL, make
from study.planning.plan import make_plan
from study.spec.study_spec import parse_toml
from tests.contract.storage_bench import Bench, epoch
from tests.docs.pages import ROOT, blocks, read
from tests.docs.shell import run_bash, run_python, start_python, type_lines
from tests.integration.command import command
from trainers.jobs import ProblemRef
from trainers.problems import card_of
from trainers.problems._registry import BUILT_IN
from trainers.randomness import Key
from trainers.reading import as_read

pytestmark = pytest.mark.slow

PACKAGES = ("study", "storage", "reports", "search_spaces", "trainers")
CONTRACTS = "import pytest; raise SystemExit(pytest.main(['-v', '-p', 'no:cacheprovider']))"


def test_the_guide_names_the_problems_whose_images_are_corrupted() -> None:
    named = re.search(
        r"`images` on its card: (.*?), or one", read("docs/how-to/follow-up.md"), re.S
    )
    assert named is not None
    cards = {name: card_of(ProblemRef(target=name)) for name in BUILT_IN}
    with_images = {name for name, card in cards.items() if card.images != "none"}
    assert {*re.findall(r"`([^`]+)`", named[1])} == with_images


def test_own_problem_runs(tmp_path: Path) -> None:
    page = "docs/how-to/own-problem.md"
    for block in blocks(page):
        if block.file:
            (tmp_path / block.file).write_text(block.text)
    type_lines("weighbridge run my_study.toml", tmp_path)
    said = command(tmp_path, "compare", "rings", "--json")
    rows = {row["search"]: row for row in said.json["rows"]}
    assert rows["ew"]["delta_m_test"] is not None


def test_networks_are_had_as_the_guide_says(tmp_path: Path) -> None:
    few = "problem_options = { train_pairs = 32, validation_pairs = 32, test_pairs = 32 }"
    for block in blocks("docs/how-to/get-the-network.md"):
        if block.file:
            small = block.text.replace("[training]\nepochs = 6", f"{few}\n[training]\nepochs = 2")
            assert small != block.text
            (tmp_path / block.file).write_text(small)
        elif block.language == "bash":
            type_lines(block.text, tmp_path)
        elif block.language == "toml":  # to be added to the study
            study = (tmp_path / "my_study.toml").read_text().replace('["ew", "uw"]', '"ew"')
            (tmp_path / "begun.toml").write_text(study.replace("mine", "begun") + block.text)
            type_lines("weighbridge run begun.toml", tmp_path)
        else:
            said = run_python(block.text, tmp_path)
            if "build()" in block.text:
                assert said.startswith(("ew {", "uw {"))


def test_a_front_is_found_as_the_guide_says(tmp_path: Path) -> None:
    few = "problem_options = { train_pairs = 32, validation_pairs = 32, test_pairs = 32 }"
    for block in blocks("docs/how-to/several-objectives.md"):
        if block.file:
            small = block.text.replace("seeds = [0]", f"{few}\nseeds = [0]")
            (tmp_path / block.file).write_text(small)
        else:
            type_lines(block.text, tmp_path)
    assert (tmp_path / "front.csv").read_text().startswith("search,trial,params,shared,")


def test_a_population_is_trained_as_the_guide_says(tmp_path: Path) -> None:
    few = "problem_options = { train_pairs = 32, validation_pairs = 32, test_pairs = 32 }"
    study, typed = blocks("docs/how-to/train-a-population.md")
    (tmp_path / study.file).write_text(study.text.replace("seeds = [0]", f"{few}\nseeds = [0]"))
    type_lines(typed.text, tmp_path)
    rows = command(tmp_path, "trials", "population", "--json").json["searches"]
    points = [trial["params"] for search in rows[-2:] for trial in search["trials"]]
    assert len([point for point in points if "from" in point]) == 8  # two at each of two rungs
    assert " at epoch 2, lr " in command(tmp_path, "trials", "population").text


REPLAYED = """
name = "digits"
problem = "digits"
problem_options = { train_pairs = 32, validation_pairs = 32, test_pairs = 32 }
seeds = [0, 1]
[training]
epochs = 3
lr = 0.01
batch_size = 32
[[search]]
weighting = "scalarization"
stages = [{ task_weights = { simplex_step = 0.2 } }]
[[search]]
weighting = "uw-so"
stages = [{ temperature = { line = [1, 2, 4, 8] } }]
"""


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small study of that name, which is found before the preset."""
    folder = tmp_path_factory.mktemp("digits")
    (folder / "digits.toml").write_text(REPLAYED)
    type_lines("weighbridge run digits.toml", folder)
    return folder


def test_plans_and_replays_of_the_guides_are_told(digits: Path, tmp_path: Path) -> None:
    shutil.copytree(digits, tmp_path, dirs_exist_ok=True)
    for block in blocks("docs/how-to/plan-a-study.md"):
        said = type_lines(block.text, tmp_path)
        assert "next:" in said or '"resolve": {' in said
    for block in blocks("docs/how-to/replay-a-study.md"):
        if block.language == "bash":
            said = type_lines(block.text, tmp_path)
            assert "next:" in said or block.text.startswith("weighbridge run")
        else:
            said = run_python(block.text, tmp_path)
            assert [line.split()[0] for line in said.splitlines()[1:]] == ["random", "halving"]


def test_tables_of_the_guide_are_written(digits: Path, tmp_path: Path) -> None:
    shutil.copytree(digits, tmp_path, dirs_exist_ok=True)
    for block in blocks("docs/how-to/into-a-paper.md"):
        if block.language == "bash":
            type_lines(block.text, tmp_path)
        elif "evaluma" not in block.text and "rliable" not in block.text:
            said = run_python(block.text, tmp_path)
            assert "print" not in block.text or said.startswith(("UW-SO", "Scalarization", "STL"))
    assert (tmp_path / "digits.tex").read_text().count("\\begin{tabular}") == 1
    for file in ("cells.csv", "scores.csv", "gains.npz", "cost.svg"):
        assert (tmp_path / file).stat().st_size > 0


def test_studies_of_the_guide_are_compared(digits: Path, tmp_path: Path) -> None:
    shutil.copytree(digits, tmp_path, dirs_exist_ok=True)
    type_lines("weighbridge run digits.toml --storage sqlite:///colleague.db", tmp_path)
    larger = REPLAYED.replace('name = "digits"', 'name = "multimnist"')
    (tmp_path / "larger.toml").write_text(larger)
    type_lines("weighbridge run larger.toml", tmp_path)
    for block in blocks("docs/how-to/compare-studies.md"):
        if block.language == "bash":
            lines = [line for line in block.text.splitlines() if "postgresql" not in line]
            type_lines("\n".join(lines), tmp_path)
        elif block.language == "python":
            assert run_python(block.text, tmp_path).startswith("2 methods over 2 studies of 1 ")


def test_streamed_source_of_the_guide_is_read_ahead(tmp_path: Path) -> None:
    (block,) = (b for b in blocks("docs/how-to/own-problem.md") if "class Photos" in b.text)
    made: dict[str, Any] = {}
    exec(block.text, made)
    files = [tmp_path / f"{row}.pt" for row in range(5)]
    for row, file in enumerate(files):
        torch.save(torch.tensor([[row, -row]]), file)
    photos = made["Photos"](files, torch.arange(5), augmented=True)
    source = as_read(photos, torch.device("cpu"))
    assert source is not photos
    first, again = (
        [batch.inputs for batch in source.batches(torch.arange(5), 2, Key("augment"))]
        for _ in range(2)
    )
    assert [len(batch) for batch in first] == [2, 2, 1]
    assert torch.equal(torch.cat(first), torch.cat(again))
    assert {tuple(row.flatten().sign().tolist()) for row in torch.cat(first)[1:]} == {
        (1, -1),
        (-1, 1),
    }


def test_weighting_of_the_guide_keeps_the_protocol() -> None:
    block, _ = (b for b in blocks("docs/how-to/add-a-weighting.md") if b.language == "python")
    made: dict[str, Any] = {}
    exec(block.text, made)
    losses = torch.tensor([3.0, 4.0], dtype=torch.float64)
    value = made["RootMeanSquare"]().objective(losses)
    torch.testing.assert_close(value, torch.tensor(12.5, dtype=torch.float64).sqrt())


def test_a_trainer_of_ones_own_works_as_the_guide_says(tmp_path: Path) -> None:
    for block in blocks("docs/how-to/trainers.md"):
        if block.file:
            few = "problem_options = { train_pairs = 64, validation_pairs = 32, test_pairs = 32 }"
            (tmp_path / block.file).write_text(block.text.replace("seeds =", f"{few}\nseeds ="))
        elif block.language == "bash":
            type_lines(block.text, tmp_path)
    said = command(tmp_path, "compare", "small-loss", "--json").json
    assert (said["finished_runs"], len(said["rows"])) == (10, 2)


def test_contracts_of_the_guides_are_kept_where_only_the_wheel_is(tmp_path: Path) -> None:
    of = ("add-a-weighting", "own-problem", "trainers")
    for page in (f"docs/how-to/{name}.md" for name in of):
        for block in blocks(page):
            if block.file.endswith(".py"):
                (tmp_path / block.file).write_text(block.text)
    (tmp_path / "site").mkdir()
    for package in PACKAGES:
        (tmp_path / "site" / package).symlink_to(ROOT / package)
    (tmp_path / "site" / "tests.py").write_text("raise ImportError('no wheel holds it')")
    said = start_python(CONTRACTS, tmp_path, PYTHONPATH="site")
    for kept in (
        "TestRootMeanSquare::test_it_is_blind_to_task_order",
        "TestRings::test_its_runs",
        "TestSmallLoss::test_a_stop_after_any_epoch_changes_no_row",
    ):
        assert kept in said


def test_examples_are_never_called_like_our_packages() -> None:
    names = {b.file for page in ("README.md", "docs/how-to/own-problem.md") for b in blocks(page)}
    assert not names & {f"{package}.py" for package in PACKAGES}
    assert "study.py" not in read("README.md")


def test_coming_from_other_tools_runs(tmp_path: Path) -> None:
    page = blocks("docs/how-to/coming-from-ray-tune-or-optuna.md")
    for block in page:
        if block.file:
            (tmp_path / block.file).write_text(block.text)
        elif block.language == "bash":
            type_lines(block.text, tmp_path)
        elif block.language == "python":
            run_python(block.text, tmp_path)
    assert {block.language for block in page} == {"python", "toml", "bash", "console"}
    for name in ("tuning", "ray-tuning", "optuna-tuning"):
        said = command(tmp_path, "compare", name, "--json")
        assert min(row["value"] for row in said.json["rows"] if row["value"] is not None) < 100


def test_following_of_the_guide_tells_all_and_then_what_is_new(tmp_path: Path) -> None:
    bench = Bench(f"sqlite:///{tmp_path / 'weighbridge.db'}")
    bench.plan("a", "b")
    bench.storage.record([epoch(bench.claim_one(), 1, 0.1, 0.1)])
    bench.storage.close()
    (block,) = (b for b in blocks("docs/how-to/follow-a-study.md") if b.language == "python")
    said = run_python(block.text.replace('"digits"', '"demo"'), tmp_path)
    assert said.splitlines() == ["run 1 of ew has 1 epochs", "leased waiting"]


def test_stages_examples_are_valid_searches() -> None:
    head = 'name = "a"\nproblem = "digits"\nseeds = [0]\n[training]\nepochs = 1\nbatch_size = 9\n'
    function = 'name="a"\nseeds=[0]\nfunction={target="a:b",metric="c"}\ntraining={epochs=1}\n'
    first, second, third = (b for b in blocks("docs/reference/stages.md") if b.language == "toml")
    plan = make_plan(parse_toml(head + first.text, source="stages.md"))
    kinds = [stage.kind for stage in plan.searches[-1].stages]
    assert kinds == ["grid", "line", "neighbours"]
    conditional = make_plan(parse_toml(f"{function}[[search]]\n{second.text}", source="stages.md"))
    assert conditional.expected_runs == 5
    variants = make_plan(parse_toml(head + third.text, source="stages.md"))
    assert variants.searches[-1].expected_trials == 8


def test_programs_read_it_as_the_guide_says(tmp_path: Path) -> None:
    """With a made-up study; each line's verb is called here, and `jq` with what it printed."""
    make(tmp_path / "weighbridge.db", MTL, n_runs=40, n_epochs=2)
    for block in blocks("docs/how-to/machines.md"):
        text = block.text.replace("digits", MTL).replace("--search ew", "")
        if block.language == "bash":
            for line in text.splitlines():
                verb, _, rest = line.partition(" | jq ")
                (tmp_path / "printed.json").write_text(type_lines(verb, tmp_path))
                assert run_bash(f"jq {rest} < printed.json", tmp_path).strip()
        elif block.language == "python":
            printed = type_lines(f"weighbridge compare {MTL} --json", tmp_path)
            (tmp_path / "compare.json").write_text(printed)
            assert run_python(text, tmp_path).strip()
