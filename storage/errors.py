"""What can go wrong with a study database.

StorageError
├── DatabaseUnusable(OSError)     it cannot be opened, read or written
├── SchemaMismatch(RuntimeError)  its schema is not the one this code knows
├── UnknownStudy(LookupError)     no study has that name
├── StudyChanged(RuntimeError)    another driver has changed or deleted it meanwhile
├── StudyInUse(RuntimeError)      it cannot be changed while a driver trains it
├── NameTaken(ValueError)         another study has that name
├── BadAmount(ValueError)         a budget is not written as one
├── BudgetRefused(ValueError)     a budget cannot be raised to that
└── IllegalMove(ValueError)       a run's state cannot change that way
"""

from __future__ import annotations


class StorageError(Exception):
    """Base of everything `storage` raises."""


class DatabaseUnusable(StorageError, OSError):
    """The database cannot be opened, read or written.

    Attributes:
        missing: There is none yet, as opposed to one that is broken.
        passing: The trouble may be over by itself soon.
    """

    def __init__(self, message: str, *, missing: bool = False, passing: bool = False) -> None:
        super().__init__(message)
        self.missing = missing
        self.passing = passing


class SchemaMismatch(StorageError, RuntimeError):
    """The database's schema is not the one this code knows."""


class UnknownStudy(StorageError, LookupError):
    """No study has that name."""


class StudyChanged(StorageError, RuntimeError):
    """Another driver has extended or deleted the study meanwhile."""


class StudyInUse(StorageError, RuntimeError):
    """A study cannot be deleted or renamed while a driver trains it."""


class NameTaken(StorageError, ValueError):
    """Another study of the database has that name."""


class BadAmount(StorageError, ValueError):
    """What is written is no amount of anything that is used up."""


class BudgetRefused(StorageError, ValueError):
    """A budget cannot be raised to that."""


class IllegalMove(StorageError, ValueError):
    """A run's state cannot change that way."""
