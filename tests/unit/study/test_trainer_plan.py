"""A trainer in the place of weightings: what may be said of it, and what is planned."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any, ClassVar

import pytest

from study.catalogue import presets
from study.errors import BadSpec, NotAnExtension
from study.planning.extension import check_extension
from study.planning.plan import Plan, make_plan
from study.spec.study_spec import parse
from tests.tiny_trainer import Tiny
from tests.toy import Toy
from trainers.cards import MetricCard, ProblemCard
from trainers.trainer_card import TrainerCard

_BASE: dict[str, Any] = {
    "name": "tried",
    "problem": "tests.toy:Toy",
    "trainer": "tests.tiny_trainer:Tiny",
    "seeds": [0, 1],
    "training": {"epochs": 4, "batch_size": 4},
    "search": [{"name": "plain", "stages": [{"rate": [0.25, 0.5]}]}],
}


OF_WEIGHTINGS: list[dict[str, Any]] = [
    *({"lr": 0.1}, {"optimizer": "sgd"}, {"precision": "bfloat16"}),
    *({"engine": "solo"}, {"engine": "fused"}, {"pack_size": 2}, {"pack_memory_gib": 1.0}),
    *({"checkpoint_s": 1.0}, {"checkpoint_cap_mib": 1.0}),
]
"""What [training] may say, and a trainer does not heed."""


def plan(change: Callable[[dict[str, Any]], object] = lambda _spec: None) -> Plan:
    plain = deepcopy(_BASE)
    change(plain)
    return make_plan(parse(plain, source="s.toml"))


def of_search(*stages: dict[str, Any], **keys: Any) -> Plan:
    return plan(lambda s: s.update(search=[{"stages": list(stages), **keys}]))


def refusal(change: Callable[[dict[str, Any]], object]) -> str:
    with pytest.raises(BadSpec) as caught:
        plan(change)
    return str(caught.value)


class TestPlan:
    def test_trials_are_ranked_by_the_first_objective(self) -> None:
        planned = plan()
        (search,) = planned.searches
        assert planned.spec.objective == "noisy_val_error"
        assert (search.objective.name, search.objective.direction) == ("noisy_val_error", "min")
        assert search.objective.metrics == (("tiny", "error", "min"),)
        assert planned.problem.ranked_by == ("error",)

    def test_a_parameter_rests_at_its_default_if_that_is_tried(self) -> None:
        of_list = of_search({"way": ["plain"]}, {"rate": [0.9, 0.5, 0.1]})
        of_range = of_search({"way": ["plain"]}, {"rate": {"range": [0.6, 0.8], "points": 3}})
        rests = [planned.searches[0].anchors["rate"] for planned in (of_list, of_range)]
        assert rests == [0.5, 0.7]

    def test_searches_are_methods_that_are_called_as_they_are_named(self) -> None:
        (named,) = plan().searches
        assert (named.weighting, named.title) == ("plain", "plain")
        (unnamed,) = of_search({"rate": [0.5]}).searches
        assert (unnamed.weighting, unnamed.title) == ("tests.tiny_trainer:Tiny", "Tiny trainer")

    def test_no_single_task_network_is_planned(self) -> None:
        assert [search.role for search in plan().searches] == ["search"]

    def test_the_problem_keeps_its_kind_and_its_noise(self) -> None:
        noise = {"task": "kind", "kind": "symmetric", "rate": 0.25}
        planned = plan(lambda s: s.update(label_noise=noise))
        assert planned.card.kind == "synthetic"
        assert planned.problem.label_noise["rate"] == 0.25
        assert "wrong labels on purpose" in planned.card.caveats[0]

    def test_one_task_may_be_asked(self) -> None:
        planned = plan(lambda s: s.update(tasks=["kind"]))
        assert planned.problem.tasks == ("kind",)
        assert "must be two tasks or more. Got []" in refusal(lambda s: s.update(tasks=[]))

    def test_a_study_of_another_problem_noise_trainer_or_option_has_other_runs(self) -> None:
        noise = {"task": "kind", "kind": "pair", "rate": 0.25}
        changes: list[dict[str, Any]] = [
            {},
            {"label_noise": noise},
            {"problem_options": {"dropout": 0.1}},
            {"trainer": "tests.unit.study.test_trainer_plan:Renamed"},
        ]
        assert len({plan(lambda s, c=c: s.update(c)).frozen for c in changes}) == len(changes)

    def test_a_problem_may_stay_and_another_trainer_is_refused(self) -> None:
        class Stored:
            name, spec, card = "tried", plan().spec.to_plain(), plan().stored_card

        other = plan(lambda s: s.update(trainer="tests.unit.study.test_trainer_plan:Renamed"))
        with pytest.raises(NotAnExtension, match="trainer: stored"):
            check_extension(Stored, other.spec, other.stored_card)  # type: ignore[arg-type]


class TestRefusals:
    @pytest.mark.parametrize(
        ("stages", "keys", "why"),
        [
            ([{"rat": [0.1]}], {}, "unknown key `rat`. Did you mean `rate`?"),
            ([{"rate": [0.1, 1.5]}], {}, "`rate` must be one of the numbers from 0 to 1. Got 1.5"),
            ([{"rate": {"range": [0.1, 2.0], "points": 3}}], {}, "Got 2.0"),
            ([{"rounds": [1, 1.5]}], {}, "`rounds` must be a whole number. Got 1.5"),
            ([{"rounds": [0]}], {}, "`rounds` must be one of the whole numbers from 1. Got 0"),
            ([{"rate": [0.1]}], {"hyper": {"way": "od"}}, "`way` must be one of 'plain', 'odd'"),
            ([{"rate": [0.1]}], {"hyper": {"wya": "odd"}}, "Did you mean `way`?"),
            ([{"rounds": [1, 2]}], {"hyper": {"way": "odd"}}, "`way` odd needs two rounds"),
            ([{"rate": [0.1]}], {"weighting": "ew"}, "`weighting` excludes `trainer`"),
            ([{"rate": [0.1]}], {"init_from": "x"}, "`init_from` goes with weightings"),
        ],
    )
    def test_of_a_search(self, stages: list[Any], keys: dict[str, Any], why: str) -> None:
        with pytest.raises(BadSpec) as caught:
            of_search(*stages, **keys)
        assert why in str(caught.value)

    @pytest.mark.parametrize(
        ("said", "why"),
        [
            ({"objective": "truly_found"}, "must not use what is hidden from training"),
            ({"objective": "noisy_val_eror"}, "Did you mean `noisy_val_error`?"),
            ({"objective": "delta_m"}, "must be one of trainer tiny"),
            ({"oracle": True}, "`oracle = true` goes with an objective that uses hidden truth"),
            ({"problem": "digits"}, "Tiny needs a task `kind`"),
            ({"problem": "digit"}, "Unknown problem `digit`"),
            ({"trainer": "tiny"}, "There is no trainer `tiny`"),
            ({"trainer": "tests.tiny_trainer:Tin"}, "has no `Tin`"),
            ({"trainer": "tests.toy:Toy"}, "lacks refusal, train"),
            ({"trainer": "tests.not_there:Tiny"}, "was not found"),
            ({"baseline": {}}, "[baseline] goes with weightings"),
            ({"keep": {"networks": "all"}}, "[keep] goes with weightings"),
            ({"compare": {"claim": "C1"}}, "`claim` must be a sentence beside `trainer`"),
            ({"diagnostics": {"gradients": {}}}, "[diagnostics] goes with weightings"),
            ({"function": {"target": "m:f", "metric": "x"}}, "exclude each other"),
        ],
    )
    def test_of_a_spec(self, said: dict[str, Any], why: str) -> None:
        assert why in refusal(lambda s: s.update(said))

    @pytest.mark.parametrize("said", OF_WEIGHTINGS, ids=lambda said: next(iter(said)))
    def test_of_training(self, said: dict[str, Any]) -> None:
        (name,) = said
        assert f"[training] `{name}` goes with weightings" in refusal(
            lambda s: s["training"].update(said)
        )

    @pytest.mark.parametrize("rule", [{"rule": "patience", "rungs": [2], "patience": 1}])
    def test_of_a_rule_that_needs_our_networks(self, rule: dict[str, Any]) -> None:
        assert "ends by its own rule" in refusal(
            lambda s: s["search"][0]["stages"][0].update(stop=rule)
        )


@pytest.mark.parametrize(("preset", "rule"), [("noisy-mini", "last"), ("lesions-mini", "best")])
def test_the_trainer_says_which_epoch_counts_unless_the_study_does(preset: str, rule: str) -> None:
    plain = presets()[preset].model_dump(mode="json", exclude_unset=True)
    plain.pop("compare", None)
    assert make_plan(parse(plain, source="s.toml")).spec.compare.select_epoch == rule
    plain["compare"] = {"select_epoch": "mean_last_2"}
    said = make_plan(parse(plain, source="s.toml")).spec.compare
    assert said.select_epoch == "mean_last_2"


def test_an_oracle_may_select_by_hidden_truth() -> None:
    planned = plan(lambda s: s.update(objective="truly_found", oracle=True))
    assert planned.searches[0].objective.direction == "max"
    assert planned.searches[0].objective.uses_truth


def test_a_front_of_two_objectives_is_searched() -> None:
    planned = plan(lambda s: s.update(objective=["noisy_val_error", "truly_found"], oracle=True))
    (search,) = planned.searches
    assert [one.name for one in search.others] == ["truly_found"]
    assert planned.problem.ranked_by == ("error", "found")


class Seeing(Toy):
    """The toy with a metric that needs hidden truth."""

    @property
    def card(self) -> ProblemCard:
        card = super().card
        level = card.tasks[0]
        truly = MetricCard(name="found", title="Found", direction="max", uses_truth=True)
        return replace(
            card, tasks=(replace(level, metrics=(*level.metrics, truly)), *card.tasks[1:])
        )


class TestWeightings:
    """A problem that is weighted may have such a metric, too."""

    OF: ClassVar[dict[str, Any]] = {
        "problem": "tests.unit.study.test_trainer_plan:Seeing",
        "trainer": None,
        "search": [{"weighting": "ew", "stages": [{"lr": [0.1]}]}],
    }

    def test_it_is_no_part_of_delta_m(self) -> None:
        objective = plan(lambda s: s.update(self.OF)).searches[-1].objective
        assert [metric for _, metric, _ in objective.metrics] == ["error", "error", "error"]

    def test_it_chooses_for_an_oracle_alone(self) -> None:
        by_truth = {**self.OF, "objective": "level.found"}
        assert "must not use what is hidden" in refusal(lambda s: s.update(by_truth))
        planned = plan(lambda s: s.update({**by_truth, "oracle": True}))
        assert planned.searches[-1].objective.title == "level.found (oracle)"


class Renamed:
    """The tiny trainer by another name."""

    def __new__(cls) -> Any:
        from tests.tiny_trainer import Tiny

        return type("Again", (Tiny,), {})()

    def refusal(self) -> None: ...

    def train(self) -> None: ...


def test_rounds_that_do_not_fit_into_the_epochs_are_refused() -> None:
    spec = presets()["noisy-mini"]
    training = spec.training.model_copy(update={"epochs": 49})
    with pytest.raises(BadSpec, match=r"Got 49, and a run takes 50\. Set `epochs = 50`"):
        make_plan(spec.model_copy(update={"training": training}))


class Odd(Tiny):
    """Answers as its `rate` says: a user's trainer may do anything."""

    def refusal(self, problem: ProblemCard, params: Mapping[str, Any]) -> Any:
        if params["rate"] == 0.1:
            raise KeyError("gone")
        if params["rate"] == 0.2:
            raise SystemExit(3)
        return None if params["rate"] == 0.3 else ""

    def n_epochs(self, params: Mapping[str, Any]) -> Any:
        return 4 if params["rate"] != 0.4 else "four"


class Misnamed(Tiny):
    """Its card breaks a rule."""

    @property
    def card(self) -> TrainerCard:
        return replace(super().card, objectives=())


@pytest.mark.parametrize(
    ("rate", "told"),
    [
        (0.1, "`refusal` of trainer `tiny` must return a text. It raised KeyError: 'gone'"),
        (0.2, "`refusal` of trainer `tiny` must return a text. It raised SystemExit: 3"),
        (0.3, "`refusal` of trainer `tiny` must return a text. It returned None"),
        (0.4, "`n_epochs` of trainer `tiny` must return a whole number. It returned 'four'"),
    ],
)
def test_what_a_users_trainer_does_instead_of_answering_is_told(rate: float, told: str) -> None:
    def odd(spec: dict[str, Any]) -> None:
        spec.update(trainer=f"{__name__}:Odd", search=[{"stages": [{"rate": [rate]}]}])

    assert told in refusal(odd)


def test_a_card_that_breaks_a_rule_says_which_in_its_own_words() -> None:
    said = refusal(lambda spec: spec.update(trainer=f"{__name__}:Misnamed"))
    assert "has a card that breaks a rule. TrainerCard `tiny`: `objectives` must not" in said
    assert ".." not in said


def test_a_trainer_that_is_no_text_is_one_finding() -> None:
    said = refusal(lambda spec: spec.update(trainer=3))
    assert "`trainer` must be text in quotes. Got 3" in said
    assert "weighting" not in said.replace("place of weightings", "")
