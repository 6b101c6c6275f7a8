"""A plan says what will run: searches, stages, points, anchors and the baseline."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from study.catalogue import presets
from study.errors import BadSpec
from study.planning.plan import make_plan
from study.spec.stopping import HalvingRule, MedianRule
from study.spec.study_spec import parse_toml
from tests.unit.study.specs import a_plan, a_search, spec_of

RATES = {"lr": [0.001, 0.01, 0.1]}
SIMPLEX = {"task_weights": {"simplex_step": 0.25}}
NEIGHBOURS = {"lr": "neighbours"}


@pytest.mark.parametrize(
    ("preset", "by_search", "runs"),
    [
        # 7 methods x 3 rates; 3 + 36 + 2; 3 + (7 + 2) + 2; STL 3 tasks x 3 rates
        ("digits", {"ew": 3, "scalarization": 41, "uw-so": 14, "stl/left": 3}, 2 * 85),
        ("multimnist", {"ew": 4, "scalarization": 42, "uw-so": 15, "stl/sum": 4}, 3 * 97),
        ("quickstart", {"ew": 5, "scalarization": 32, "uw-so": 16, "stl/cut": 6}, 3 * 101),
    ],
)
def test_counts_of_the_presets(preset: str, by_search: dict[str, int], runs: int) -> None:
    plan = make_plan(presets()[preset])
    counts = {search.name: search.expected_trials for search in plan.searches}
    assert len(counts) == 12
    assert counts.items() >= by_search.items()
    assert plan.expected_runs == runs


def test_the_sizes_of_claims_mini_differ_in_nothing_but_width() -> None:
    sizes = {width: presets()[f"claims-mini-{width}"].to_plain() for width in (8, 32, 128)}
    for width, plain in sizes.items():
        assert plain.pop("name") == f"claims-mini-{width}"
        assert plain["problem_options"].pop("width") == width
    assert sizes[8] == sizes[32] == sizes[128]


def test_the_template_of_init_plans() -> None:
    template = files("study") / "templates" / "study.toml"
    text = template.read_text(encoding="utf-8").replace("@NAME@", "mine")
    plan = make_plan(parse_toml(text, source="template"))
    assert [search.name for search in plan.searches if search.role == "search"] == [
        "ew",
        "uw",
        "dwa",
        "scalarization",
        "uw-so",
    ]


def test_a_stage_has_the_stopping_rule_that_is_written() -> None:
    rule = {"rule": "halving", "rungs": [1, 2], "keep": 0.25}
    (stage,) = a_search("ew", RATES | {"stop": rule}).stages
    assert stage.stop == HalvingRule(rule="halving", rungs=[1, 2], keep=0.25)
    assert stage.label == "grid+halving"
    assert stage.to_plain()["stop"] == rule


def test_an_asynchronous_rule_is_written_back() -> None:
    rule = {"rule": "median", "rungs": [1, 2], "asynchronous": True}
    search = a_search("ew", RATES | {"stop": rule})
    (stage,) = search.stages
    assert stage.stop == MedianRule(rule="median", rungs=[1, 2], asynchronous=True)
    assert stage.stop.to_plain() == rule
    assert search.asynchronous
    assert not a_search("ew", RATES | {"stop": rule | {"asynchronous": False}}).asynchronous


def test_each_task_of_the_baseline_has_its_stopping_rule() -> None:
    plan = a_plan(baseline={"stop": {"rule": "median", "rungs": [2]}})
    found = [stage.stop for search in plan.searches for stage in search.stages]
    assert found == [MedianRule(rule="median", rungs=[2])] * 3 + [None]


def test_confirmation_counts_fresh_seeds_of_each_search() -> None:
    plan = a_plan(confirm={"top": 2, "seeds": 3}, baseline={"lr": [0.001, 0.01]})
    assert plan.expected_runs == (3 * 2 + 2) * 2 + 2 * 3
    assert not set(plan.confirm_seeds) & set(plan.spec.seeds)


def test_more_fresh_seeds_begin_with_the_same_ones() -> None:
    few, many = (a_plan(confirm={"seeds": n}).confirm_seeds for n in (2, 5))
    assert many[:2] == few


def test_metrics_are_those_of_the_card_in_its_order() -> None:
    assert a_plan().metrics == [
        ("left", "error_rate", "min"),
        ("right", "error_rate", "min"),
        ("sum", "mae", "min"),
    ]


def kinds(*stages: dict[str, Any], **keys: Any) -> list[str]:
    return [stage.kind for stage in a_search("uw-so", *stages, **keys).stages]


TEMPERATURE = {"temperature": {"line": [1, 4]}}


def test_a_closing_stage_is_added_after_a_tuned_rate() -> None:
    assert kinds(RATES, TEMPERATURE) == ["grid", "line", "neighbours"]


@pytest.mark.parametrize(
    "stages",
    [
        [RATES, TEMPERATURE, NEIGHBOURS],
        [TEMPERATURE, RATES],
        [RATES | TEMPERATURE],
        [RATES],
    ],
)
def test_no_closing_stage_where_the_rate_is_tuned_last(stages: list[dict[str, Any]]) -> None:
    keys = {"hyper": {"temperature": 1}} if stages == [RATES] else {}
    assert len(kinds(*stages, **keys)) == len(stages)


def test_no_closing_stage_where_the_rate_is_given() -> None:
    training = {"epochs": 1, "batch_size": 1, "lr": 0.1}
    assert kinds(TEMPERATURE, training=training) == ["line"]


def test_joint_is_the_product_of_all_stages_but_the_closing_one() -> None:
    (stage,) = a_search("uw-so", RATES, TEMPERATURE, NEIGHBOURS, joint=True).stages
    assert stage.kind == "grid"
    assert stage.expected_trials == 6
    assert {(point["lr"], point["temperature"]) for point in stage.space.grid()} == {
        (lr, temperature) for lr in RATES["lr"] for temperature in (1.0, 4.0)
    }


def test_expected_trials_count_refinement_and_strategies() -> None:
    line = {"temperature": {"line": [1, 2, 4], "refine": 2}}
    tpe = {"lr": {"log_range": [0.1, 1]}, "strategy": "tpe", "trials": 9}
    search = a_search("uw-so", RATES, line, tpe)
    assert [stage.expected_trials for stage in search.stages] == [3, 3 + 4, 9]


def test_round_size_and_refinement_arrive_in_the_stage() -> None:
    axes = {"lr": {"log_range": [0.1, 1]}}
    baseline = {"lr": [0.1]}
    with_size = axes | {"strategy": "tpe", "trials": 9, "round_size": 3}
    assert a_search("ew", with_size, baseline=baseline).stages[0].round_size == 3
    assert a_search("ew", {"lr": {"line": [1, 2], "refine": 2}}).stages[0].refine == 2


class TestAnchors:
    """What a parameter is until it is tuned."""

    def test_numbers_rest_at_the_geometric_middle(self) -> None:
        line = {"temperature": {"line": [1, 4, 100]}}
        assert a_search("uw-so", line, RATES).anchors == {
            "lr": 0.01,
            "weight_decay": 0.0,
            "temperature": 10.0,
        }

    def test_weights_rest_at_one_share_each(self) -> None:
        anchors = a_search("scalarization", RATES, SIMPLEX).anchors
        assert anchors["task_weights"] == (1 / 3,) * 3

    def test_the_training_section_gives_rate_and_weight_decay(self) -> None:
        training = {"epochs": 1, "batch_size": 1, "lr": 0.5, "weight_decay": 0.25}
        anchors = a_search("ew", RATES, training=training).anchors
        assert anchors == {"lr": 0.5, "weight_decay": 0.25}

    def test_hyper_gives_what_is_not_tuned(self) -> None:
        assert a_search("dwa", RATES, hyper={"temperature": 7}).anchors["temperature"] == 7.0

    def test_hyper_comes_before_the_middle_of_a_line(self) -> None:
        line = {"temperature": {"line": [1, 4]}}
        anchors = a_search("uw-so", RATES, line, hyper={"temperature": 4}).anchors
        assert anchors["temperature"] == 4.0

    def test_defaults_of_the_weighting_are_filled_in(self) -> None:
        assert a_search("dwa", RATES).anchors["temperature"] == 2.0

    def test_a_line_without_a_middle_rests_at_the_default(self) -> None:
        assert a_search("uw", RATES, {"s0": [-1, 0, 1]}).anchors["s0"] == 0.0

    def test_at_fixes_values_for_one_stage(self) -> None:
        weights = {"task_weights": [[0.2, 0.2, 0.6]], "at": {"lr": 0.1}}
        assert a_search("scalarization", RATES, weights).stages[1].at == {"lr": 0.1}


class TestBaseline:
    """Single-task searches: one a task, over every rate that is tried."""

    def rates(self, *searches: dict[str, Any], **keys: Any) -> list[object]:
        plan = a_plan(*searches, **keys)
        first, *_ = plan.searches
        assert first.role == "baseline"
        return [point["lr"] for point in first.stages[0].space.grid()]

    def test_there_is_one_search_a_task(self) -> None:
        plan = a_plan()
        baseline = [search for search in plan.searches if search.role == "baseline"]
        assert [(search.name, search.tasks) for search in baseline] == [
            ("stl/left", ("left",)),
            ("stl/right", ("right",)),
            ("stl/sum", ("sum",)),
        ]

    def test_rates_are_the_union_of_all_searches(self) -> None:
        searches = [
            {"weighting": "ew", "stages": [{"lr": [0.1, 0.001]}]},
            {"weighting": "uw", "stages": [{"lr": [0.01, 0.1]}]},
        ]
        assert self.rates(*searches) == [0.001, 0.01, 0.1]

    def test_rates_that_a_stage_fixes_belong_to_the_union(self) -> None:
        stages = [RATES, {"temperature": [1], "at": {"lr": 0.3}}]
        assert self.rates({"weighting": "uw-so", "stages": stages}) == [0.001, 0.01, 0.1, 0.3]

    def test_the_rate_before_any_is_tuned_belongs_to_the_union(self) -> None:
        stages = [{"temperature": [1, 4]}, {"lr": [0.01, 1]}]
        assert self.rates({"weighting": "uw-so", "stages": stages}) == [0.01, 0.1, 1.0]

    def test_more_rates_may_be_given(self) -> None:
        assert self.rates(baseline={"lr": [0.01, 0.001, 1]}) == [0.01, 0.001, 1.0]

    def test_imported_numbers_take_the_place_of_searches(self) -> None:
        metrics = {
            "left": {"error_rate": 0.5},
            "right": {"error_rate": 0.5},
            "sum": {"mae": 2.0},
        }
        plan = a_plan(baseline={"metrics": metrics})
        assert [search.role for search in plan.searches] == ["search"]

    @pytest.mark.parametrize(
        ("baseline", "said"),
        [
            ({"lr": [0.5]}, r"must contain every learning rate .* Missing: \[0\.001, 0\.01\]"),
            ({"lr": [0.001, 0.01, 0.01]}, r"must not repeat a value\. Got"),
            (
                {"metrics": {"left": {"error": 1.0}}},
                r"every metric of every task\. Missing: left\.error_rate, right\.error_rate, "
                r"sum\.mae\. Unknown: left\.error\. Add",
            ),
            (
                {
                    "metrics": {
                        "left": {"error_rate": 0.0},
                        "right": {"error_rate": 0.5},
                        "sum": {"mae": 2.0},
                    }
                },
                r"`metrics\.left\.error_rate`: its .* is 0 on .*, and Δm divides by it",
            ),
        ],
    )
    def test_a_baseline_that_cannot_serve_is_refused(
        self, baseline: dict[str, Any], said: str
    ) -> None:
        with pytest.raises(BadSpec, match=said):
            a_plan(baseline=baseline)

    def test_rates_must_be_given_where_no_search_lists_them(self) -> None:
        stage = {"lr": {"log_range": [0.01, 1]}, "strategy": "random", "trials": 3}
        with pytest.raises(BadSpec, match="The baseline needs learning rates: no search has"):
            a_search("ew", stage)


@pytest.mark.parametrize(
    ("stage", "said"),
    [
        (
            {"lr": [0.001, 0.01, 0.1], "strategy": "random", "trials": 10},
            ["Search ew, stage 1: 10 trials by random were asked for, and the space of lr has 3 "
             "points: each is tried once."],
        ),
        ({"lr": [0.001, 0.01, 0.1], "strategy": "random", "trials": 3}, []),
        ({"lr": {"log_range": [0.001, 0.1]}, "strategy": "random", "trials": 10}, []),
    ],
)  # fmt: skip
def test_a_plan_says_why_there_are_fewer_trials_than_asked_for(
    stage: dict[str, Any], said: list[str]
) -> None:
    baseline = {"lr": [0.001, 0.01, 0.1]}
    plan = make_plan(spec_of(search=[{"weighting": "ew", "stages": [stage]}], baseline=baseline))
    assert plan.notices == said


MANY_TASKS = """
from trainers.cards import MetricCard, ProblemCard, TaskCard

class Forty:
    card = ProblemCard(
        name="forty", title="Forty tasks", kind="synthetic", source="made up", data_version="1",
        tasks=tuple(
            TaskCard(name=f"t{i}", title=f"T{i}", loss="any",
                     metrics=(MetricCard(name="error", title="Error", direction="min"),))
            for i in range(40)
        ),
        sizes={"train": 1, "validation": 1, "test": 1}, network="none",
    )
    def sources(self, device): ...
    def trunk(self): ...
    def head(self, task): ...
    def functions(self, task): ...
"""


def forty(folder: Path, weights: dict[str, Any]) -> Any:
    (folder / "forty_tasks.py").write_text(MANY_TASKS)
    search = {"weighting": "scalarization", "stages": [RATES, weights]}
    spec = spec_of(problem="forty_tasks:Forty", search=[search])
    return make_plan(spec, folder=str(folder))


def test_too_many_tasks_for_a_step_are_told_the_count_and_a_way_out(tmp_path: Path) -> None:
    with pytest.raises(BadSpec) as caught:
        forty(tmp_path, {"task_weights": {"simplex_step": 0.1}})
    said = str(caught.value)
    assert said.startswith("[[search]] scalarization: Parameter `task_weights`: 40 tasks")
    assert "make 0 points" in said
    assert "Use { dirichlet = 50 }" in said


def test_an_empty_grid_is_refused_for_a_sampling_strategy_too(tmp_path: Path) -> None:
    weights = {"task_weights": {"simplex_step": 0.1}, "strategy": "random", "trials": 4}
    with pytest.raises(BadSpec, match="make 0 points"):
        forty(tmp_path, weights)


def test_forty_tasks_take_random_weights(tmp_path: Path) -> None:
    plan = forty(tmp_path, {"task_weights": {"dirichlet": 50}})
    assert plan.searches[-1].expected_trials == 3 + 50 + 2


def test_a_problem_that_imports_what_is_not_installed_names_it(tmp_path: Path) -> None:
    (tmp_path / "lacking.py").write_text("import no_such_package\n")
    with pytest.raises(BadSpec, match="No module named 'no_such_package'"):
        make_plan(spec_of(problem="lacking:Problem"), folder=str(tmp_path))
