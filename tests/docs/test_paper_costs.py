"""What the papers' studies would take, as the page says it, is what the command counts."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import pytest

from benchmarks.paper_costs import costs

PAGE = Path(__file__).parents[2] / "docs/benchmarks/README.md"


@pytest.mark.parametrize("name", ["uw-so-cityscapes-segnet", "uw-so-nyuv2-resnet50"])
def test_the_page_has_the_commands_figures(name: str) -> None:
    found = costs(name, Namespace(gpu_tflops=10.0, core_gflops=80.0))
    told = [
        f"{found['runs']:.0f}",
        *(f"{found[of]:.1f}" for of in ("forward_gflop", "eflop", "gpu_hours_a_run")),
        *(f"{found[of]:.0f}" for of in ("gpu_days", "two_core_years")),
    ]
    assert f"| `{name}` | {' | '.join(told)} |" in PAGE.read_text(encoding="utf-8")
