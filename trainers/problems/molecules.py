"""2,809 organic molecules and seven of their properties, each in its own unit.

Volumes are near 5e-4 and pressures near 3e6, so that losses are ten orders of magnitude apart: a
test of what weightings do where nobody has made the tasks alike. Reading the card loads neither
torch nor data.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trainers.cards import MetricCard, ProblemCard, TaskCard
from trainers.problems._embedded import EmbeddedFile, cache_folder, load_all, version_of
from trainers.problems._options import check_at_least, check_task

if TYPE_CHECKING:
    from torch import device, nn

    from trainers.problems._source import TensorSource
    from trainers.protocol import TaskFunctions

SELECTION_VERSION = 1  # to be raised when the same options would give other molecules or numbers

FILES = tuple(
    EmbeddedFile(
        problem="molecules",
        distribution="chemicals",
        package="chemicals",
        path=path,
        sha256=sha256,
    )
    for path, sha256 in (
        (
            "Critical Properties/Yaws Collection.tsv",
            "8e9cce88b781b13a380c4d21ff86c4fd57d63592ffe3c40a88721fee2614bb64",
        ),
        (
            "Phase Change/Yaws Boiling Points.tsv",
            "b5066ceb80001f0f2b8c2c89b9463a7489c90cb16962ba4775d3b7ebcb4c470f",
        ),
        (
            "Reactions/Yaws Hf S0 (g).tsv",
            "712cf834fc9676eacb00c7079510369ecbbf9cd39258b1fade0014ba3b89b2d7",
        ),
        (
            "Identifiers/chemical identifiers pubchem large.tsv",
            "3b9aac5ae8d270bafc9e72a6af5441ce580f0ce444d1dee48dc37e47474b91fc",
        ),
        (
            "Identifiers/chemical identifiers pubchem small.tsv",
            "21fc5441ba4e159ec3b3993459d7cd0c6d375a1565c7304cc55580e8999ba42e",
        ),
    )
)
_SIZES = {"train": 1_685, "validation": 562, "test": 562}
_INPUTS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A property of molecules.

    Attributes:
        centre: Near its mean, in its unit.
        spread: Near its standard deviation, in its unit.
        resolution: What its errors are rounded to 6e-8 of, in its unit.
    """

    title: str
    unit: str
    centre: float
    spread: float
    resolution: float = 1.0


TARGETS = {
    "Tc": Target(title="Critical temperature", unit="K", centre=630, spread=95),
    "Pc": Target(title="Critical pressure", unit="Pa", centre=3e6, spread=1.2e6),
    "Vc": Target(
        title="Critical volume", unit="m3/mol", centre=5.1e-4, spread=2.1e-4, resolution=2.0**-16
    ),
    "omega": Target(title="Acentric factor", unit="1", centre=0.48, spread=0.22),
    "Tb": Target(title="Boiling point", unit="K", centre=448, spread=85),
    "Hfg": Target(title="Heat of formation", unit="J/mol", centre=-2.25e5, spread=2.1e5),
    "S0g": Target(title="Entropy of the gas", unit="J/(mol K)", centre=480, spread=148),
}


@dataclass(frozen=True, kw_only=True)
class Molecules:
    """From atoms and bonds of a molecule to seven of its thermophysical properties.

    Attributes:
        width: Units of each of the trunk's two layers.
        split_seed: Which molecules go to which split.

    Raises:
        BadOption: An option is out of range.
    """

    width: int = 128
    split_seed: int = 0

    def __post_init__(self) -> None:
        check_at_least("width", self.width, 1)
        check_at_least("split_seed", self.split_seed, 0)

    @property
    def card(self) -> ProblemCard:
        """What the problem is, without its data."""
        return ProblemCard(
            name="molecules",
            title="Molecules: seven properties in units of their own",
            kind="real",
            source="chemicals: Yaws' tables and PubChem's identifiers in its folder",
            data_version=f"sha256:{version_of(FILES)}, selection {SELECTION_VERSION}",
            tasks=tuple(_task_card(name, target) for name, target in TARGETS.items()),
            packages=("chemicals",),
            sizes=_SIZES,
            network=f"MLP {_INPUTS}-{self.width}-{self.width}; linear heads in units",
            licence="chemicals: MIT; data: Yaws' compilation, PubChem (public domain)",
            caveats=(
                "Many values are estimates of the compilation, not measurements; estimates by "
                "groups of atoms are easier to learn than nature is.",
                "The network sees counts of atoms, bonds and groups, no structure; molecules with "
                "the same counts are in one split.",
                "Losses are in the targets' own units, ten orders of magnitude apart, on purpose.",
            ),
        )

    def sources(self, device: device) -> dict[str, TensorSource]:
        """The splits, inputs ``[N, 32]``.

        Raises:
            MissingPackage: The package with the files is not installed.
            DataMissing: The package has no such file.
            DataChanged: A file is not the known one.
        """
        from trainers.problems._compounds import molecule_sources, molecules

        arrays = load_all(FILES, molecules, cache=cache_folder())
        return molecule_sources(arrays, sizes=_SIZES, split_seed=self.split_seed, device=device)

    def trunk(self) -> nn.Module:
        """The shared part: molecules ``[B, 32]`` to features ``[B, width]``."""
        from trainers.nets import Mlp

        return Mlp(_INPUTS, (self.width, self.width))

    def head(self, task: str) -> nn.Module:
        """From ``[B, width]`` to a number ``[B, 1]`` in the target's unit.

        Raises:
            UnknownTask: There is no such task.
        """
        from trainers.nets import UnitHead

        check_task(task, TARGETS)
        target = TARGETS[task]
        return UnitHead(self.width, centre=target.centre, spread=target.spread)

    def functions(self, task: str) -> TaskFunctions:
        """L1 in the target's unit; mean absolute error, and the same relative to the targets.

        Raises:
            UnknownTask: There is no such task.
        """
        from trainers.problems._losses import l1
        from trainers.problems._metrics import MeanAbsoluteError, RelativeAbsoluteError
        from trainers.protocol import TaskFunctions

        check_task(task, TARGETS)
        resolution = TARGETS[task].resolution
        metrics = {
            "mae": MeanAbsoluteError(resolution),
            "relative": RelativeAbsoluteError(resolution),
        }
        return TaskFunctions(loss=l1, metrics=metrics)


def _task_card(name: str, target: Target) -> TaskCard:
    return TaskCard(
        name=name,
        title=target.title,
        loss="L1",
        metrics=(
            MetricCard(name="mae", title="Mean absolute error", direction="min", unit=target.unit),
            MetricCard(name="relative", title="Mean error over mean size", direction="min"),
        ),
    )
