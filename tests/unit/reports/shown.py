"""Exhibits of a made-up run, as rows of the view `run_exhibits`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

PNG = (  # one white pixel
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mP4DwABAQEANl9ngAAAAABJRU5ErkJggg=="
)
CONTENTS: Mapping[str, Mapping[str, Any]] = {
    "histogram": {
        "edges": [0, 0.5, 1],
        "counts": {"clean": [30, 10], "wrong": [1, 3]},
        "x_title": "score",
    },
    "curve": {
        "x_title": "False positives an image",
        "y_title": "Sensitivity",
        "x_log": True,
        "points": {"cam": [[0.125, 0.4], [1, 0.75], [4, 0.9]]},
        "intervals": {"cam": [[0.125, 0.3, 0.5], [4, 0.8, 1]]},
    },
    "pictures": {"items": [{"png": PNG, "width": 1, "height": 1, "caption": "tile 7 <b>"}]},
    "table": {"columns": ["what", "n"], "rows": [["AUROC", 0.98765], ["found", True], ["x", None]]},
}


def shown(
    kind: str,
    *,
    run: int = 1,
    round_: int = 1,
    epoch: int = 1,
    name: str = "",
    split: str = "validation",
    **changed: Any,
) -> dict[str, Any]:
    """One row."""
    return {
        "study": "s",
        "run": run,
        "round": round_,
        "epoch": epoch,
        "name": name or kind,
        "kind": kind,
        "split": split,
        "title": f"A {kind}",
        "content": json.dumps({**CONTENTS[kind], **changed}),
    }
