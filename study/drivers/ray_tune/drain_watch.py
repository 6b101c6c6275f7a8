"""Notice of nodes that are about to be taken away, such as spot machines."""

from __future__ import annotations

import threading

import ray

_LOOK_S = 2.0
_END_S = 5.0


class DrainWatch:
    """Looks, every two seconds, which nodes the cluster has been told to drain.

    It does so in a thread of its own, as the cluster's head may not answer.
    """

    def __init__(self) -> None:
        self._lock, self._closing = threading.Lock(), threading.Event()
        self._known: set[str] = set()
        self._new: set[str] = set()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def new(self) -> set[str]:
        """Ids of nodes that have got notice since the last call."""
        with self._lock:
            new, self._new = self._new, set()
        return new

    def close(self) -> None:
        """Look no more; called after Ray has gone, Ray would start anew."""
        self._closing.set()
        self._thread.join(_END_S)

    def _look(self) -> None:
        while not self._closing.wait(_LOOK_S):
            try:
                noticed = set(ray._private.state.state.get_draining_nodes())
            except Exception:  # of many kinds: the head does not answer, which the driver finds
                continue
            with self._lock:
                self._new |= noticed - self._known
                self._known |= noticed
