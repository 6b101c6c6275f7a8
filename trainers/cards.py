"""What a problem says about itself, in plain values: no torch, no data is touched.

Cards check everything when they are made; `BadCard` names the card, the field and the way out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from trainers._card_checks import Fields

Direction = Literal["min", "max"]
Images = Literal["none", "labelled", "dense"]
Kind = Literal["real", "composed", "derived", "semi-synthetic", "synthetic", "function"]

LOSS = "loss"
"""Validation and test have the loss of each task beside its metrics."""
_MEANT = {
    **dict.fromkeys(("minimize", "minimise", "lower", "low", "down", "smaller"), "min"),
    **dict.fromkeys(("maximize", "maximise", "higher", "high", "up", "larger"), "max"),
}
_SHARES = ("error_rate", "error rate", "accuracy")


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricCard:
    """One number a task is judged by.

    Attributes:
        name: Key in the database.
        direction: ``min`` if lower is better, else ``max``.
        unit: Unit of the value, ``"1"`` for shares.
        share: It is a share of a split's samples, so that it moves in steps of 1/size (of 100/size
            in ``"%"``); None: as its name or title says (``error_rate``, ``accuracy``).
        signed: It can be negative (R2, log-likelihood, correlation), so that its zero is arbitrary
            and reports say so.
        uses_truth: Its value needs what is hidden from training (labels without their noise), so
            that it can be reported, and select only in a study that says `oracle = true`.

    Raises:
        BadCard: A field breaks a rule.
    """

    name: str
    title: str
    direction: Direction
    unit: str = "1"
    share: bool | None = None
    signed: bool = False
    uses_truth: bool = False

    def __post_init__(self) -> None:
        fields = Fields("MetricCard", self.name)
        name, title = fields.name("name", self.name), fields.text("title", self.title)
        if self.share is None:
            share = name in _SHARES or title.lower() in _SHARES
        else:
            share = fields.flag("share", self.share)
        _keep(
            self,
            name=name,
            title=title,
            direction=fields.choice("direction", self.direction, get_args(Direction), _MEANT),
            unit=fields.text("unit", self.unit),
            share=share,
            signed=fields.flag("signed", self.signed),
            uses_truth=fields.flag("uses_truth", self.uses_truth),
        )

    def step(self, size: int) -> float:
        """The smallest difference that it can show on a split of so many samples; 0 for any."""
        return (100.0 if self.unit == "%" else 1.0) / size if self.share else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCard:
    """One task: its loss and its metrics; the first metric is the primary one.

    Attributes:
        classes: Of how many classes each sample has one, class numbers from 0 on; 2 of a label that
            is 0 or 1. None: its labels are something else, or nobody has said.

    Raises:
        BadCard: A field breaks a rule.
    """

    name: str
    title: str
    loss: str
    metrics: tuple[MetricCard, ...]
    classes: int | None = None

    def __post_init__(self) -> None:
        fields = Fields("TaskCard", self.name)
        _keep(
            self,
            name=fields.name("name", self.name),
            title=fields.text("title", self.title),
            loss=fields.text("loss", self.loss),
            metrics=fields.cards("metrics", self.metrics, MetricCard),
            classes=None if self.classes is None else fields.classes("classes", self.classes),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemCard:
    """A problem as `plan`, `compare` and the reports need it.

    Attributes:
        kind: Whether the data is real, composed from real parts, derived from measurements, ...;
            ``function`` for a training function, whose data is its own affair.
        source: Package or folder the data comes from.
        data_version: Changes whenever the same options would give other samples; part of each
            run's key. A string, or anything else that JSON can write. For embedded data: the
            file's SHA-256 and the version of the split rule.
        sizes: Samples by split: ``train``, ``validation``, ``test``.
        distinct: Of splits whose samples share parts (pairs of the same digits, crops of the same
            photo): how many there could be that share none, so that reports do not count on more.
        network: The network in a few words.
        packages: Packages that must be importable for its data.
        convolutional: Whether the network convolves; decides the engine on a CPU.
        free_options: Options that say where data lies or how it is read, and change nothing of a
            run: a study may go on with others.
        images: ``labelled`` if inputs are images ``[B, C, H, W]`` of one or three channels, 0 to 1;
            ``dense`` if a task has a target a pixel, too; ``none`` if they are something else.
        feature_maps: Whether the trunk ends in feature maps ``[B, C, h, w]`` that heads take the
            mean of, as class activation maps need it.
        missing: What runs lack on this machine, and the way out; empty if nothing is.

    Raises:
        BadCard: A field breaks a rule.
    """

    name: str
    title: str
    kind: Kind
    source: str
    data_version: object
    tasks: tuple[TaskCard, ...]
    sizes: Mapping[str, int]
    network: str
    convolutional: bool = False
    licence: str = ""
    caveats: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    distinct: Mapping[str, int] = field(default_factory=dict)
    free_options: tuple[str, ...] = ()
    missing: str = ""
    images: Images = "none"
    feature_maps: bool = False

    def __post_init__(self) -> None:
        fields = Fields("ProblemCard", self.name)
        kind = fields.choice("kind", self.kind, get_args(Kind), {})
        tasks = fields.cards("tasks", self.tasks, TaskCard)
        if kind != "function":
            _refuse_taken(fields, tasks)
        _keep(
            self,
            name=fields.name("name", self.name, longest=300),
            title=fields.text("title", self.title),
            source=fields.text("source", self.source),
            data_version=fields.plain("data_version", self.data_version),
            tasks=tasks,
            sizes=fields.sizes("sizes", self.sizes, required=kind != "function"),
            network=fields.text("network", self.network),
            convolutional=fields.flag("convolutional", self.convolutional),
            licence=fields.text("licence", self.licence),
            caveats=fields.texts("caveats", self.caveats),
            packages=fields.packages("packages", self.packages),
            distinct=fields.sizes("distinct", self.distinct, required=False),
            free_options=fields.texts("free_options", self.free_options),
            missing=fields.text("missing", self.missing),
            images=fields.choice("images", self.images, get_args(Images), {}),
            feature_maps=fields.flag("feature_maps", self.feature_maps),
        )

    @property
    def task_names(self) -> tuple[str, ...]:
        """Names of the tasks, in the order of the loss vector."""
        return tuple(task.name for task in self.tasks)

    def to_plain(self) -> dict[str, Any]:
        """The card as JSON-ready values."""
        return asdict(self)


def _refuse_taken(fields: Fields, tasks: tuple[TaskCard, ...]) -> None:
    """Names of metrics must leave room for what is recorded beside them, and stay apart."""
    columns: dict[str, str] = {}
    for task in tasks:
        for metric in task.metrics:
            if metric.name == LOSS:
                raise fields.bad(
                    "tasks",
                    f"must not call a metric `{LOSS}`, which is recorded by itself",
                    f"{task.name}.{metric.name}",
                    "Rename the metric.",
                )
            mine, column = f"{task.name}.{metric.name}", f"{task.name}_{metric.name}"
            if column in columns:
                raise fields.bad(
                    "tasks",
                    f"must make columns that differ; `{column}` stands for two metrics",
                    f"{columns[column]} and {mine}",
                    "Rename one of them.",
                )
            columns[column] = mine


def _keep(card: Any, **checked: object) -> None:
    """Put checked values into a frozen card."""
    for name, value in checked.items():
        object.__setattr__(card, name, value)
