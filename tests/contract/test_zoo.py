"""Every network of the zoo: solo is plain PyTorch, and a stack is solo or refuses with a reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.contract.engine_repeating import by_epoch, resumed, trained
from tests.contract.fused_cases import fused
from tests.contract.network_zoo import ZOO, clipping_steps
from tests.contract.zoo_parts import PAIR, Housed, Kind
from tests.packs import Told, a_job, a_pack, a_session, told
from trainers.engines import network_facts, open_session, train
from trainers.jobs import Job, Pack
from trainers.network import build_network
from trainers.randomness import Key

pytestmark = pytest.mark.filterwarnings("ignore:There is a performance drop")  # but none in bits

EPOCHS = 2
REL = 1e-7
Curves = dict[int, dict[str, float]]


@pytest.fixture(scope="module", autouse=True)
def exact() -> Iterator[None]:
    """In double precision, on one thread: what differs is no rounding."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)
    torch.set_num_threads(threads)


@pytest.mark.parametrize("name", ZOO)
def test_a_network_of_the_zoo(name: str, tmp_path: Path) -> None:
    keeps_its_promises(ZOO[name], tmp_path)


def test_a_hook_on_the_steps_of_optimisers(tmp_path: Path) -> None:
    with clipping_steps() as kind:
        keeps_its_promises(kind, tmp_path)


def keeps_its_promises(kind: Kind, folder: Path) -> None:
    problem = Housed(kind)
    facts = network_facts(open_session(problem, "cpu"))
    assert kind.refused in facts.obstacle
    assert bool(facts.obstacle) == bool(kind.refused)
    assert kind.unsaved in facts.unsaved
    assert bool(facts.unsaved) == bool(kind.unsaved)
    jobs = [a_job(run, lr=lr, tasks=PAIR) for run, lr in ((1, 0.05), (2, 0.01))]
    pack = a_pack(*jobs, epochs=EPOCHS, optimizer="sgd", checkpoints=folder, checkpoint_s=0.0)
    pack = replace(pack, unsaved=facts.unsaved)
    runs = trained(train, pack, problem)
    alone = flat(by_epoch(runs))
    assert alone[1] == near(by_hand(problem, jobs[0], pack))
    expected = {run: near(curves) for run, curves in alone.items()}
    if facts.obstacle:
        assert gone_on(train, pack, problem, runs) == expected
    else:
        stacked = trained(fused, pack, problem)
        assert flat(by_epoch(stacked)) == expected
        assert gone_on(fused, pack, problem, stacked) == expected


def gone_on(engine: Any, pack: Pack, problem: Housed, runs: dict[int, Told]) -> dict[int, Curves]:
    """The same from what was saved after the first epoch, in another worker."""
    another = replace(a_session(problem), padding_rows={})
    return flat(by_epoch(runs, told(engine(resumed(pack, runs), another))))


def flat(runs: Any) -> dict[int, Curves]:
    return {
        run: {
            epoch: {
                f"{split} {task} {metric}": value
                for (split, task, metric), value in values.items()
                if metric != "weight"
            }
            for epoch, values in epochs.items()
        }
        for run, epochs in runs.items()
    }


def near(curves: Curves) -> Any:
    return {e: pytest.approx(values, rel=REL, abs=1e-6) for e, values in curves.items()}


def by_hand(problem: Housed, job: Job, pack: Pack) -> Curves:
    """What plain PyTorch makes of a run; only what is random has our addresses."""
    key = Key(str(pack.seed))
    network = build_network(problem, PAIR, key / "init")
    functions = {task: problem.functions(task) for task in PAIR}
    learns = any(param.requires_grad for param in network.parameters())
    optimizer = torch.optim.SGD([*network.parameters()] if learns else [torch.ones(1)], job.lr, 0.9)
    sources = problem.sources(torch.device("cpu"))
    found: Curves = {}
    for epoch in range(1, EPOCHS + 1):
        order = torch.randperm(12, generator=(key / "order" / epoch).generator())
        (key / "dropout" / epoch).seed_global()
        network.train()
        sums = dict.fromkeys(PAIR, 0.0)
        for rows in order.split(pack.training.batch_size):
            source = sources["train"]
            outputs = network(source.inputs[rows])
            parts = {
                task: functions[task].loss(outputs[task], source.targets[task][rows])
                for task in PAIR
            }
            if learns:
                optimizer.zero_grad()
                torch.stack(list(parts.values())).sum().backward()
                optimizer.step()
            for task, part in parts.items():
                sums[task] += part.item() / 2
        found[epoch] = {f"train {task} loss": value for task, value in sums.items()}
        network.eval()
        for split in ("validation", "test"):
            source = sources[split]
            with torch.no_grad():
                outputs = network(source.inputs.clone())
                for task, parts in functions.items():
                    target = source.targets[task].clone()
                    loss = parts.loss(outputs[task], target)
                    found[epoch][f"{split} {task} loss"] = loss.item()
                    metric = parts.metrics["error"]
                    value = metric.value(metric.statistics(outputs[task], target))
                    found[epoch][f"{split} {task} error"] = value
    return found
