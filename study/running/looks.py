"""A study's network is looked at once for each version of its code; what is found is kept."""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import TYPE_CHECKING

from storage.records import NetworkLook
from study.planning.keys import digest
from trainers.events import NetworkFacts
from trainers.hardware.environment import code_version

if TYPE_CHECKING:
    from study.running.shift import Shift


def recall(shift: Shift, *, device: str) -> None:
    """Take over what was found before of what the code makes now."""
    code = shift.plan.code.fingerprint
    stored = shift.storage.network_look(shift.study_id, _key(code, device))
    if stored is not None:
        shift.looks[code] = NetworkFacts(
            convolutional=stored.convolutional,
            obstacle=stored.obstacle,
            streamed=stored.streamed,
            unsaved=stored.unsaved,
        )


def keep(shift: Shift, code: str, found: NetworkFacts, *, device: str) -> None:
    """Keep what a worker has found, for workers to come and for those who go on with the study.

    Args:
        code: Fingerprint of the code that it has loaded.
    """
    shift.looks[code] = found
    if shift.plan.spec.function is None:  # there is no network to look at
        look = NetworkLook(
            convolutional=found.convolutional,
            obstacle=found.obstacle,
            streamed=found.streamed,
            unsaved=found.unsaved,
        )
        shift.storage.save_network_look(shift.study_id, _key(code, device), look)


def _key(code: str, device: str) -> str:
    """Hash of what a look depends on, beside what a study never changes."""
    kind = device.partition(":")[0]
    return digest([code, kind, code_version(), version("torch"), platform.python_version()])
