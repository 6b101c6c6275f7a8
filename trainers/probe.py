"""Looks at a problem's network and says what decides its engine: ``python -P -m trainers.probe``.

For who has not imported torch. Reads one JSON object from standard input (the fields of
`ProblemRef`, ``device``, ``threads``, ``precision``) and prints one: the fields of `NetworkFacts`,
or ``error``.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any

from trainers.jobs import ProblemRef


def main() -> None:
    """Answer one request."""
    request = json.load(sys.stdin)
    try:
        answer = _look(request)
    except Exception as error:  # a user's problem may raise anything
        from trainers.worker import explained

        answer = {"error": explained(error)}
    sys.stdout.write(json.dumps(answer) + "\n")


def _look(request: dict[str, Any]) -> dict[str, Any]:
    import torch

    from trainers.engines import network_facts, open_session
    from trainers.problems import build

    torch.set_num_threads(request["threads"])
    problem = build(ProblemRef(**request["problem"]))
    session = open_session(problem, request["device"])
    return asdict(network_facts(session, request["precision"]))


if __name__ == "__main__":
    main()
