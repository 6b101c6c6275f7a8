"""Whatever code of a user does, a plan is refused in a sentence and a run fails with its cause."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests import toy
from tests.unit.cli.polite import inside, planned
from trainers.engines import network_facts, open_session, train
from trainers.events import RunEnded
from trainers.jobs import Engine, Job, Pack, ProblemRef, Training
from trainers.protocol import Batch, TaskFunctions
from trainers.randomness import Key
from trainers.worker.process import explained

SPEC = """
name = "tried"
problem = "{module}:Mine"
seeds = [0]
training = {{ epochs = 1, batch_size = 4 }}
[[search]]
weighting = "ew"
stages = [{{ lr = [0.05] }}]
"""
DEEDS = {
    "exit 0": "import sys; sys.exit(0)",
    "exit text": "raise SystemExit('bye')",
    "quit": "quit()",
    "base": "raise BaseException('base')",
    "own base": "raise type('Odd', (BaseException,), {})()",
    "generator": "raise GeneratorExit",
    "cancelled": "import asyncio; raise asyncio.CancelledError",
    "markup": "raise ValueError('[/red][bold]\\udcff\\0\\x1b[31m')",
    "long": "raise ValueError('a' * 10**6)",
    "mute": "raise type('Mute', (Exception,), {'__str__': lambda self: 1 / 0})()",
    "stop": "raise StopIteration",
    "deep": "f = lambda: f(); f()",
    "group": "raise ExceptionGroup('many', [ValueError(1), TypeError(2)])",
    "leaves": "import os; os.chdir('/'); raise KeyError('left')",
    "import": "import no_such_module_anywhere",
    "prints": "print('noise' * 100); 1 / 0",
    "memory": "raise MemoryError",
}
PLACES = {
    "module": "{deed}\nclass Mine: pass",
    "class": "class Mine:\n    {deed}",
    "constructor": "class Mine:\n    def __init__(self):\n        {deed}\n{methods}",
    "card": "class Mine:\n    @property\n    def card(self):\n        {deed}\n{methods}",
    "lookup": "def __getattr__(name):\n    {deed}",
    "metaclass": "class M(type):\n    def __getattr__(cls, name):\n        {deed}\n"
    "class Mine(metaclass=M): pass",
}
METHODS = "\n".join(
    f"    def {name}(self, *given): pass" for name in ("sources", "trunk", "head", "functions")
)


@pytest.mark.parametrize("place", PLACES)
def test_code_that_runs_while_planning(place: str, tmp_path: Path) -> None:
    tmp_path = tmp_path.resolve()
    with inside(tmp_path):
        for deed, code in DEEDS.items():
            module = f"{place}_{deed.replace(' ', '_')}"
            text = PLACES[place].format(deed=code, methods=METHODS)
            (tmp_path / f"{module}.py").write_text(text)
            (tmp_path / "a.toml").write_text(SPEC.format(module=module))
            said = planned("a.toml", f"sqlite:///{tmp_path / 'w.db'}")
            assert said, f"{place} that does {deed} passes for a problem"
    assert not (tmp_path / "w.db").exists()


@pytest.mark.parametrize("target", ["sys:exit", "json:Nope", "builtins:int", "os:path", "a.b:C"])
def test_what_is_no_problem_is_refused(target: str, tmp_path: Path) -> None:
    spec = SPEC.replace("{module}:Mine", target).replace("{{", "{").replace("}}", "}")
    (tmp_path / "a.toml").write_text(spec)
    assert planned(str(tmp_path / "a.toml"), f"sqlite:///{tmp_path / 'w.db'}")


def test_an_interrupt_is_no_refusal(tmp_path: Path) -> None:
    (tmp_path / "stopped.py").write_text("raise KeyboardInterrupt")
    (tmp_path / "a.toml").write_text(SPEC.format(module="stopped"))
    with pytest.raises(KeyboardInterrupt):
        planned(str(tmp_path / "a.toml"), f"sqlite:///{tmp_path / 'w.db'}")


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


ERRORS: list[Callable[[], BaseException]] = [
    lambda: SystemExit(0),
    lambda: BaseException("base"),
    KeyboardInterrupt,
    asyncio.CancelledError,
    lambda: ValueError("[/red]\udcff\0" + "a" * 10**6),
    Mute,
]


@dataclass
class Trap:
    """Raises once it has been called often enough."""

    error: Callable[[], BaseException]
    calm_calls: int

    def __call__(self) -> None:
        self.calm_calls -= 1
        if self.calm_calls < 0:
            raise self.error()


@dataclass(frozen=True, kw_only=True)
class Misbehaving(toy.Toy):
    """The toy problem with a trap in one place."""

    place: str
    trap: Callable[[], None] = field(compare=False)

    def _at(self, place: str) -> None:
        if place == self.place:
            self.trap()

    def sources(self, device: torch.device) -> Mapping[str, Any]:
        self._at("sources")
        return {name: _Source(part, self) for name, part in super().sources(device).items()}

    def trunk(self) -> nn.Module:
        self._at("trunk")
        return nn.Sequential(super().trunk(), _Layer(self))

    def head(self, task: str) -> nn.Module:
        self._at("head")
        return super().head(task)

    def functions(self, task: str) -> TaskFunctions:
        self._at("functions")
        parts = super().functions(task)
        metrics = {name: _Metric(metric, self) for name, metric in parts.metrics.items()}
        return TaskFunctions(loss=_Loss(parts.loss, self), metrics=metrics)


@dataclass(frozen=True)
class _Source:
    inner: Any
    problem: Misbehaving

    @property
    def size(self) -> int:
        self.problem._at("size")
        return int(self.inner.size)

    def batches(self, order: Tensor | None, batch_size: int, key: Key) -> Iterator[Batch]:
        for batch in self.inner.batches(order, batch_size, key):
            self.problem._at("batches")
            yield batch


class _Layer(nn.Module):
    def __init__(self, problem: Misbehaving) -> None:
        super().__init__()
        self.problem = problem

    def forward(self, x: Tensor) -> Tensor:
        self.problem._at("forward")
        return x


@dataclass(frozen=True)
class _Loss:
    inner: Callable[[Any, Any], Tensor]
    problem: Misbehaving

    def __call__(self, output: Any, target: Any) -> Tensor:
        self.problem._at("loss")
        return self.inner(output, target)


@dataclass(frozen=True)
class _Metric:
    inner: Any
    problem: Misbehaving

    def statistics(self, output: Tensor, target: Any) -> Tensor:
        self.problem._at("statistics")
        return self.inner.statistics(output, target)  # type: ignore[no-any-return]

    def value(self, total: Tensor) -> float:
        self.problem._at("value")
        return float(self.inner.value(total))


def ends(problem: Misbehaving, engine: Engine) -> list[str]:
    """How two runs of a pack ended, as a worker tells it; or why the problem did not open."""
    jobs = tuple(
        Job(run=n, token=1, weighting="ew", tasks=toy.TASKS, lr=0.1, key=f"{n}") for n in (1, 2)
    )
    training = Training(epochs=2, batch_size=4)
    pack = Pack(
        problem=ProblemRef(target="toy:Toy"),
        training=training,
        seed=0,
        jobs=jobs,
        until_epoch=2,
        engine=engine,
    )
    try:
        session = open_session(problem, "cpu")
        network_facts(session, "float32")
    except BaseException as error:
        return [explained(error)]
    events = [event for event in train(pack, session) if isinstance(event, RunEnded)]
    return [f"{event.outcome}: {event.failure}: {event.reason}" for event in events]


_PLACES = (
    *("sources", "size", "batches", "trunk", "head", "functions"),
    *("forward", "loss", "statistics", "value"),
)


@pytest.mark.parametrize("place", _PLACES)
def test_code_that_runs_while_training(place: str) -> None:
    for number, error in enumerate(ERRORS):
        engine: Engine = "solo" if number % 2 else "fused"
        said = ends(Misbehaving(place=place, trap=Trap(error, calm_calls=0)), engine)
        assert said
        assert all(len(text) < 3000 for text in said)
        assert not any(text.startswith("done") for text in said), (error, said)


@pytest.mark.parametrize("engine", ["solo", "fused"])
@pytest.mark.parametrize("place", ["loss", "value"])
def test_code_that_begins_to_misbehave_under_way(place: str, engine: Engine) -> None:
    problem = Misbehaving(place=place, trap=Trap(lambda: SystemExit(0), calm_calls=100))
    for _ in range(10):  # sooner or later in the middle, and from the start on ever after
        said = ends(problem, engine)
        if "SystemExit: 0" in "".join(said):
            break
    assert "SystemExit: 0" in "".join(said)


def test_there_are_enough_of_them() -> None:
    assert len(PLACES) * len(DEEDS) + len(_PLACES) * len(ERRORS) >= 150
