"""The command ``weighbridge`` as a process whose workers are forked from one that tests share.

Those of Ray's slots, too: all nodes of a test's cluster are on this machine.
"""

import os
import sys
from dataclasses import replace

from study.cli import main
from study.drivers.local.fork_server import ForkServer

_WARM = os.environ["TESTS_FORK_SERVER"]
ForkServer.start = classmethod(lambda cls: cls.near(_WARM))
if "ray" in sys.argv:
    from study.drivers.ray_tune.driver import RayDriver

    RayDriver._with_fork_server = lambda _self, options: replace(options, fork_server=_WARM)
main()
