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
    except BaseException as error:  # a user's problem may raise anything
        from trainers.worker import explained

        answer = {"error": explained(error)}
    sys.stdout.write(json.dumps(answer) + "\n")


def _look(request: dict[str, Any]) -> dict[str, Any]:
    import torch

    from trainers.engines import open_session
    from trainers.functions import open_function
    from trainers.problems import build
    from trainers.worker import looked_at

    torch.set_num_threads(request["threads"])
    ref = ProblemRef(**request["problem"])
    device = request["device"]
    session = open_function(ref, device) if ref.caller else open_session(build(ref), device)
    return asdict(looked_at(session, request["precision"]))


if __name__ == "__main__":
    main()
