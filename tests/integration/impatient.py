"""The command of `warm`, as a process that soon gives up a Ray head or the lock of a file."""

from storage.database import engines as _engines
from study.drivers.ray_tune.endpoints import EndpointWatch

EndpointWatch.__init__.__defaults__ = (3.0,)
_engines.BUSY_S = 0.2

import tests.integration.warm  # noqa: E402, F401
