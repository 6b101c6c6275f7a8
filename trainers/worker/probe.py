"""Looks at a problem before it is trained: ``python -P -m trainers.worker.probe``.

For who has not imported torch. Reads one JSON object from standard input (``problem``, the fields
of `ProblemRef`; ``training``, those of `Training`; ``device``) and prints one: ``network``, the
fields of `NetworkFacts`, with ``findings``, what would fail; or ``error``. Of a problem that fails
where even a look does, ``network`` is null.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any

from trainers.jobs import ProblemRef, Schedule, Training


def main() -> None:
    """Answer one request."""
    request = json.load(sys.stdin)
    try:
        answer = _look(request)
    except BaseException as error:  # a user's problem may raise anything
        from trainers.worker.process import explained

        answer = {"error": explained(error)}
    sys.stdout.write(json.dumps(answer) + "\n")


def _look(request: dict[str, Any]) -> dict[str, Any]:
    import torch

    from trainers.engines import open_session
    from trainers.engines.solo.parallel import refuse_unshared
    from trainers.functions import open_function
    from trainers.hardware import compiler, gpu
    from trainers.problems import build
    from trainers.worker.probing import probed
    from trainers.worker.process import looked_at

    said = request["training"]
    training = Training(**{**said, "schedule": Schedule(**said["schedule"])})
    torch.set_num_threads(training.threads)
    ref, device = ProblemRef(**request["problem"]), request["device"]
    if ref.caller:
        facts = looked_at(open_function(ref, device), training.precision, None)
        return {"network": asdict(facts), "findings": []}
    if training.compile:
        compiler.let_in()
    gpu.prepare(device, training.precision)
    session = open_session(build(ref), device)
    if training.data_parallel > 1:
        refuse_unshared(session)
    findings = [str(finding) for finding in probed(session, training)]
    try:
        network = asdict(looked_at(session, training.precision, training))
    except Exception:
        if not findings:
            raise
        network = None  # what is wrong with it is told already
    return {"network": network, "findings": findings}


if __name__ == "__main__":
    main()
