"""What problems share whose pixels have answers: a network of images by name, heads, functions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trainers.nets import ImageNetwork
from trainers.problems._dense_tasks import ARRAYS, n_outputs, task_functions
from trainers.problems._options import check_task

if TYPE_CHECKING:
    from torch import nn

    from trainers.protocol import TaskFunctions


@dataclass(frozen=True, kw_only=True)
class DenseNetwork(ABC):
    """Trunk, heads, losses and metrics of segmentation, depth and normals.

    Attributes:
        network: ``segnet``, ``mtan``, ``deeplabv3`` or ``unet``.
        width: Channels of its first level; None for the usual ones.
        layers: Its levels, or the layers of its ResNet; None for the usual ones.
        pretrained: File with torchvision's weights of the ResNet; empty for none.

    Raises:
        BadOption: There is no such network, or none of that size.
    """

    network: str = "segnet"
    width: int | None = None
    layers: int | None = None
    pretrained: str = ""

    @property
    @abstractmethod
    def targets(self) -> Mapping[str, str]:
        """Task to the array that it is judged by."""

    @property
    @abstractmethod
    def n_classes(self) -> int:
        """Of the segmentation."""

    def trunk(self) -> nn.Module:
        """The shared part: images ``[B, 3, H, W]`` to what `head` takes."""
        return self.image_network.trunk()

    def head(self, task: str) -> nn.Module:
        """From what the trunk gives to ``[B, C, H, W]``: classes, a depth, or a direction.

        Raises:
            UnknownTask: There is no such task.
        """
        check_task(task, self.targets)
        return self.image_network.head(n_outputs(task, self.n_classes))

    def functions(self, task: str) -> TaskFunctions:
        """Loss, metrics, and how many pixels are valid.

        Raises:
            UnknownTask: There is no such task.
        """
        check_task(task, self.targets)
        return task_functions(task, self.n_classes)

    @property
    def image_network(self) -> ImageNetwork:
        """The network by its options.

        Raises:
            BadOption: There is no such network, or none of that size.
        """
        return ImageNetwork(
            name=self.network,
            width=self.width,
            layers=self.layers,
            pretrained=self.pretrained,
            among=ImageNetwork.DENSE,
        )


def targets_of(*tasks: str) -> Mapping[str, str]:
    """Task to the array that it is judged by."""
    return {task: ARRAYS[task] for task in tasks}
