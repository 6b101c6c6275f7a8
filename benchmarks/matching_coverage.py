"""Do the intervals of costs to match cover? Studies are simulated and judged as real ones are.

    python -m benchmarks.matching_coverage

Prints what share of the 95 % intervals of the fair ratio and of that to the whole grid holds the
truth: the ratio of both curves over all seeds there could be, where a trial is the winner at each
point as likely as it was found to be. One method tunes trials in the order of a line, or in any
order; the other one is a grid. A shift puts the first one's level where it is undecided whether it
arrives. How values vary is that of `benchmarks.coverage`.

Shapes: N trials, S seeds.
"""

from __future__ import annotations

import argparse
import json
import math
from typing import Any, Final

import numpy as np

from benchmarks.coverage import METHODS, SEEDS, Simulated, simulate
from reports._eligible import Fold, eligible
from reports.frames import StudyFrames, load
from reports.measures import FloatArray
from reports.spending import costs_to_match
from reports.spending.curves import trajectory
from reports.spending.stages import course
from tests.unit.reports.synthetic import COLUMNS, STUDY, FakeReader
from tests.unit.reports.synthetic._papers import spec

MARGIN: Final = 1.0
MINE, GRID = "uw-so", "scalarization"
CASES: Final = (
    ("multimnist uw-so", "multimnist scalarization", "line", -7.0),
    ("multimnist uw-so", "multimnist scalarization", "grid", -7.0),
    ("diamonds uw-so", "diamonds scalarization", "line", 1.5),
    ("diamonds ew", "diamonds scalarization", "grid", 3.0),
    ("digits uw-so", "digits scalarization", "line", -90.0),
)
"""Two methods, how the first one's stage is run, and by how much its values are moved."""


def covered(
    case: tuple[str, str, str, float], n_seeds: int, rng: np.random.Generator
) -> tuple[bool, bool, bool]:
    """One study: whether the interval of the fair and of the full ratio hold the truth, and whether
    that is never."""
    name, other, kind, shift = case
    shared = rng.normal(size=(1, 1, n_seeds))
    mine, grid = (simulate(METHODS[one], shared, rng) for one in (name, other))
    made = FakeReader(spec=spec(tuple(range(n_seeds)), 10), rows={view: [] for view in COLUMNS})
    _add(made, MINE, mine, kind, shift)
    _add(made, GRID, grid, "grid", 0.0)
    frames = load(made, STUDY)
    (found,) = costs_to_match(frames, [MINE], GRID, margin=MARGIN)
    value, cost = _truth(frames, GRID, grid.truth[0])
    target = value[-1] + MARGIN
    arrival = _arrival(value, cost, target)
    own = _arrival(*_truth(frames, MINE, mine.truth[0] + shift), target)
    return (
        found.fair.low <= own / arrival <= found.fair.high,
        found.full.low <= own / cost[-1] <= found.full.high,
        math.isinf(own),
    )


def _add(made: FakeReader, search: str, of: Simulated, kind: str, shift: float) -> None:
    """One search of one stage, in which all runs cost the same."""
    validation, test = (values[0] + shift for values in (of.validation, of.test))
    n_trials, n_seeds = validation.shape
    first = len(made.rows["run_results"])
    shared: dict[str, Any] = {"study": STUDY, "search": search}
    run = {"weighting": search, "role": "search", "state": "done", "planned": 1, "epochs": 10}
    run |= {"epoch_selected": 5, "method_cost_s": 1.0, "solo_cost_s": 1.0, "grad_evals": 80}
    made.rows["run_results"] += [
        shared
        | run
        | {"run": first + trial * n_seeds + seed, "trial": trial, "seed": seed}
        | {"params": json.dumps({"lr": 1e-3 * (trial + 1)})}
        | {"delta_m_val": validation[trial, seed], "delta_m_test": test[trial, seed]}
        for trial in range(n_trials)
        for seed in range(n_seeds)
    ]
    made.rows["stage_trials"] += [
        shared
        | {"stage": 0, "kind": kind, "params_tuned": "lr", "round": 0}
        | {"position": trial, "trial": trial}
        for trial in range(n_trials)
    ]


def _truth(frames: StudyFrames, search: str, truth: FloatArray) -> tuple[FloatArray, FloatArray]:
    """A curve over all seeds there could be, and its costs, ``[n]``; `truth` is ``[N]``."""
    path, trials = trajectory(frames, search), eligible(frames, search)
    assert path is not None, "all trials have all their seeds"
    folds = [course(trials, Fold(keys=f.keys, scores=truth), path.stages) for f in trials.folds()]
    values: FloatArray = np.mean([fold.value for fold in folds], axis=0)[path.known]
    return values, path.costs(frames, "solo_s")


def _arrival(value: FloatArray, cost: FloatArray, target: float) -> float:
    """The smallest cost from which on a curve is at its target or below; infinity if never."""
    above = np.flatnonzero(value > target)
    behind = above[-1] + 1 if len(above) else 0
    return float(np.append(cost, np.inf)[behind])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=1000)
    n_studies = parser.parse_args().studies
    print(f"{'':52}" + "".join(f"S = {n_seeds:<16}" for n_seeds in SEEDS))
    print(f"{'':52}" + "fair  full  never   " * len(SEEDS))
    for case in CASES:
        name, other, kind, _ = case
        print(f"{f'{name} ({kind}) / {other}':52}", end="", flush=True)
        for n_seeds in SEEDS:
            rng = np.random.default_rng([n_seeds, 7])
            found = np.mean([covered(case, n_seeds, rng) for _ in range(n_studies)], axis=0)
            print("".join(f"{share:.3f} " for share in found), end="  ", flush=True)
        print()


if __name__ == "__main__":
    main()
