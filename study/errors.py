"""What can go wrong with a study.

StudyError
├── BadArgument(TypeError)         Python code has given what an argument cannot be
├── BadSpec(ValueError)            the study.toml cannot be understood, or asks for the impossible
├── NotAnExtension(ValueError)     a stored study would be changed, not extended
├── StudyPaused(RuntimeError)      a command has paused the study, and none has resumed it
├── CodeChanged(ValueError)        the user's code is not the one that has trained so far
├── UnknownStudyName(LookupError)  no file, stored study or preset has that name
├── UnknownRun(LookupError)        a study has no attempt at a run of that number
├── NotReplayed(ValueError)        no strategy that was asked for can be played on what was recorded
├── NetworkMissing(LookupError)    a network was not trained, or not kept
├── WorkersUnusable(RuntimeError)  no worker can be started
├── ClusterLost(ConnectionError)   the cluster has gone under way
├── ExportRefused(RuntimeError)    what is to be exported to cannot be used, or holds it already
├── MirrorFailed(RuntimeError)     what a study is mirrored into cannot be written now
└── BaselineMissing(RuntimeError)  the single-task runs failed, so nothing can be decided
"""

from __future__ import annotations


class StudyError(Exception):
    """Base of everything `study` raises."""


class BadArgument(StudyError, TypeError):
    """Python code has given what an argument cannot be."""


class BadSpec(StudyError, ValueError):
    """The study.toml cannot be understood, or asks for the impossible."""


class NotAnExtension(StudyError, ValueError):
    """A stored study would be changed, not extended."""


class StudyPaused(StudyError, RuntimeError):
    """A command has paused the study, and none has resumed it."""


class CodeChanged(StudyError, ValueError):
    """The user's code is not the one that has trained so far, and the spec is strict."""


class UnknownStudyName(StudyError, LookupError):
    """No file, stored study or preset has that name."""


class UnknownRun(StudyError, LookupError):
    """A study has no attempt at a run of that number."""


class NotReplayed(StudyError, ValueError):
    """No strategy that was asked for can be played on what was recorded."""


class NetworkMissing(StudyError, LookupError):
    """A network was not trained to its end, or not kept."""


class WorkersUnusable(StudyError, RuntimeError):
    """No worker can be started."""


class ClusterLost(StudyError, ConnectionError):
    """The cluster has gone under way."""


class ExportRefused(StudyError, RuntimeError):
    """What is to be exported to cannot be used, or holds it already."""


class MirrorFailed(StudyError, RuntimeError):
    """What a study is mirrored into cannot be written now."""


class BaselineMissing(StudyError, RuntimeError):
    """The single-task runs failed, so nothing can be decided."""
