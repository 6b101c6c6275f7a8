"""Trainer `cam` on spots in noise: what it reports, what it refuses, and what decides nothing."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.unit.localising.spots import SIZES, TRAINING, Spots, Told, trained
from tests.unit.problems.fundus_trees import of_kaggle, write_diaretdb1, write_kaggle
from trainers.errors import CheckpointUnreadable, NoMaps, TaskMismatch
from trainers.exhibits import Exhibit, Table, pack
from trainers.functions import RunStopped
from trainers.localising import Cam
from trainers.problems.errors import BadShape

OF_IMAGES = {"loss", "error_rate", "auroc"}


def of_truth() -> set[str]:
    names = {metric.name for metric in Cam().card.metrics if metric.uses_truth}
    return names | {f"test_{name}" for name in names}


def packed(shown: dict[int, list[Exhibit]]) -> dict[int, list[Any]]:
    return {step: [pack(exhibit) for exhibit in of] for step, of in shown.items()}


def network(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = torch.load(folder / "cam.pt", weights_only=True)["network"]
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("whole")


@pytest.fixture(scope="module")
def whole(folder: Path) -> Told:
    return trained(folder)


def test_every_epoch_reports_the_cards_metrics_on_validation_and_test(whole: Told) -> None:
    names = {metric.name for metric in Cam().card.metrics} | {"loss"}
    assert [*whole.rows] == [1, 2, 3, 4]
    for row in whole.rows.values():
        assert {*row} == names | {f"test_{name}" for name in names}


def test_it_learns_the_labels_and_finds_the_spots(whole: Told) -> None:
    assert whole.rows[4]["test_auroc"] > 0.9
    assert whole.rows[4]["test_sensitivity_touching"] > 0.5


def test_every_epoch_counts_its_samples_and_steps_and_times_what_is_no_training(
    whole: Told,
) -> None:
    trunk = 2 * 9 * 8 * 16 * 16 + 2 * 9 * 8 * 12 * 8 * 8  # of an image, forward
    flops = (3 * SIZES["train"] + SIZES["validation"] + SIZES["test"]) * (trunk + 2 * 12)
    assert whole.counts[4] == {"samples": 64, "grad_evals": 4, "flops": flops}
    assert whole.phases[:3] == ["validation", "test", "diagnostics"]


def test_what_is_shown_is_of_epochs_that_are_the_best_so_far_by_image_labels(whole: Told) -> None:
    best = -1.0
    for step, row in whole.rows.items():
        assert bool(whole.shown[step]) == (row["auroc"] > best)
        best = max(best, row["auroc"])
    names = ["froc", "sensitivities", "images", "regions"]
    assert [exhibit.name for exhibit in whole.shown[1]] == names


@pytest.mark.parametrize("step", [1, 3])
def test_a_kill_before_a_report_changes_no_bit(whole: Told, tmp_path: Path, step: int) -> None:
    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path, told=(before := Told(breaks=step)))
    after = trained(tmp_path)
    assert before.rows | after.rows == whole.rows
    assert before.counts | after.counts == whole.counts
    assert packed(before.shown | after.shown) == packed(whole.shown)


def test_a_run_that_paused_goes_on_behind_its_last_report(whole: Told, tmp_path: Path) -> None:
    with pytest.raises(RunStopped):
        trained(tmp_path, told=Told(stops=2))
    after = trained(tmp_path)
    assert after.rows == {step: whole.rows[step] for step in (3, 4)}
    assert packed(after.shown) == packed({step: whole.shown[step] for step in (3, 4)})


def test_a_run_that_has_ended_tells_nothing_again(folder: Path, whole: Told) -> None:
    assert whole.rows
    assert trained(folder).rows == {}


def test_a_torn_checkpoint_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cam.pt").write_bytes(b"torn")
    with pytest.raises(CheckpointUnreadable):
        trained(tmp_path)


def test_the_checkpoint_of_another_network_is_refused(tmp_path: Path) -> None:
    torch.save({"network": {}, "optimizer": {}, "epoch": 1, "best": 0.0}, tmp_path / "cam.pt")
    with pytest.raises(CheckpointUnreadable, match="of its own run"):
        trained(tmp_path)


def test_other_lesions_change_no_decision(whole: Told, folder: Path, tmp_path: Path) -> None:
    """Shuffled lesions, and none: the same networks, image metrics, shown epochs and regions."""
    runs = {of: trained(tmp_path / of, Spots(of)) for of in ("shuffled", "none")}
    for of, run in runs.items():
        for step, row in whole.rows.items():
            decided = {name: value for name, value in row.items() if name not in of_truth()}
            assert decided.items() <= run.rows[step].items()
            assert bool(run.shown[step]) == bool(whole.shown[step])
        for name, value in network(folder).items():
            assert torch.equal(value, network(tmp_path / of)[name])
    of_shuffled = runs["shuffled"].rows[4]
    assert of_shuffled["sensitivity_touching"] != whole.rows[4]["sensitivity_touching"]


def test_where_nobody_knows_lesions_images_alone_are_judged(tmp_path: Path) -> None:
    told = trained(tmp_path, Spots("none"), training=replace(TRAINING, epochs=1))
    assert {*told.rows[1]} == OF_IMAGES | {f"test_{name}" for name in OF_IMAGES}
    assert [exhibit.name for exhibit in told.shown[1]] == ["images", "regions"]


def test_of_images_without_any_lesion_there_is_no_curve(tmp_path: Path) -> None:
    told = trained(tmp_path, Spots("no spots"), training=replace(TRAINING, epochs=1))
    assert [exhibit.name for exhibit in told.shown[1]] == ["sensitivities", "images", "regions"]
    assert told.rows[1]["false_positives_touching"] > 0
    assert "froc_touching" not in told.rows[1]


def test_photos_of_one_set_train_and_marked_ones_of_another_judge(tmp_path: Path) -> None:
    root = write_kaggle(tmp_path / "both")
    write_diaretdb1(root / "ddb1_v02_01")
    problem = of_kaggle(root, judged_on="diaretdb1", train_samples=8, test_samples=5)
    by_errors = Told(metrics=("error_rate",))  # both photos of validation are diseased
    once = replace(TRAINING, epochs=1)
    told = trained(tmp_path, problem, told=by_errors, training=once, gate=False)
    judged = {name for name in told.rows[1] if name in of_truth()}
    assert judged == {name for name in of_truth() if name.startswith("test_")}
    _, table, *_ = told.shown[1]
    assert isinstance(table, Table)
    assert {(kind, n_lesions) for _, kind, n_lesions, *_ in table.rows} == {
        ("all", 8),
        ("hard exudate", 4),
        ("haemorrhage", 4),
    }


def test_where_nobody_knows_lesions_nothing_can_be_ranked_by_them(tmp_path: Path) -> None:
    with pytest.raises(TaskMismatch, match="froc_touching needs lesions of validation"):
        trained(tmp_path, Spots("none"), Told(metrics=("froc_touching",)))


@pytest.mark.parametrize(
    "params", [{"gate": False}, {"normalise": "data"}, {"threshold": 0.8}, {"minimal_area": 20}]
)
def test_what_makes_regions_of_maps_changes_nothing_about_images(
    whole: Told, tmp_path: Path, params: dict[str, Any]
) -> None:
    told = trained(tmp_path, **params)
    for step, row in whole.rows.items():
        same = {name for name in row if row[name] == told.rows[step][name]}
        assert {*row} - of_truth() <= same
    assert told.rows != whole.rows


def test_without_the_gate_healthy_images_have_false_positives(whole: Told, tmp_path: Path) -> None:
    open_ = trained(tmp_path, gate=False).rows[4]
    assert open_["false_positives_touching"] > whole.rows[4]["false_positives_touching"]
    assert open_["sensitivity_touching"] >= whole.rows[4]["sensitivity_touching"]


@pytest.mark.parametrize("labels", ["numbers", "column"])
def test_labels_are_class_numbers_or_numbers_alike(
    whole: Told, tmp_path: Path, labels: str
) -> None:
    assert trained(tmp_path, Spots(labels=labels)).rows == whole.rows


def test_images_without_a_label_are_neither_learned_nor_judged(tmp_path: Path) -> None:
    told = trained(tmp_path, Spots(labels="some"), training=replace(TRAINING, epochs=1))
    assert 0 < told.rows[1]["loss"] < 2


@pytest.mark.parametrize(
    ["labels", "says"],
    [
        ("ones in train", "present 0 training images have the one, 64 the other"),
        ("gaps in train", "0 training images have the one, 0 the other"),
        ("ones in validation", "auroc needs .* Take `val_error_rate`"),
        ("gaps in validation", "auroc needs .* none of one kind"),
    ],
)
def test_labels_that_tell_nothing_apart_are_refused(tmp_path: Path, labels: str, says: str) -> None:
    with pytest.raises(TaskMismatch, match=says):
        trained(tmp_path, Spots(labels=labels))


@pytest.mark.parametrize(
    ["labels", "unknown"],
    [
        ("ones in test", {"auroc"}),
        ("gaps in test", OF_IMAGES),
    ],
)
def test_of_a_test_split_nothing_is_told_that_cannot_be_known(
    tmp_path: Path, labels: str, unknown: set[str]
) -> None:
    told = trained(tmp_path, Spots(labels=labels), training=replace(TRAINING, epochs=1))
    assert {name for name in OF_IMAGES if f"test_{name}" not in told.rows[1]} == unknown


def test_a_run_that_diverges_says_that_nothing_is_a_number(tmp_path: Path) -> None:
    wild = replace(TRAINING, optimizer="sgd", epochs=3)
    told = trained(tmp_path, training=wild, lr=10.0, weight_decay=1.0)
    row = told.rows[3]
    assert {name for name in row if math.isnan(row[name])} >= OF_IMAGES | {"froc_touching"}


@pytest.mark.parametrize(
    ["problem", "says"],
    [
        (Spots(images="none"), "images"),
        (Spots(classes=None), "two classes"),
        (Spots(classes=3), "present 3"),
        (Spots(feature_maps=False), "ends in feature maps"),
    ],
)
def test_a_plan_refuses_a_problem_by_its_card(problem: Spots, says: str) -> None:
    assert says in Cam().refusal(problem.card, Cam().card.defaults)


def test_a_problem_of_images_and_a_task_of_two_classes_is_not_refused() -> None:
    assert Cam().refusal(Spots().card, Cam().card.defaults) == ""


@pytest.mark.parametrize(
    ["problem", "error", "says"],
    [
        (Spots(flat=True), NoMaps, r"feature maps .* Got|gives \[1, 768\]"),
        (Spots(labels="counts"), TaskMismatch, "has 2"),
        (Spots(labels="maps"), TaskMismatch, r"\[16, 2, 2\]"),
        (Spots("too few"), BadShape, "Got 39 for 40 images"),
        (Spots("too small"), BadShape, "Got 4x4"),
    ],
)
def test_a_run_refuses_what_a_card_does_not_tell(
    tmp_path: Path, problem: Spots, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        trained(tmp_path, problem)
