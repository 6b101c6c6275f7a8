"""``weighbridge network``: a trained network in a file of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from study.cli._options import STORAGE, AsJson, StorageUrl, Study
from study.cli._output import file_size, json_alone, next_step, print_json, say

NAME = "network"


def command(
    study: Study,
    output: Annotated[
        Path, typer.Option("-o", "--output", help="The file to write, for `torch.load`.")
    ] = Path("model.pt"),
    search: Annotated[
        str | None,
        typer.Option(
            "--search",
            metavar="NAME",
            help="Of which search, such as uw or stl/left; default: the one that is best.",
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option("--seed", help="Of the run; default: the best one on validation."),
    ] = None,
    retrain: Annotated[
        bool,
        typer.Option("--retrain", help="Train the run once more if its network is not there."),
    ] = False,
    device: Annotated[
        str, typer.Option("--device", help="Where it is trained then, such as cuda:0.")
    ] = "cpu",
    storage: StorageUrl = STORAGE,
    as_json: AsJson = False,
) -> None:
    """Take a network out of a study: of the best trial, after its run's selected epoch."""
    from study.api import Study as OpenedStudy
    from trainers.trained_network import place_for

    place_for(output)
    kept: list[str] = []
    with json_alone(as_json):
        found = OpenedStudy.open(study, storage=storage).network(
            search, seed=seed, retrain=retrain, device=device, say=kept.append
        )
    size = found.save(output)
    if as_json:
        about = {"search": found.search, "trial": found.trial, "seed": found.seed}
        written = {"path": str(output), "size_bytes": size, "notes": kept}
        print_json("network", {**about, "epoch": found.epoch, **written})
        return
    say(
        f"Wrote {output} ({file_size(size)}): search {found.search}, trial {found.trial}, seed "
        f"{found.seed}, after epoch {found.epoch}."
    )
    for sentence in kept:
        say(sentence)
        next_step("retry", study, storage=storage, why="if runs failed for want of it")
        next_step("run", study, storage=storage)
