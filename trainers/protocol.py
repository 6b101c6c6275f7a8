"""What a problem must offer: data, a trunk, heads, losses and metrics.

The protocols are structural: a user's class needs the methods, not a base class.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from trainers.cards import ProblemCard
from trainers.randomness import Key

if TYPE_CHECKING:
    from torch import Tensor, device, nn


@dataclass(frozen=True, slots=True)
class Batch:
    """Samples that go through the network together.

    Engines hand out copies: a network or a loss may change its batch in place, and nobody else
    will see it.

    Attributes:
        inputs: What the trunk takes: ``[B, ...]`` or any nest of such tensors.
        targets: Task name to what its loss and metrics take, ``[B, ...]``; masks and ignored
            labels are the target's own affair, see `TaskFunctions.valid_elements`.
    """

    inputs: Any
    targets: Mapping[str, Any]


class Source(Protocol):
    """The samples of one split, in memory or streamed.

    A source whose batches are expensive to make (images are decoded, augmented) says so by an
    attribute ``streamed = True``; one without it counts as being in memory. The batches of a
    streamed source are made while the network trains, by a thread that lives as long as one pass
    over the data, a few batches ahead; each is made once for all runs of a pack. They may lie on
    the CPU, whatever the device. One whose batches are made anew each time, and are nobody else's,
    says ``fresh = True``: engines then hold no copies of them.
    """

    @property
    def size(self) -> int:
        """Number of samples."""

    def batches(self, order: Tensor | None, batch_size: int, key: Key) -> Iterator[Batch]:
        """Yield the samples in batches.

        Args:
            order: Sample indices ``[N]``, int64, all or some; None for the stored order
                (evaluation).
            batch_size: Samples a batch; the last one may be smaller.
            key: Address of all randomness, e.g. of augmentation: draw from
                ``key / sample_index``, never from a global generator. Networks draw dropout
                from torch's meanwhile, so that drawing from it here would change both.
        """


class Metric(Protocol):
    """A metric as a sum over samples, so that batches, packs and devices can be added up.

    Sums are taken in float64, whatever the dtype of a batch's statistics.

    A metric that needs all samples at once (the area under a ROC curve) says so by an attribute
    ``gathered = True``: the statistics of its batches are put one after the other instead of being
    added up, and ``value`` is given all of them. They take as much memory as they are many.
    """

    def statistics(self, output: Tensor, target: Any) -> Tensor:
        """Additive statistics ``[Q]`` of one batch (counts, sums, a flattened confusion table).

        Args:
            output: What the head returns: ``[B, ...]``.
            target: The batch's target of the task.
        """

    def value(self, total: Tensor) -> float:
        """The metric from statistics ``[Q]`` summed over the split.

        A scalar of numpy or torch will do; it becomes a float.
        """


@dataclass(frozen=True, slots=True)
class TaskFunctions:
    """How one task is trained and judged.

    Attributes:
        loss: Head output and target to a scalar ``[]`` in floating point: the mean over the
            batch's valid elements.
        metrics: Metric name to metric; the names are those of the task's card.
        valid_elements: Target to its number of valid elements, a whole number ``[]`` of any dtype,
            where batches may have none: a task without any is left out of the step's weights and
            of the means, and its loss is not asked for. None: the loss of every batch counts.
    """

    loss: Callable[[Any, Any], Tensor]
    metrics: Mapping[str, Metric]
    valid_elements: Callable[[Any], Tensor] | None = None


@runtime_checkable
class Problem(Protocol):
    """A card and a factory. Options of a study's ``[problem_options]`` go to the constructor.

    Four methods are optional. ``with_labels`` is for problems that compute something of training
    targets, see `trainers.problems`; ``labelled_samples(n_samples)`` for those that lack labels of
    training samples: task to the numbers ``[n]``, int64, of the samples that have one. A network of
    such a task alone is trained on these. ``true_labels(task, split)`` is for those some of whose
    labels are known to be wrong: the true ones ``[N]``, int64, in the order in which the split is
    stored, or None. Only who judges asks for them; see `true_labels`. ``evaluation_regions(split)``
    is for those that know where lesions are, and for who judges, too: `trainers.problems.regions`.
    """

    @property
    def card(self) -> ProblemCard:
        """What the problem is; must not load data, and should not import torch."""

    def sources(self, device: device) -> Mapping[str, Source]:
        """The splits ``train``, ``validation`` and ``test``, loaded once a worker."""

    def trunk(self) -> nn.Module:
        """The shared part, initialised from torch's global generator."""

    def head(self, task: str) -> nn.Module:
        """The part of one task; takes what the trunk returns."""

    def functions(self, task: str) -> TaskFunctions:
        """Loss and metrics of one task."""


def labelled_samples(problem: Problem, n_samples: int) -> Mapping[str, Tensor]:
    """Of tasks without a label for each of N training samples: those that have one.

    Each is ``[n]``, int64.
    """
    found = getattr(problem, "labelled_samples", None)
    return found(n_samples) if found is not None else {}


def true_labels(problem: Problem, task: str, split: str) -> Tensor | None:
    """The labels ``[N]`` of a split before somebody made them wrong, int64, on the CPU; or None.

    For evaluation alone: nothing that trains, chooses or relabels may be given them.
    """
    found = getattr(problem, "true_labels", None)
    return None if found is None else found(task, split)
