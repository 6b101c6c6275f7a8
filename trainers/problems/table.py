"""Several numbers of each row of a table that the user has, in their own units: QM9 and its like.

Reading the card loads no torch, and of the table what is needed for its hash.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final, Literal

from trainers.cards import MetricCard, ProblemCard, TaskCard
from trainers.problems._options import check_at_least, check_choice, check_task
from trainers.problems.errors import BadOption
from trainers.problems.files.user_files import UserFiles
from trainers.problems.files.where import found_root
from trainers.suggestions import shown

if TYPE_CHECKING:
    from torch import Tensor, device, nn

    from trainers.problems._columns import Scales
    from trainers.problems._source import TensorSource
    from trainers.problems.files.split import Names
    from trainers.problems.files.table_file import Columns, TableFile
    from trainers.protocol import TaskFunctions

QM9: Final = {
    "mu": "D",
    "alpha": "a0^3",
    "homo": "Eh",
    "lumo": "Eh",
    "r2": "a0^2",
    "zpve": "Eh",
    "u0_atom": "kcal/mol",
    "u298_atom": "kcal/mol",
    "h298_atom": "kcal/mol",
    "g298_atom": "kcal/mol",
    "cv": "cal/(mol K)",
}
"""Eleven of QM9's targets as its usual table names them, with their units."""
_KINDS: Final = ("real", "derived", "semi-synthetic", "synthetic")


@dataclass(frozen=True, kw_only=True)
class Table(UserFiles["TableFile"]):
    """From columns of numbers to other columns, each in its own unit.

    Attributes:
        file: Path below `root`, which ends in ``.csv`` or ``.tsv``, and in ``.gz`` if it is packed.
        targets: Column to unit: what is to be learned, a task each.
        inputs: Columns to learn from; none: all that are neither targets nor ignored.
        ignored: Columns that are left out, such as names of samples.
        rows: Number of samples.
        validation_rows: Rows that are held out to select by.
        test_rows: Rows that are held out to judge by.
        width: Units of each of the trunk's two layers.
        loss: ``l1``, in the target's unit, or ``mse``, in its square.
        kind: What reports say of the data.

    Raises:
        BadOption: An option is out of range.
    """

    name: ClassVar[str] = "table"

    file: str = "table.csv"
    targets: Mapping[str, str] = field(default_factory=lambda: dict(QM9))
    inputs: Sequence[str] = ()
    ignored: Sequence[str] = ()
    rows: int = 133_885
    validation_rows: int = 10_000
    test_rows: int = 10_000
    width: int = 128
    loss: Literal["l1", "mse"] = "l1"
    kind: Literal["real", "derived", "semi-synthetic", "synthetic"] = "real"
    _labelled: Callable[[str, int], Tensor] | None = field(default=None, init=False, repr=False)
    _fewer: Sequence[str] = field(default=(), init=False, repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("rows", "validation_rows", "test_rows", "width"):
            check_at_least(name, getattr(self, name), 1)
        check_choice("loss", self.loss, ("l1", "mse"))
        check_choice("kind", self.kind, _KINDS)
        object.__setattr__(self, "targets", _checked_targets(self.targets))
        for name in ("inputs", "ignored"):
            object.__setattr__(self, name, self._checked_columns(name))
        _check_file(self.file)
        if self.rows - self.validation_rows - self.test_rows < 2:
            raise BadOption(
                "`validation_rows` and `test_rows` must leave two of `rows` to train on. Got "
                f"{self.validation_rows:,} and {self.test_rows:,} of {self.rows:,}. Lower them, or "
                "say in `rows` how many the table has."
            )

    @property
    def card(self) -> ProblemCard:
        """What the problem is."""
        chosen = f"{len(self.inputs)}" if self.inputs else "all other"
        return ProblemCard(
            name=self.name,
            title=f"Table: {', '.join(self.targets)} of {chosen} columns"[:200],
            kind=self.kind,
            source=f"a table of yours, {self.file}",
            data_version=self.data_version,
            tasks=tuple(_task_card(name, unit, self.loss) for name, unit in self.targets.items()),
            sizes={
                "train": self.rows - self.validation_rows - self.test_rows,
                "validation": self.validation_rows,
                "test": self.test_rows,
            },
            network=f"MLP {self.width}-{self.width}; linear heads in units",
            free_options=("root",),
            missing=self.missing,
            caveats=(
                "Losses are in the targets' own units, however far these are apart.",
                "Rows are split by chance: rows that are much alike may be in two splits.",
            ),
        )

    def with_labels(self, labelled: Callable[[str, int], Tensor], of: Sequence[str]) -> Table:
        """The same, whose heads are scaled by what `of` keep: `labelled` tells which, ``[n]``."""
        found = replace(self)
        object.__setattr__(found, "_labelled", labelled)
        object.__setattr__(found, "_fewer", of)
        return found

    def samples(self, root: Path) -> TableFile:
        """The table in a folder."""
        from trainers.problems.files.table_file import TableFile

        return TableFile(
            root=root,
            file=self.file,
            targets=tuple(self.targets),
            inputs=tuple(self.inputs),
            ignored=tuple(self.ignored),
            rows=self.rows,
            splits=self._rows,
        )

    def split(self, samples: TableFile) -> Names:
        """Numbers of the rows of each split, from 0 on."""
        return {split: [str(row) for row in rows] for split, rows in samples.splits.items()}

    def paths(self, samples: TableFile) -> Iterable[str]:
        """The one file."""
        return [samples.file]

    def sources(self, device: device) -> dict[str, TensorSource]:
        """The splits, inputs ``[N, F]`` near 0 and 1, targets ``[N]`` in their units.

        Raises:
            DataMissing: Nobody has said where the table is, or there is nothing.
            DataBroken: It is torn, or holds what it must not.
        """
        from trainers.problems._columns import column_sources

        samples = self.samples(found_root(self.name, self.root))
        return column_sources(
            samples.read(),
            samples.splits,
            scales=self._scales,
            tasks=tuple(self.targets),
            device=device,
        )

    def trunk(self) -> nn.Module:
        """The shared part: rows ``[B, F]`` to features ``[B, width]``."""
        from trainers.nets import Mlp

        return Mlp(len(self._scales.inputs[0]), (self.width, self.width))

    def head(self, task: str) -> nn.Module:
        """From ``[B, width]`` to a number ``[B, 1]`` in the target's unit.

        Raises:
            UnknownTask: There is no such task.
        """
        from trainers.nets import UnitHead

        check_task(task, self.targets)
        centre, spread = self._scales.of_target([*self.targets].index(task))
        return UnitHead(self.width, centre=centre, spread=spread)

    def functions(self, task: str) -> TaskFunctions:
        """L1 or MSE in the target's unit; mean absolute error, and relative to the targets.

        Raises:
            UnknownTask: There is no such task.
        """
        from trainers.problems._losses import l1, mse, valid_elements
        from trainers.problems._metrics import MeanAbsoluteError, RelativeAbsoluteError
        from trainers.protocol import TaskFunctions

        check_task(task, self.targets)
        resolution = self._scales.resolution([*self.targets].index(task))
        metrics = {
            "mae": MeanAbsoluteError(resolution),
            "relative": RelativeAbsoluteError(resolution),
        }
        return TaskFunctions({"l1": l1, "mse": mse}[self.loss], metrics, valid_elements)

    @cached_property
    def _scales(self) -> Scales:
        """Means and spreads of training rows, which network and metrics are made for.

        Raises:
            BadOption: Too few labels are left to know a spread.
        """
        from trainers.problems._columns import scales_of

        samples = self.samples(found_root(self.name, self.root))
        columns, train = samples.read(), samples.splits["train"]
        return scales_of(columns, train, self._kept(columns, train))

    def _kept(self, columns: Columns, train: Sequence[int]) -> dict[int, Sequence[int]]:
        """Number of a target with fewer labels to those training rows, from 0, that keep theirs."""
        found: dict[int, Sequence[int]] = {}
        if self._labelled is None:
            return found
        for task in self._fewer:
            at = [*self.targets].index(task)
            found[at] = rows = self._labelled(task, len(train)).tolist()
            values = {*columns.targets[[train[row] for row in rows], at].tolist()}
            if len({value for value in values if not math.isnan(value)}) < 2:
                raise BadOption(
                    "`train_fraction` must keep two labels of a target that differ, by which its "
                    f"head is scaled. Of {len(rows):,} rows that it keeps of `{task}`, none do. "
                    "Raise it."
                )
        return found

    @cached_property
    def _rows(self) -> Mapping[str, Sequence[int]]:
        from trainers.problems.files.split import carved

        rest = carved([str(row) for row in range(self.rows)], self.test_rows, self.split_seed)
        found = carved(rest["train"], self.validation_rows, self.split_seed)
        names = {**found, "test": rest["validation"]}
        return {split: [int(row) for row in rows] for split, rows in names.items()}

    def _checked_columns(self, option: str) -> tuple[str, ...]:
        value = getattr(self, option)
        taken = {*self.targets, *(self.inputs if option == "ignored" else ())}
        wrong = not isinstance(value, list | tuple) or any(
            not isinstance(name, str) or not name for name in value
        )
        if wrong or len({*value}) < len(value) or taken & {*value}:
            raise BadOption(
                f"`{option}` must be a list of columns that differ and are nothing else, neither "
                f"targets nor of another list. Got {shown(value)}. Name each column once."
            )
        return tuple(value)


def _checked_targets(value: object) -> dict[str, str]:
    """Column to unit.

    Raises:
        BadOption: It is something else.
    """
    if (
        not isinstance(value, Mapping)
        or not value
        or not all(isinstance(text, str) and text for pair in value.items() for text in pair)
    ):
        raise BadOption(
            "`targets` must be a table of columns with their units, and not be empty. Got "
            f'{shown(value)}. Write targets = {{ gap = "eV", mu = "D" }}; of a share, "1".'
        )
    return dict(value)


def _check_file(value: object) -> None:
    """Refuse what is no path of a table below a folder.

    Raises:
        BadOption: It is something else.
    """
    endings = tuple(f"{kind}{packed}" for kind in (".csv", ".tsv") for packed in ("", ".gz"))
    path = Path(value if isinstance(value, str) else "")
    below = not path.is_absolute() and ".." not in path.parts
    if not isinstance(value, str) or not value.endswith(endings) or not below:
        raise BadOption(
            f"`file` must be a path below `root` that ends in {', '.join(endings)}. Got "
            f"{shown(value)}. Write the table in one of these forms."
        )


def _task_card(name: str, unit: str, loss: str) -> TaskCard:
    return TaskCard(
        name=name,
        title=f"Column {name}",
        loss=loss.upper(),
        metrics=(
            MetricCard(name="mae", title="Mean absolute error", direction="min", unit=unit),
            MetricCard(name="relative", title="Mean error over mean size", direction="min"),
        ),
    )
