"""Tries what a problem must keep to: ``python -P -m trainers.check``.

For who has not imported torch. Reads one JSON object from standard input (the fields of
`ProblemRef`, ``device``, ``threads``, ``precision``) and prints one: ``promises``, each with the
fields of `Promise`, or ``error``.
"""

from __future__ import annotations

import json
import sys
from contextlib import redirect_stdout
from dataclasses import asdict
from typing import Any

from trainers import compiler
from trainers.jobs import ProblemRef


def main() -> None:
    """Answer one request."""
    request = json.load(sys.stdin)
    try:
        with redirect_stdout(sys.stderr):  # a user's problem may print
            answer: dict[str, Any] = {"promises": _tried(request)}
    except BaseException as error:  # a user's problem may raise anything
        from trainers.worker import explained

        answer = {"error": explained(error)}
    sys.stdout.write(json.dumps(answer) + "\n")


def _tried(request: dict[str, Any]) -> list[dict[str, Any]]:
    import torch

    from trainers.engines import open_session, promises
    from trainers.problems import build

    compiler.keep_out()
    torch.set_num_threads(request["threads"])
    session = open_session(build(ProblemRef(**request["problem"])), request["device"])
    return [asdict(promise) for promise in promises(session, request["precision"])]


if __name__ == "__main__":
    main()
