"""Parameters and buffers that stay where they are from stack to stack.

A CUDA graph is recorded for addresses. In new tensors for each pack, it would be recorded anew, or
everything copied to where it was recorded before each replay.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from weakref import ref

from torch import Tensor

from trainers.engines.fused.rows import Rows

Stored = tuple[Rows, Mapping[str, Tensor]]
"""Rows of parameters, and buffers and frozen parameters by name."""


@dataclass(slots=True)
class Place:
    """Tensors that one stack after the other may have.

    Attributes:
        form: All that shapes depend on.
        user: The stack that has them, as long as there is one.
    """

    form: object
    stored: Stored
    user: ref[object]


class Places:
    """The places of a session: one for the stacks of each network."""

    def __init__(self) -> None:
        self._places: dict[tuple[str, ...], Place] = {}

    def take(
        self, user: object, tasks: tuple[str, ...], form: object, made: Callable[[], Stored]
    ) -> Stored:
        """Tensors for a stack: those of the last one of these tasks, if it is gone.

        Args:
            form: All that shapes depend on.
            made: Makes new ones, if the old ones are in use or of another form.
        """
        known = self._places.get(tasks)
        if known is None or known.user() is not None or known.form != form:
            stored = made()
            self._places[tasks] = Place(form, stored, ref(user))
            return stored
        known.user = ref(user)
        rows, _ = known.stored
        for tensor in (rows.values, rows.grads, *rows.kept.values()):
            tensor.zero_()
        return known.stored
