"""Every number of `compare A B C --json`, worked out again from the SQL views alone."""

from __future__ import annotations

import itertools
import json
import math
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.integration.command import command
from tests.integration.recomputing import Row, Study
from tests.integration.recomputing_claims import over_seeds
from tests.integration.test_recomputed import METRICS, close_to
from tests.integration.textbook import interval, p_value
from tests.integration.tiny_study import write_spec

MARGIN = 12.0
METHODS = ("ew", "gls", "rlw")
PROBLEMS = {"one": ("a", "b"), "two": ("c",), "three": ("d",)}
SEEDS = {"a": [0, 1], "b": [2, 3], "c": [0, 1], "d": [0, 1]}
RATES = (0.05, 0.2)
STUDENTIZED_RANGE = 3.314493
"""Its 95 % quantile for three normal values, by tables (Demšar 2006: 2.343 times the root of 2)."""
SPEC = """
[compare]
margin = 12.0
[[search]]
weighting = ["ew", "gls", "rlw"]
stages = [{ lr = [0.05, 0.2] }]
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What is said of four studies of three problems, and the views of each."""
    folder, studies = tmp_path_factory.mktemp("several"), {}
    for problem, labels in PROBLEMS.items():
        for label in labels:
            studies[label] = _trained(folder, label, problem)
    names = [f"{label}.db::{label}" for label in studies]
    said = command(folder, "compare", *names, "--json")
    assert said.code == 0, said.err
    return said.json, Several(studies)


def _trained(folder: Path, label: str, problem: str) -> Study:
    """A study in a database of its own, of a toy whose data no other problem has."""
    seeds = SEEDS[label]
    write_spec(folder, label, SPEC, epochs=2)
    spec, toy = folder / f"{label}.toml", folder / "toy.py"
    renamed = spec.read_text().replace("toy:Toy", f"toy_{problem}:Toy")
    spec.write_text(renamed.replace("seeds = [0, 1]", f"seeds = {seeds}"))
    other = toy.read_text().replace('name="toy"', f'name="toy_{problem}"')
    shift = 10 * list(PROBLEMS).index(problem)
    assert "manual_seed(list" in other
    other = other.replace("manual_seed(list", f"manual_seed({shift} + list")
    (folder / f"toy_{problem}.py").write_text(other)
    at = ("--storage", f"sqlite:///{label}.db")
    said = command(folder, "run", f"{label}.toml", "--workers", "1", *at)
    assert said.code == 0, said.err
    return Study(folder / f"{label}.db", metrics=METRICS, seeds=seeds, margin=MARGIN)


class Several:
    """Finished studies by label, and what is over problems."""

    def __init__(self, studies: Mapping[str, Study]) -> None:
        self.studies = studies
        self.values = {
            label: {method: study.value(method)[0] for method in METHODS}
            for label, study in studies.items()
        }

    def over(self, numbers: Mapping[str, float], *, without: str | None = None) -> list[float]:
        """A number of each study to one a problem: the mean over its studies."""
        groups = [[one for one in labels if one != without] for labels in PROBLEMS.values()]
        return [statistics.fmean(numbers[one] for one in group) for group in groups if group]

    def standing(self, method: str) -> dict[str, Any]:
        gaps = {at: row[method] - min(row.values()) for at, row in self.values.items()}
        ranks = {
            at: sum(other < row[method] for other in row.values())
            + (sum(other == row[method] for other in row.values()) + 1) / 2
            for at, row in self.values.items()
        }
        own = {at: row[method] for at, row in self.values.items()}
        mean, low, high = over_seeds(self.over(own))  # as over seeds: t(N - 1)
        by_seed = sorted(value for at in self.studies for value in self.by_seed(at, method))
        quarter = len(by_seed) // 4
        return {
            "method": method,
            "mean_rank": statistics.fmean(self.over(ranks)),
            "mean": mean,
            "low": low,
            "high": high,
            "iqm": statistics.fmean(by_seed[quarter : len(by_seed) - quarter]),
            "gaps": gaps,
            "best_share": self._share(gaps, 0.0),
            "near_share": self._share(gaps, MARGIN),
        }

    def _share(self, gaps: Mapping[str, float], most: float) -> float:
        return statistics.fmean(self.over({at: float(gap <= most) for at, gap in gaps.items()}))

    def by_seed(self, label: str, method: str) -> list[float]:
        study = self.studies[label]
        return [study.scored(run, "test") for run in study.runs_behind(method)[1]]

    def difference(self, a: str, b: str) -> dict[str, Any]:
        """By study, and over problems without an interval."""
        by_study = {}
        for label, study in self.studies.items():
            value, parts, basis, beside = study.against(a, b)
            n_seeds = beside["n_seeds"]
            told = study.told(a, b, value, parts, basis, n_seeds=n_seeds)
            by_study[label] = told | dict(beside)
        better = {at: told["p_better"] for at, told in by_study.items()}
        return {
            "by_study": by_study,
            "over": self.over({at: told["difference"] for at, told in by_study.items()}),
            "p_better": statistics.fmean(self.over(better)),
        }

    # -- one setting ------------------------------------------------------------------------

    def _trials(self, label: str, method: str) -> dict[float, list[Row]]:
        """Learning rate to the runs with it."""
        return {
            json.loads(next(iter(runs.values()))["params"])["lr"]: list(runs.values())
            for runs in self.studies[label].trials(method).values()
        }

    def _scored(self, label: str, method: str, rate: float, split: str) -> list[float]:
        study = self.studies[label]
        return [study.scored(run, split) for run in self._trials(label, method)[rate]]

    def setting(self, label: str, methods: Sequence[str]) -> dict[str, Any]:
        """The one that is best on the other studies, by its test values on this one."""

        def elsewhere(candidate: tuple[str, float]) -> float:
            means = {
                at: statistics.fmean(self._scored(at, *candidate, "validation"))
                for at in self.studies
            }
            return statistics.fmean(self.over(means, without=label))

        method, rate = min(itertools.product(methods, RATES), key=elsewhere)
        study = self.studies[label]
        values = self._scored(label, method, rate, "test")
        part = (statistics.variance(values), 1 / len(values), len(values) - 1.0)
        metrics = study.means(self._trials(label, method)[rate])
        value = statistics.fmean(values)
        low, high, _ = interval(value, [part, *study.of_baseline(metrics)])
        price = value - self.values[label][method] if len(methods) == 1 else None
        found: dict[str, Any] = {"method": method, "value_test": value, "diverged": False}
        found |= {"low": low, "high": high, "price": price}
        return found | {"params": {"lr": rate, "weight_decay": 0.0}}


def test_values_of_studies_are_those_of_the_views(ran: Any) -> None:
    said, several = ran
    for method in said["methods"]:
        for label, told in method["by_study"].items():
            wanted = several.studies[label].row(method["method"])
            names = ("value_test", "low", "high", "n_seeds", "n_trials", "cost_epochs", "params")
            assert {name: told[name] for name in names} == close_to(
                {name: wanted[name] for name in names}
            )


def test_standings_are_those_of_the_views(ran: Any) -> None:
    said, several = ran
    ranking = said["ranking"]
    wanted = sorted(map(several.standing, METHODS), key=lambda one: one["mean_rank"])
    told = {one["method"]: one for one in ranking["standings"]}
    assert [told[one["method"]] for one in wanted] == [
        close_to(one | {"title": one["method"].upper(), "diverged": False}) for one in wanted
    ]
    assert ranking["n_problems"] == len(PROBLEMS)
    k, n = len(METHODS), len(PROBLEMS)
    reach = STUDENTIZED_RANGE / math.sqrt(2) * math.sqrt(k * (k + 1) / (6 * n))
    assert ranking["critical_difference"] == pytest.approx(reach, rel=1e-6)
    assert ranking["widest"] == k - 1
    ranks = {one["method"]: one["mean_rank"] for one in wanted}
    far = [
        pair
        for pair in itertools.combinations(METHODS, 2)
        if abs(ranks[pair[0]] - ranks[pair[1]]) >= reach
    ]
    assert len(ranking["apart"]) == len(far)


def test_differences_over_problems_are_those_of_the_views(ran: Any) -> None:
    said, several = ran
    subject = said["ranking"]["standings"][0]["method"]
    others = [method for method in METHODS if method != subject]
    found = {b: several.difference(subject, b) for b in others}
    parts = {
        b: [(statistics.variance(one["over"]), 1 / len(PROBLEMS), len(PROBLEMS) - 1.0)]
        for b, one in found.items()
    }
    means = {b: statistics.fmean(one["over"]) for b, one in found.items()}
    p_values = {b: p_value(means[b], parts[b]) for b in others}
    rejected, levels = 0, {}
    for at, b in enumerate(sorted(others, key=p_values.__getitem__)):
        error = 0.05 / (len(others) - rejected)
        levels[b] = 1 - error
        rejected += p_values[b] <= error and rejected == at
    assert {one["b"] for one in said["differences"]} == set(others)
    for one in said["differences"]:
        b = one["b"]
        low, high, _ = interval(means[b], parts[b], levels[b])
        wanted = {"a": subject, "difference": means[b], "low": low, "high": high}
        wanted |= {"level": levels[b], "p_better": found[b]["p_better"], "n_compared": len(others)}
        wanted |= {"by_study": found[b]["by_study"], "n_problems": len(PROBLEMS)}
        assert {name: one[name] for name in wanted} == close_to(wanted)


def test_one_setting_for_all_is_that_of_the_views(ran: Any) -> None:
    said, several = ran
    told = {one["title"]: one for one in said["one_setting"]}
    assert set(told) == {*map(str.upper, METHODS), "best of all methods"}
    assert told["best of all methods"]["by_study"] == close_to(
        {label: several.setting(label, METHODS) for label in several.studies}
    )
    for method in METHODS:
        one = told[method.upper()]
        wanted = {label: several.setting(label, [method]) for label in several.studies}
        prices = several.over({label: found["price"] for label, found in wanted.items()})
        assert one["by_study"] == close_to(wanted)
        assert [one["price"], one["low"], one["high"]] == close_to(over_seeds(prices))
        assert one["n_common"] == len(RATES)
