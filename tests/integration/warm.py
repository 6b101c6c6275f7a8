"""The command ``weighbridge`` as a process whose workers are forked from one that tests share."""

import os

from study.cli import main
from study.drivers.local.fork_server import ForkServer

ForkServer.start = classmethod(lambda cls: cls.near(os.environ["TESTS_FORK_SERVER"]))
main()
