"""Batches go to a GPU on a stream of their own; a fake stands for CUDA."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor

from trainers.protocol import Batch
from trainers.reading import Copies

GPU = torch.device("meta")


class Cuda:
    """Notes what is done on which stream."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.done: list[str] = []
        self.on = "computing"
        monkeypatch.setattr(torch.cuda, "Stream", lambda _device: self)
        monkeypatch.setattr(torch.cuda, "stream", self._entered)
        monkeypatch.setattr(torch.cuda, "current_stream", lambda _device: self)
        monkeypatch.setattr(Tensor, "pin_memory", lambda tensor: self._pinned(tensor))
        monkeypatch.setattr(Tensor, "record_stream", lambda _tensor, _stream: self._kept())

    @contextmanager
    def _entered(self, _stream: Any) -> Any:
        self.on = "copying"
        yield
        self.on = "computing"

    def _pinned(self, tensor: Tensor) -> Tensor:
        self.done.append(f"{self.on}: copy")
        return tensor

    def _kept(self) -> None:
        self.done.append(f"{self.on}: keep")

    def record_event(self) -> str:
        self.done.append(f"{self.on}: arrived")
        return "arrived"

    def wait_event(self, event: str) -> None:
        self.done.append(f"{self.on}: wait until {event}")


def test_what_is_copied_beside_the_computation_is_waited_for_before_it_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cuda = Cuda(monkeypatch)
    copies = Copies(GPU)
    sent = copies.send(Batch({"image": torch.ones(2, 3), "name": "text"}, {"a": torch.ones(2)}))
    assert cuda.done == ["copying: copy", "copying: copy", "copying: arrived"]
    cuda.done.clear()
    batch = copies.receive(sent)
    assert cuda.done == ["computing: wait until arrived", *["computing: keep"] * 2]
    assert (batch.inputs["image"].device, batch.inputs["name"]) == (GPU, "text")
