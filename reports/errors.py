"""What can go wrong with a report.

ReportError
├── BadView(ValueError)                 a database view lacks what reports need
├── UnknownSearch(LookupError)          a search is named that the study does not have
├── UnknownAxis(ValueError)             a cost axis is named that is not recorded
├── BadBudget(ValueError)               a budget is no amount of a unit of cost
├── UnknownStrategy(LookupError)        a strategy is named that nobody can replay
├── BadReplay(ValueError)               a replay is asked for with a number that makes no sense
├── NothingToReplay(ValueError)         what was recorded is no table that can be replayed
├── NoTable(ValueError)                 test values of methods are asked for where there are none
├── NoPilot(ValueError)                a study does not tell how many seeds another one needs
├── NotComparable(ValueError)           studies are compared that have nothing in common to compare
├── UnknownFormat(ValueError)           a file is asked for in a format nobody writes
├── MissingFolder(FileNotFoundError)    a file is to be written into a folder that is not there
├── NotAFile(ValueError)                a file is to be written where something else is
└── NotWritten(OSError)                 the system refuses to write a file
"""


class ReportError(Exception):
    """Base of all errors of this package."""


class BadView(ReportError, ValueError):
    """A database view lacks what reports need: a column, or values that can be read."""


class UnknownSearch(ReportError, LookupError):
    """A search is named that the study does not have."""


class UnknownAxis(ReportError, ValueError):
    """A cost axis is named that is not recorded."""


class BadBudget(ReportError, ValueError):
    """A budget is no amount of a unit of cost."""


class UnknownStrategy(ReportError, LookupError):
    """A strategy is named that nobody can replay."""


class BadReplay(ReportError, ValueError):
    """A replay is asked for with a number that makes no sense."""


class NothingToReplay(ReportError, ValueError):
    """What was recorded is no table that can be replayed."""


class UnknownMeasure(ReportError, LookupError):
    """Winners are to be told by a value that the study does not have, or does not show."""


class NoTable(ReportError, ValueError):
    """Test values of methods are asked for where there are none, or none that may be shown."""


class NoPilot(ReportError, ValueError):
    """A study does not tell how many seeds and trials another one needs."""


class NotComparable(ReportError, ValueError):
    """Studies are put side by side whose numbers have nothing to do with each other."""


class UnknownFormat(ReportError, ValueError):
    """A file is asked for in a format nobody writes."""


class MissingFolder(ReportError, FileNotFoundError):
    """A file is to be written into a folder that is not there."""


class NotAFile(ReportError, ValueError):
    """A file is to be written where something else is."""


class NotWritten(ReportError, OSError):
    """The system refuses to write a file."""
