"""Studies: what is asked, how it is searched, and the drivers that carry the work.

>>> from study import Study
>>> digits = Study.open("digits")
>>> digits.plan.spec.problem
'digits'
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from study._version import __version__
    from study.api import Study
    from study.errors import StudyError
    from trainers.trained_network import TrainedNetwork

__all__ = ["Study", "StudyError", "TrainedNetwork", "__version__"]

_HOMES = {
    "Study": "study.api",
    "StudyError": "study.errors",
    "TrainedNetwork": "trainers.trained_network",
    "__version__": "study._version",
}


def __getattr__(name: str) -> object:
    """Load a name when it is asked for: the command line has something to begin before."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
