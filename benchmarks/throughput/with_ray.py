"""Ray Tune's grid search, as its documentation shows, or with actors that are used again.

``python -m benchmarks.throughput.with_ray FOLDER [--reuse]``. The driver does not import torch,
only the trials need it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import ray
from ray import tune

from benchmarks.throughput.measured import changed
from benchmarks.throughput.workload import Finals, Workload

stored = changed("results/**/result.json")
_AT_ONCE = 2


def train_point(config: dict[str, Any]) -> None:
    """One trial as a function: a process of its own, which loads torch and the data."""
    from benchmarks.throughput.training import load, train

    workload = Workload.read(Path(config["workload"]))
    for values in train(workload, workload.points[config["point"]], load(workload)):
        tune.report(values)


class Trainer(tune.Trainable):
    """One trial as an object, which goes on with the next point where it has ended."""

    def setup(self, config: dict[str, Any]) -> None:
        from benchmarks.throughput.training import load

        self.workload = Workload.read(Path(config["workload"]))
        self.loaded = load(self.workload)
        self.reset_config(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        from benchmarks.throughput.training import train

        self.epochs = train(self.workload, self.workload.points[new_config["point"]], self.loaded)
        return True

    def step(self) -> dict[str, float]:
        return next(self.epochs)


def main(folder: Path, *, reuse: bool) -> None:
    path = folder / "workload.json"
    workload = Workload.read(path)
    ray.init(address="local", num_cpus=2, include_dashboard=False, _temp_dir=str(folder / "r"))
    stop = {"training_iteration": workload.epochs} if reuse else None
    tuner = tune.Tuner(
        tune.with_resources(Trainer if reuse else train_point, {"cpu": 1}),
        param_space={
            "workload": str(path),
            "point": tune.grid_search(list(range(len(workload.points)))),
        },
        tune_config=tune.TuneConfig(max_concurrent_trials=_AT_ONCE, reuse_actors=reuse),
        run_config=tune.RunConfig(
            storage_path=str(folder / "results"),
            stop=stop,
            # A class is asked for a checkpoint at its end otherwise; a function is not.
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False) if reuse else None,
        ),
    )
    results = tuner.fit()
    if results.errors:
        sys.exit(f"{results.num_errors} trials failed, the first by {results.errors[0]!r}")
    ended = [results[number] for number in range(len(results))]
    found = {r.config["point"]: _values(r.metrics) for r in ended if r.config and r.metrics}
    (folder / "finals.json").write_text(json.dumps(found))


def commands(folder: Path, workload: Workload, *flags: str) -> list[list[str]]:
    workload.write(folder / "workload.json")
    return [[sys.executable, "-m", "benchmarks.throughput.with_ray", str(folder), *flags]]


def finals(folder: Path, _workload: Workload) -> Finals:
    stored = json.loads((folder / "finals.json").read_text())
    return {int(number): values for number, values in stored.items()}


def _values(metrics: dict[str, Any]) -> dict[str, float]:
    return {k: v for k, v in metrics.items() if k.startswith(("validation/", "test/"))}


if __name__ == "__main__":
    main(Path(sys.argv[1]), reuse="--reuse" in sys.argv)
