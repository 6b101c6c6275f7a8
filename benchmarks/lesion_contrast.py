"""How hard `fundus-lesions` is at which contrast: ``python -m benchmarks.lesion_contrast``.

The default network learns `present` alone, by Adam in a bare loop on one thread. Prints a table
and, last, one JSON object: area under the ROC curve on test tiles, by contrast and seed, and the
processor time of a run.
"""

from __future__ import annotations

import argparse
import json
import time

import torch

from trainers.problems.fundus_lesions import FundusLesions
from trainers.randomness import Key

TASK = "present"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contrasts", type=float, nargs="+", default=[0.5, 0.6, 0.7])
    parser.add_argument("--distractors", type=int, default=FundusLesions.distractors)
    parser.add_argument("--tiles", type=int, default=FundusLesions.train_tiles)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=16)
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--batch-size", type=int, default=16)
    options = parser.parse_args()
    torch.set_num_threads(1)
    found: dict[str, list[float]] = {}
    print("contrast  seed  AUROC  seconds")
    for contrast in options.contrasts:
        problem = FundusLesions(
            contrast=contrast, distractors=options.distractors, train_tiles=options.tiles
        )
        for seed in range(options.seeds):
            start = time.process_time()
            auroc = trained(
                problem,
                seed,
                epochs=options.epochs,
                lr=options.lr,
                batch_size=options.batch_size,
            )
            took_s = time.process_time() - start
            print(f"{contrast:8}  {seed:4}  {auroc:.3f}  {took_s:7.0f}", flush=True)
            found.setdefault(str(contrast), []).append(auroc)
    print(json.dumps({"auroc": found}))


def trained(problem: FundusLesions, seed: int, *, epochs: int, lr: float, batch_size: int) -> float:
    """Area under the ROC curve on test tiles after the last epoch."""
    torch.manual_seed(seed)
    sources = problem.sources(torch.device("cpu"))
    network = torch.nn.Sequential(problem.trunk(), problem.head(TASK))
    functions, key = problem.functions(TASK), Key(str(seed))
    optimizer = torch.optim.Adam(network.parameters(), lr=lr)
    for epoch in range(epochs):
        order = torch.randperm(sources["train"].size, generator=(key / epoch).generator())
        for batch in sources["train"].batches(order, batch_size, key):
            optimizer.zero_grad()
            output = network(batch.inputs)
            functions.loss(output, batch.targets[TASK]).backward()
            optimizer.step()
    metric = functions.metrics["auroc"]
    with torch.no_grad():
        statistics = [
            metric.statistics(network(batch.inputs), batch.targets[TASK])
            for batch in sources["test"].batches(None, 100, key)
        ]
    return metric.value(torch.cat(statistics))


if __name__ == "__main__":
    main()
