"""A run in rounds: what it reports and shows, what a kill changes, who decides."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.unit.relabelling.blobs import (
    EPOCHS,
    SIZES,
    TASK,
    Blobs,
    Diverged,
    Hidden,
    Killed,
    Lied,
    Reports,
    noisy,
    trained,
)
from trainers.errors import BadParameter, TaskMismatch
from trainers.exhibits import pack
from trainers.relabelling import keeping
from trainers.relabelling.card import CARD, ESTIMATORS

BY_TRUTH = {metric.name for metric in CARD.metrics if metric.uses_truth}


@pytest.fixture(scope="module")
def mended(tmp_path_factory: pytest.TempPathFactory) -> Reports:
    """A run whose labels are mended twice."""
    return trained(noisy(), tmp_path_factory.mktemp("run"), rounds=2)


def test_steps_count_on_over_the_rounds(mended: Reports) -> None:
    assert [*mended.rows] == [*range(1, 3 * EPOCHS + 1)]
    rounds = [counts["round"] for _, counts in mended.rows.values()]
    assert rounds == [1] * EPOCHS + [2] * EPOCHS + [3] * EPOCHS


def test_only_what_the_card_names_is_reported(mended: Reports) -> None:
    assert all(set(metrics) <= CARD.reported for metrics, _ in mended.rows.values())


def test_looking_at_labels_costs_more_than_training_alone(mended: Reports) -> None:
    flops = [counts["flops"] for _, counts in mended.rows.values()]
    assert len({*flops[: 2 * EPOCHS]}) == len({*flops[2 * EPOCHS :]}) == 1
    # of ten passes, the layer before the first dropout is computed once
    one_look = SIZES["train"] * 2 * (4 * 16 + 10 * 16 * 4)
    assert flops[0] - flops[-1] == one_look
    for _, counts in mended.rows.values():
        assert (counts["samples"], counts["grad_evals"]) == (48, 6)


def test_labels_are_better_once_they_are_mended(mended: Reports) -> None:
    assert mended.last["wrong_labels_before"] == 0.25
    assert mended.last["wrong_labels_after"] < 0.1
    assert mended.last["test_error_rate"] < mended.rows[1][0]["test_error_rate"]


def test_the_last_training_reports_the_decision_that_stands(mended: Reports) -> None:
    decided = {
        name: {metrics[name] for step, (metrics, _) in mended.rows.items() if step > 2 * EPOCHS}
        for name in BY_TRUTH
    }
    assert all(len(values) == 1 for values in decided.values())


def test_scores_are_shown_each_epoch_and_suspects_once_a_round(mended: Reports) -> None:
    shown = {name: [step for step, of in mended.shown if of == name] for _, name in mended.shown}
    ends = [EPOCHS, 2 * EPOCHS]
    looked = [*range(1, 2 * EPOCHS + 1)]
    assert shown == {"scores": looked, "suspects": ends, "worst-suspects": ends}
    histogram = mended.shown[1, "scores"]
    assert {name: sum(of) for name, of in histogram.counts.items()} == {
        "right labels": 36,
        "wrong labels": 12,
    }
    for exhibit in mended.shown.values():
        assert pack(exhibit).content


def test_suspects_name_samples_of_the_training_split(mended: Reports) -> None:
    labels = noisy().sources(torch.device("cpu"))["train"].targets[TASK]
    table = mended.shown[2 * EPOCHS, "suspects"]
    assert table.columns == ("index", "given", "proposed", "score")
    assert table.rows
    scores = [row[3] for row in table.rows]
    assert scores == sorted(scores, reverse=True)
    for index, given, proposed, _ in table.rows:
        assert labels[index] == given
        assert proposed in range(4)
    first = table.rows[0]
    _, caption = mended.shown[2 * EPOCHS, "worst-suspects"].items[0]
    assert caption.startswith(f"{first[1]} -> {first[2]}, score {first[3]:.3f}")


@pytest.mark.parametrize("estimator", [*ESTIMATORS])
def test_kills_before_reports_change_no_row(tmp_path: Path, estimator: str) -> None:
    params = {"estimator": estimator, "networks": 2}
    whole = trained(noisy(), tmp_path / "whole", **params)
    killed = Reports()
    for killed.dies_at in (1, EPOCHS, EPOCHS + 2, 2 * EPOCHS):
        with pytest.raises(Killed):
            trained(noisy(), tmp_path / "killed", report=killed, **params)
    killed.dies_at = 0
    trained(noisy(), tmp_path / "killed", report=killed, **params)
    assert killed.rows == whole.rows
    assert killed.shown == whole.shown


def test_an_ensemble_that_cannot_be_stacked_is_trained_side_by_side(tmp_path: Path) -> None:
    class Odd(Blobs):
        def trunk(self) -> torch.nn.Module:
            return Hidden()

    params = {"estimator": "ensemble", "networks": 2}
    whole = trained(noisy(Odd()), tmp_path / "whole", **params)
    killed = Reports()
    killed.dies_at = EPOCHS - 1
    with pytest.raises(Killed):
        trained(noisy(Odd()), tmp_path / "killed", report=killed, **params)
    killed.dies_at = 0
    trained(noisy(Odd()), tmp_path / "killed", report=killed, **params)
    assert killed.rows == whole.rows


@pytest.mark.parametrize("action", ["relabel", "drop"])
@pytest.mark.parametrize("epoch_rule", ["lowest-noisy-error", "clearest-separation"])
def test_the_truth_decides_nothing(tmp_path: Path, action: str, epoch_rule: str) -> None:
    params = {"action": action, "epoch_rule": epoch_rule, "rounds": 2}
    told = trained(noisy(), tmp_path / "told", **params)
    lied = trained(Lied(noisy()), tmp_path / "lied", **params)  # type: ignore[arg-type]
    assert told.last["detection_auroc"] != lied.last["detection_auroc"]
    by_given = [
        [
            {name: value for name, value in metrics.items() if name not in BY_TRUTH}
            for metrics, _ in of.rows.values()
        ]
        for of in (told, lied)
    ]
    assert by_given[0] == by_given[1]
    decided = [keeping.load(tmp_path / name) for name in ("told", "lied")]
    for name in ("labels", "kept", "suspicion", "proposed"):
        ours, theirs = (getattr(one, name) for one in decided)
        assert ours.tobytes() == theirs.tobytes()


def test_without_truth_all_else_is_there(tmp_path: Path) -> None:
    problem = noisy()
    plain = Blobs()

    class Given(Blobs):
        """Data of a user, of which nobody knows the true labels."""

        def sources(self, device: torch.device) -> Any:
            return problem.sources(device)

    report = trained(Given(images=plain.images), tmp_path)
    assert not {name for metrics, _ in report.rows.values() for name in metrics} & BY_TRUTH
    assert [*report.shown[1, "scores"].counts] == ["all labels"]
    assert report.shown[EPOCHS, "suspects"].rows


def test_what_has_no_label_is_neither_scored_nor_counted(tmp_path: Path) -> None:
    report = trained(noisy(Blobs(n_missing=8)), tmp_path)
    assert sum(map(sum, report.shown[1, "scores"].counts.values())) == 40
    assert min(row[0] for row in report.shown[EPOCHS, "suspects"].rows) >= 8


def test_data_that_is_no_image_has_no_pictures(tmp_path: Path) -> None:
    report = trained(noisy(Blobs(images="none")), tmp_path)
    assert (EPOCHS, "worst-suspects") not in report.shown


def test_dropping_leaves_suspects_out_of_the_next_training(tmp_path: Path) -> None:
    report = trained(noisy(), tmp_path, action="drop")
    progress = keeping.load(tmp_path)
    assert progress is not None
    assert (~progress.kept).sum() == len(report.shown[EPOCHS, "suspects"].rows) > 0
    assert report.last["wrong_labels_after"] < 0.25


def test_training_to_the_end_is_one_training_without_a_look(tmp_path: Path) -> None:
    report = trained(noisy(), tmp_path, method="to-end")
    assert len(report.rows) == EPOCHS
    assert not report.shown
    assert report.last["wrong_labels_after"] == report.last["wrong_labels_before"] == 0.25
    assert "detection_auroc" not in report.last


def test_early_stopping_reports_what_it_would_keep(tmp_path: Path) -> None:
    plain = trained(noisy(), tmp_path / "plain", method="to-end", epochs_per_round=8)
    early = trained(noisy(), tmp_path / "early", method="early-stopping", epochs_per_round=8)
    lowest, kept = math.inf, math.nan
    for step, (metrics, _) in plain.rows.items():
        if metrics["error_rate"] < lowest:
            lowest, kept = metrics["error_rate"], metrics["test_error_rate"]
        found = early.rows[step][0]
        assert (found["error_rate"], found["test_error_rate"]) == (lowest, kept)


def test_the_first_training_is_that_of_the_peers(tmp_path: Path) -> None:
    peer = trained(noisy(), tmp_path / "peer", method="to-end")
    ours = trained(noisy(), tmp_path / "ours")
    for step in range(1, EPOCHS + 1):
        assert ours.rows[step][0]["error_rate"] == peer.rows[step][0]["error_rate"]


def test_losses_that_are_no_numbers_end_the_run_as_diverged(tmp_path: Path) -> None:
    class Broken(Blobs):
        def sources(self, device: torch.device) -> Any:
            found = dict(super().sources(device))
            found["train"].inputs.fill_(math.inf)
            return found

    report = Reports()
    with pytest.raises(Diverged):
        trained(Broken(), tmp_path, report=report)
    assert np.isnan([report.last[objective.metric] for objective in CARD.objectives]).all()


def test_rounds_that_do_not_fit_are_refused_before_anything_is_trained(tmp_path: Path) -> None:
    with pytest.raises(BadParameter, match=r"Got 5 for 2 trainings of .* Set `epochs = 6`"):
        trained(noisy(), tmp_path, most_epochs=5)


@pytest.mark.parametrize(
    ("problem", "method", "metric", "told"),
    [
        (Blobs(), "relabel", "wrong_labels_after", "This one has none"),
        (noisy(), "to-end", "detection_auroc", "looks for no wrong labels"),
        (noisy(rate=0.0), "relabel", "detection_auroc", "Here all are right. Set another `rate`"),
    ],
)
def test_what_a_run_cannot_know_is_refused_as_an_objective(
    tmp_path: Path, problem: Any, method: str, metric: str, told: str
) -> None:
    with pytest.raises(BadParameter, match=told):
        trained(problem, tmp_path, report=Reports((metric,)), method=method)


@dataclass(frozen=True)
class Without(Blobs):
    """A split has other labels than it should."""

    split: str = "train"
    label: int = -1

    def sources(self, device: torch.device) -> Any:
        found = dict(super().sources(device))
        label = torch.full_like(found[self.split].targets[TASK], self.label)
        return {**found, self.split: replace(found[self.split], targets={TASK: label})}


@pytest.mark.parametrize(
    ("problem", "told"),
    [
        (Without(), "Of its 48 training samples, task place has no label"),
        (Without(label=2), "task place has labels of class 2 alone"),
        (Without(split="validation"), "Of its 16 validation samples, task place has no label"),
    ],
)
def test_labels_by_which_nothing_is_learned_or_chosen_are_refused(
    tmp_path: Path, problem: Any, told: str
) -> None:
    with pytest.raises(TaskMismatch, match=told):
        trained(problem, tmp_path)


def test_what_ranks_trials_has_a_value_once_no_label_is_wrong(tmp_path: Path) -> None:
    """The detector of the second round has nothing to find; trials are ranked all the same."""
    report = Reports(("detection_auroc",))
    five_of_48 = {"threshold": "quantile", "quantile_share": 0.105}
    trained(noisy(rate=0.1), tmp_path, report=report, rounds=2, epochs_per_round=8, **five_of_48)
    assert "detection_recall" not in report.rows[16][0]
    assert all("detection_auroc" in metrics for metrics, _ in report.rows.values())
