"""Tries what a problem must keep to: ``python -P -m trainers.worker.check``.

For who has not imported torch. Reads one JSON object from standard input (the fields of
`ProblemRef`, ``device``, ``threads``, ``precision``) and prints one: ``promises``, each with the
fields of `Promise`, or ``error``. Of a problem that fails, nothing else is tried.
"""

from __future__ import annotations

import json
import sys
from contextlib import redirect_stdout
from dataclasses import asdict
from typing import Any

from trainers.hardware import compiler
from trainers.jobs import ProblemRef, Training

_PASSES = "a batch of every split goes through every part"
_BATCH = 32


def main() -> None:
    """Answer one request."""
    request = json.load(sys.stdin)
    try:
        with redirect_stdout(sys.stderr):  # a user's problem may print
            answer: dict[str, Any] = {"promises": _tried(request)}
    except BaseException as error:  # a user's problem may raise anything
        from trainers.worker.process import explained

        answer = {"error": explained(error)}
    sys.stdout.write(json.dumps(answer) + "\n")


def _tried(request: dict[str, Any]) -> list[dict[str, Any]]:
    import torch

    from trainers.engines import open_session, promises
    from trainers.events import Promise
    from trainers.problems import build
    from trainers.worker.probing import probed

    compiler.keep_out()
    torch.set_num_threads(request["threads"])
    session = open_session(build(ProblemRef(**request["problem"])), request["device"])
    precision = request["precision"]
    training = Training(epochs=1, batch_size=_BATCH, precision=precision)
    failing = [str(finding) for finding in probed(session, training)]
    tried = [Promise(name=_PASSES, needed=True, found=found) for found in failing or [""]]
    if not failing:
        tried += promises(session, precision)
    return [asdict(promise) for promise in tried]


if __name__ == "__main__":
    main()
