"""Problems of random numbers: what is checked is how they are trained, not what is learned."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from trainers.cards import MetricCard, ProblemCard, TaskCard
from trainers.problems import ErrorRate, TensorSource, cross_entropy
from trainers.protocol import Batch, TaskFunctions
from trainers.randomness import Key

N_CLASSES = 10


@dataclass(frozen=True, kw_only=True)
class Synthetic:
    """Three tasks of ten classes on random inputs.

    Attributes:
        small: A few samples, and a narrow network.
    """

    small: bool = False
    tasks: ClassVar[tuple[str, ...]] = ("first", "second", "third")
    shape: ClassVar[tuple[int, ...]] = (64,)
    convolutional: ClassVar[bool] = False

    @property
    def card(self) -> ProblemCard:
        return ProblemCard(
            name=type(self).__name__.lower(),
            title=type(self).__name__,
            kind="synthetic",
            source="random numbers",
            data_version="1",
            tasks=tuple(_task(name) for name in self.tasks),
            sizes=self.sizes,
            network=type(self).__name__,
            convolutional=self.convolutional,
        )

    @property
    def sizes(self) -> dict[str, int]:
        """Samples by split; the last batch of 64 is not whole."""
        train, other = (72, 24) if self.small else (1_000, 200)
        return {"train": train, "validation": other, "test": other}

    def sources(self, device: torch.device) -> Mapping[str, Any]:
        """Samples that are the same on every device."""
        return {split: self._source(split, n, device) for split, n in self.sizes.items()}

    def functions(self, task: str) -> TaskFunctions:
        """Cross-entropy and the share of errors."""
        return TaskFunctions(loss=cross_entropy, metrics={"error_rate": ErrorRate()})

    def head(self, task: str) -> nn.Module:
        return nn.Linear(self._width, N_CLASSES)

    @property
    def _width(self) -> int:
        return 8 if self.small else 64

    def _source(self, split: str, n: int, device: torch.device) -> TensorSource:
        generator = Key(split).generator()
        inputs = torch.randn(n, *self.shape, generator=generator)
        targets = {
            task: torch.randint(0, N_CLASSES, (n,), generator=generator) for task in self.tasks
        }
        there = {task: target.to(device) for task, target in targets.items()}
        return TensorSource(inputs.to(device), there)


@dataclass(frozen=True, kw_only=True)
class Mlp(Synthetic):
    """The network of the embedded digits: two layers."""

    def trunk(self) -> nn.Module:
        width = self._width
        return nn.Sequential(nn.Linear(64, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())


@dataclass(frozen=True, kw_only=True)
class Dropping(Synthetic):
    """Dropout and normalisation."""

    def trunk(self) -> nn.Module:
        width = self._width
        return nn.Sequential(
            nn.Linear(64, width, bias=False), nn.BatchNorm1d(width), nn.ReLU(), nn.Dropout(0.25)
        )


@dataclass(frozen=True, kw_only=True)
class LeNet(Synthetic):
    """Two convolutions, as for MultiMNIST."""

    shape: ClassVar[tuple[int, ...]] = (1, 28, 28)
    convolutional: ClassVar[bool] = True

    def trunk(self) -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(1, 6, 5),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(6, 16, 5),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(256, self._width),
            nn.ReLU(),
        )


@dataclass(frozen=True, kw_only=True)
class ResNet18(Synthetic):
    """Torchvision's, at 32 pixels."""

    shape: ClassVar[tuple[int, ...]] = (3, 32, 32)
    convolutional: ClassVar[bool] = True

    def trunk(self) -> nn.Module:
        from torchvision.models import resnet18

        return resnet18(num_classes=self._width)  # type: ignore[no-any-return]


@dataclass(frozen=True, kw_only=True)
class Asserting(Mlp):
    """A loss that asks for a class that is not there: on a GPU, an assertion on the device."""

    def functions(self, task: str) -> TaskFunctions:
        usual = super().functions(task)
        return TaskFunctions(loss=_out_of_range, metrics=usual.metrics)


def _out_of_range(output: Tensor, target: Tensor) -> Tensor:
    return output.gather(1, (target + 1_000_000).unsqueeze(1)).mean()


@dataclass(frozen=True, slots=True)
class Decoded:
    """A streamed source of batches that are made when they are asked for, on the CPU."""

    size: int
    shape: tuple[int, ...]
    streamed: ClassVar[bool] = True

    def batches(self, order: Tensor | None, batch_size: int, key: Key) -> Iterator[Batch]:
        """Random batches whose sums can be known."""
        for number in range(self.size // batch_size):
            yield Batch(self.made(number, batch_size), {})

    def made(self, number: int, batch_size: int) -> Tensor:
        """One batch, the same in every call."""
        return torch.randn(batch_size, *self.shape, generator=Key(str(number)).generator())


def _task(name: str) -> TaskCard:
    metric = MetricCard(name="error_rate", title="Error rate", direction="min")
    return TaskCard(name=name, title=name.title(), loss="cross-entropy", metrics=(metric,))


PROBLEMS: dict[str, Callable[..., Synthetic]] = {
    "mlp": Mlp,
    "dropping": Dropping,
    "lenet": LeNet,
    "resnet18": ResNet18,
    "asserting": Asserting,
}
