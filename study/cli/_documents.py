"""What is printed with ``--json``: documents by name, a verb's all in one JSON Schema.

Who adds one describes it in `study.cli.shapes`, enters it here, and writes the schema anew:
``python -m tests.golden.make_shapes``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

FORMAT: Final = 1
"""Raised when a key goes, or changes its name, type or meaning; not when one is added."""

Document = Literal[
    "audit",
    "budget",
    "claims",
    "compare.budgets",
    "compare.methods",
    "compare.studies",
    "compare.trials",
    "delete",
    "doctor",
    "export.file",
    "export.optuna",
    "init",
    "log.causes",
    "log.run",
    "methods",
    "network",
    "notify",
    "pause",
    "plan",
    "presets",
    "problem.check",
    "problem.files",
    "ray.doctor",
    "rename",
    "replay",
    "report",
    "resume",
    "retry",
    "run",
    "status.studies",
    "status.study",
    "stop",
    "table",
    "trainers",
    "trials",
    "unseal",
    "watch",
    "workers",
]

DOCUMENTS: Final[Mapping[str, tuple[Document, ...]]] = {
    "presets": ("presets",),
    "methods": ("methods",),
    "trainers": ("trainers",),
    "init": ("init",),
    "plan": ("plan",),
    "run": ("run",),
    "pause": ("pause",),
    "resume": ("resume",),
    "stop": ("stop",),
    "retry": ("retry",),
    "unseal": ("unseal",),
    "rename": ("rename",),
    "delete": ("delete",),
    "status": ("status.studies", "status.study"),
    "watch": ("watch",),
    "workers": ("workers",),
    "budget": ("budget",),
    "audit": ("audit",),
    "notify": ("notify",),
    "log": ("log.causes", "log.run"),
    "compare": ("compare.methods", "compare.budgets", "compare.trials", "compare.studies"),
    "trials": ("trials",),
    "claims": ("claims",),
    "table": ("table",),
    "replay": ("replay",),
    "report": ("report",),
    "export": ("export.file", "export.optuna"),
    "network": ("network",),
    "doctor": ("doctor",),
    "problem check": ("problem.check", "problem.files"),
    "ray doctor": ("ray.doctor",),
}
"""By the words of the verb."""
