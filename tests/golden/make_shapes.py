"""Write the JSON Schemas as they are now: ``python -m tests.golden.make_shapes``.

They are public. One that changes is a decision: what is added needs a word in the changelog; where
a key goes, or changes its meaning, `FORMAT` in `study/cli/_documents.py` rises.
"""

from __future__ import annotations

import json
from pathlib import Path

from study.cli._documents import DOCUMENTS
from study.cli.shapes.schema import schema_of

FOLDER = Path(__file__).parent / "shapes"


def text_of(verb: str) -> str:
    return json.dumps(schema_of(verb), indent=1) + "\n"


def file_of(verb: str) -> Path:
    return FOLDER / f"{verb.replace(' ', '-')}.json"


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for verb in DOCUMENTS:
        file_of(verb).write_text(text_of(verb), encoding="utf-8")


if __name__ == "__main__":
    main()
