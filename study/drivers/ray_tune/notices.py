"""Notice of nodes that are about to be taken away, such as spot machines."""

from __future__ import annotations

import time

import ray

_LOOK_S = 2.0


class Notices:
    """Looks, every two seconds, which nodes the cluster has been told to drain."""

    def __init__(self) -> None:
        self._looked_s = time.monotonic()
        self._known: set[str] = set()

    def new(self) -> set[str]:
        """Ids of nodes that have got notice since the last call."""
        now_s = time.monotonic()
        if now_s - self._looked_s < _LOOK_S or ray.util.client.ray.is_connected():  # type: ignore[no-untyped-call]
            return set()
        self._looked_s = now_s
        noticed = set(ray._private.state.state.get_draining_nodes()) - self._known
        self._known |= noticed
        return noticed
