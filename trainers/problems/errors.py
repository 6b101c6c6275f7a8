"""What can go wrong between a problem's name and its data.

ProblemError
├── UnknownProblem(LookupError)     no problem has this name
├── ModuleMissing(ImportError)      a user's module was not found
├── ModuleBroken(ImportError)       a user's module was found, importing it failed
├── ClassMissing(AttributeError)    the module has no such class
├── NotAProblem(TypeError)          what was found does not meet the protocol
├── UnknownOption(TypeError)        the constructor has no such option
├── BadOption(ValueError)           an option's value is out of range
├── ConstructorFailed(RuntimeError) the constructor, or reading the card, raised
├── UnknownTask(LookupError)        the problem has no such task
├── MissingPackage(ImportError)     the package that carries the data is not installed
├── DataMissing(FileNotFoundError)  the package is there, its data file is not
├── DataChanged(ValueError)         the data file is not the known one
├── WeightsUnfit(ValueError)        a file of weights is not one of the network
├── NotOnDisk(ValueError)           the problem reads no files of the user's
├── DataBroken(ValueError)          files of the user's are not what they should be
├── CacheUnwritable(OSError)        there is no room for a cache of samples, or no right
├── LoaderLost(RuntimeError)        a process that reads samples has ended by itself
└── BadShape(ValueError)            outputs, targets or samples do not fit each other
"""

from __future__ import annotations


class ProblemError(Exception):
    """Base of everything `trainers.problems` raises."""


class UnknownProblem(ProblemError, LookupError):
    """No problem has this name."""


class ModuleMissing(ProblemError, ImportError):
    """A user's module was not found."""


class ModuleBroken(ProblemError, ImportError):
    """A user's module was found, importing it failed."""


class ClassMissing(ProblemError, AttributeError):
    """The module has no such class."""


class NotAProblem(ProblemError, TypeError):
    """What was found does not meet the protocol of a problem."""


class UnknownOption(ProblemError, TypeError):
    """The constructor has no such option."""


class BadOption(ProblemError, ValueError):
    """An option's value is out of range."""


class ConstructorFailed(ProblemError, RuntimeError):
    """The constructor of a problem, or reading its card, raised."""


class UnknownTask(ProblemError, LookupError):
    """The problem has no such task."""


class MissingPackage(ProblemError, ImportError):
    """The package that carries the data is not installed."""


class DataMissing(ProblemError, FileNotFoundError):
    """The package is installed, its data file is not there."""


class DataChanged(ProblemError, ValueError):
    """The data file is not the known one."""


class WeightsUnfit(ProblemError, ValueError):
    """A file of weights is none, or not one of the network that is to begin from it."""


class NotOnDisk(ProblemError, ValueError):
    """The problem reads no files of the user's."""


class DataBroken(ProblemError, ValueError):
    """Files of the user's are missing, torn, or hold what they must not."""


class CacheUnwritable(ProblemError, OSError):
    """There is no room for a cache of samples, or no right to write it."""


class LoaderLost(ProblemError, RuntimeError):
    """A process that reads samples has ended by itself."""


class BadShape(ProblemError, ValueError):
    """Outputs, targets or samples do not fit each other."""
