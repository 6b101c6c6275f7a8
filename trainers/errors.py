"""What can go wrong while training.

TrainingError
├── BadCard(ValueError)              a field of a problem's card breaks a rule
├── BadExhibit(ValueError)           what a run is to show cannot be shown
├── BadLoss(TypeError)               a problem's loss is no scalar tensor
├── BadMetric(TypeError)             a problem's metric is no number, or its statistics no tensor
├── BadOptimizer(TypeError)          an optimiser plugin is no optimiser
├── BadParameter(ValueError)         a trainer has no such parameter, or not that value of it
├── BadReport(ValueError)            a training function reports what is none of its metrics
├── BadSuggestion(ValueError)        an objective asks for what its trial does not have
├── CheckpointUnreadable(OSError)    a checkpoint is missing, torn or another run's
├── CompilerMissing(RuntimeError)    torch's compiler finds no C++ compiler
├── DeviceUnusable(RuntimeError)     there is no such device here
├── FolderMissing(FileNotFoundError) a network is to be written into no folder
├── LeftByExit(RuntimeError)         code of a user raised what would end the process
├── LossOverBatch(ValueError)        a loss is no mean over samples, of which each has a gradient
├── NetworkUnreadable(OSError)       a kept network is missing, or has other bytes than before
├── NoFolder(OSError)                a training function cannot be given a folder of its own
├── NoMaps(ValueError)               a network gives no feature maps of images
├── NoSharedPart(ValueError)         a network has no parameters on which tasks can be compared
├── NotCompilable(RuntimeError)      torch's compiler does not take a network or loss
├── NotParallel(RuntimeError)        a network cannot be trained by several processes here
├── NotOfATrial(AttributeError)      an objective asks for what only Optuna's own trials have
├── NotReplaced(FileExistsError)     something else lies where a network is to be written
├── NotStackable(ValueError)         a training section is for runs that are trained one by one
├── PeerFailed(RuntimeError)         another process of a run's group met an exception
├── ReplayDiffers(RuntimeError)      a run came out otherwise when it was trained again alone
├── RunsMeet(RuntimeError)           a run leaves something to the next one
├── SharedModule(ValueError)         a problem gives two runs the same module
├── TaskMismatch(ValueError)         a problem's parts do not fit its card
├── UnfitOptimizer(ValueError)       an optimiser needs what a step does not give
├── UnknownOptimizer(LookupError)    no optimiser has that name here
└── UnknownTrainer(LookupError)      no trainer has that name here
"""

from __future__ import annotations


class ProcessMustEnd(BaseException):
    """This process cannot go on, whatever it was about to do.

    No `Exception`: nothing may take it for the end of a run and go on.
    """


class TrainingError(Exception):
    """Base of everything `trainers` raises while training."""


class BadCard(TrainingError, ValueError):
    """A field of a problem's card breaks a rule."""


class BadExhibit(TrainingError, ValueError):
    """What a run is to show beside its metrics cannot be shown."""


class BadLoss(TrainingError, TypeError):
    """A problem's loss is no scalar tensor."""


class BadMetric(TrainingError, TypeError):
    """The value of a problem's metric is no number, or its statistics are no tensor."""


class BadOptimizer(TrainingError, TypeError):
    """An optimiser plugin cannot be loaded, or is no optimiser."""


class BadParameter(TrainingError, ValueError):
    """A trainer has no such parameter, or the parameter no such value."""


class BadReport(TrainingError, ValueError):
    """A training function reports what is none of its metrics."""


class BadSuggestion(TrainingError, ValueError):
    """An objective asks for what its trial does not have."""


class CheckpointUnreadable(TrainingError, OSError):
    """A checkpoint is missing, torn or another run's."""


class NetworkUnreadable(TrainingError, OSError):
    """A kept network is missing, or has other bytes than when it was written."""


class CompilerMissing(TrainingError, RuntimeError):
    """Torch's compiler finds no C++ compiler."""


class DeviceUnusable(TrainingError, RuntimeError):
    """There is no such device here."""


class FolderMissing(TrainingError, FileNotFoundError):
    """A network is to be written into a folder that does not exist."""


class LeftByExit(TrainingError, RuntimeError):
    """Code of a user raised what would end the process."""


class LossOverBatch(TrainingError, ValueError):
    """Gradients of single samples are asked for, and a loss is no mean over samples."""


class NoFolder(TrainingError, OSError):
    """A training function cannot be given a folder of its own."""


class NoMaps(TrainingError, ValueError):
    """A class activation map is asked of a network that has no feature maps of images."""


class NoSharedPart(TrainingError, ValueError):
    """A network has no parameters, or no clear ones, on which its tasks' gradients are compared."""


class NotCompilable(TrainingError, RuntimeError):
    """Torch's compiler does not take a network or loss."""


class NotParallel(TrainingError, RuntimeError):
    """A network cannot be trained by several processes here."""


class NotOfATrial(TrainingError, AttributeError):
    """An objective asks for what only Optuna's own trials have."""


class NotReplaced(TrainingError, FileExistsError):
    """Something else lies where a network is to be written."""


class NotStackable(TrainingError, ValueError):
    """A setting of the training section is for runs that are trained one by one."""


class PeerFailed(TrainingError, RuntimeError):
    """Another process of a run's group met an exception."""


class ReplayDiffers(TrainingError, RuntimeError):
    """A run came out otherwise when it was trained again alone."""


class RunsMeet(TrainingError, RuntimeError):
    """A run leaves something to the next one in the same worker."""


class SharedModule(TrainingError, ValueError):
    """A problem gives two runs the same module."""


class TaskMismatch(TrainingError, ValueError):
    """A problem's parts do not fit its card."""


class UnfitOptimizer(TrainingError, ValueError):
    """An optimiser needs each task's own gradient, and a step does not give it."""


class UnknownOptimizer(TrainingError, LookupError):
    """No optimiser has that name on this machine."""


class UnknownTrainer(TrainingError, LookupError):
    """No trainer has that name on this machine, or what has it is none."""
