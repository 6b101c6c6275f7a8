"""What a slot's workers have said, until it is sent to the driver: one call carries many epochs."""

from __future__ import annotations

import math

from trainers.events import Beat, CheckpointSkipped, CheckpointWritten, EpochDone, Message

_PAUSE_S = 1.0
"""Between two reports of what can wait: as long as the driver's recorder holds epochs back."""
_CAN_WAIT = Beat | EpochDone | CheckpointWritten | CheckpointSkipped
"""Messages at which the driver has nothing to do for the worker."""


class Outbox:
    """Messages by worker, in order.

    They are due at once if one is among them that the driver acts on (a run or pack has ended, a
    worker is ready or is not going to be), else a second after the last report.
    """

    def __init__(self) -> None:
        self._messages: dict[int, list[Message]] = {}
        self._urgent, self._taken_s = False, -math.inf

    def put(self, worker: int, message: Message) -> None:
        """Add what a worker has said."""
        self._messages.setdefault(worker, []).append(message)
        self._urgent |= not isinstance(message, _CAN_WAIT)

    def is_due(self, now_s: float) -> bool:
        """Whether to send now, on the monotonic clock."""
        return self._urgent or (bool(self._messages) and now_s - self._taken_s >= _PAUSE_S)

    def take(self, now_s: float) -> dict[int, list[Message]]:
        """All of it, by worker; nothing is left."""
        taken, self._messages = self._messages, {}
        self._urgent, self._taken_s = False, now_s
        return taken
