"""Tries a problem before it is trained: ``python -P -m trainers.worker.preflight QUESTION``.

For who has not imported torch. Reads one JSON object from standard input (``problem``, the fields
of `ProblemRef`; ``training``, those of `Training`; ``device``; ``weightings``, by name whether they
are never stacked, and a point with their hyperparameters) and prints one: an answer, or ``error``.
To the question ``network`` it is ``network``, the fields of `NetworkFacts`, with ``findings``, what
would fail; of a problem that fails where even a look does, ``network`` is null. To ``promises`` it
is ``promises``, what a problem must keep to, each with the fields of `Promise`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from dataclasses import asdict
from typing import Any, TypeAlias

from trainers.jobs import ProblemRef, Schedule, Training

Weightings: TypeAlias = Mapping[str, Mapping[str, Any]]

_PASSES = "a batch of every split goes through every part"


def main() -> None:
    """Answer one question."""
    answered = {"network": _network, "promises": _promises}[sys.argv[1]]
    said = json.load(sys.stdin)
    try:
        schedule = Schedule(**said["training"]["schedule"])
        training = Training(**{**said["training"], "schedule": schedule})
        with redirect_stdout(sys.stderr):  # a user's problem may print
            ref = ProblemRef(**said["problem"])
            answer = answered(ref, training, said["device"], said["weightings"])
    except BaseException as error:  # a user's problem may raise anything
        from trainers.worker.process import explained

        answer = {"error": explained(error)}
    sys.stdout.write(json.dumps(answer) + "\n")


def _network(
    ref: ProblemRef, training: Training, device: str, weightings: Weightings
) -> dict[str, Any]:
    import torch

    from trainers.engines import open_session
    from trainers.engines.solo.parallel import refuse_unshared
    from trainers.functions import open_function, open_trainer
    from trainers.hardware import compiler, gpu
    from trainers.problems import build
    from trainers.worker.dry_run import dry_run, looked_at
    from trainers.worker.process import OF_FUNCTION

    torch.set_num_threads(training.threads)
    if ref.trains_itself:
        (open_trainer if ref.trainer else open_function)(ref, device)
        return {"network": asdict(OF_FUNCTION), "findings": []}
    if training.compile:
        compiler.let_in()
    gpu.prepare(device, training.precision)
    session = open_session(build(ref), device)
    if training.data_parallel > 1:
        refuse_unshared(session)
    findings = [str(finding) for finding in dry_run(session, training)]
    findings += _misfits(weightings, ref.folder, len(session.problem.card.task_names))
    try:
        network = asdict(looked_at(session, training.precision, training))
    except Exception:
        if not findings:
            raise
        network = None  # what is wrong with it is told already
    return {"network": network, "findings": findings}


def _misfits(weightings: Weightings, folder: str | None, n_tasks: int) -> Iterator[str]:
    """What is wrong with weightings that are tried as both engines use them."""
    from trainers.engines.weighting_outputs import refuse_misfit
    from trainers.parts import described
    from trainers.weightings import weighting

    for name, of in weightings.items():
        method = weighting(name, folder)
        own = {hyper.name for hyper in method.hypers}
        given = {key: value for key, value in of["point"].items() if key in own}
        try:
            for stacked in (False,) if of["solo_only"] else (False, True):
                hyper = method.checked(given, n_tasks)
                refuse_misfit(method, hyper, n_tasks, stacked=stacked)
        except Exception as error:  # a user's weighting may raise anything
            yield described(error)


def _promises(
    ref: ProblemRef, training: Training, device: str, _weightings: Weightings
) -> dict[str, Any]:
    """Of a problem that fails, nothing else is tried."""
    import torch

    from trainers.engines import open_session, promises
    from trainers.events import Promise
    from trainers.problems import build
    from trainers.worker.dry_run import dry_run

    torch.set_num_threads(training.threads)
    session = open_session(build(ref), device)
    failing = [str(finding) for finding in dry_run(session, training)]
    tried = [Promise(name=_PASSES, needed=True, found=found) for found in failing or [""]]
    if not failing:
        tried += promises(session, training.precision)
    return {"promises": [asdict(promise) for promise in tried]}


if __name__ == "__main__":
    main()
