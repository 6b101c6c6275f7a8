"""Which keys of [training] exclude each other."""

from __future__ import annotations

from typing import Any

import pytest

from study.errors import BadSpec
from study.spec.study_spec import parse
from tests.unit.study.specs import plain


def said_of(training: dict[str, Any]) -> str:
    """What is said of a spec with such a section."""
    with pytest.raises(BadSpec) as caught:
        parse(plain(lambda spec: spec["training"].update(training)), source="s.toml")
    return str(caught.value)


@pytest.mark.parametrize(
    ("beside", "found"),
    [
        ({"pack_size": 2}, "`pack_size`"),
        ({"pack_memory_gib": 1.0}, "`pack_memory_gib`"),
        ({"engine": "fused"}, '`engine = "fused"`'),
        ({"compile": True, "pack_size": 2}, "`pack_size`, `compile`"),
    ],
)
def test_several_processes_a_run_exclude(beside: dict[str, Any], found: str) -> None:
    said = said_of({"data_parallel": 2, **beside})
    assert "`data_parallel` trains one run at a time, uncompiled." in said
    assert said.endswith(f"Got it beside {found}. Drop one.")


@pytest.mark.parametrize(
    ("training", "found"),
    [
        ({"channels_last": True}, "`channels_last`"),
        ({"precision": "float16"}, '`precision = "float16"`'),
        ({"micro_batch_size": 2}, "`micro_batch_size`"),
    ],
)
def test_stacks_exclude(training: dict[str, Any], found: str) -> None:
    said = said_of({**training, "engine": "fused"})
    assert f"{found} is for runs that are trained one by one." in said
    assert said.endswith('Got it beside `engine = "fused"`. Drop one.')


@pytest.mark.parametrize(
    ("beside", "found"),
    [({"compile": True}, "`compile`"), ({"data_parallel": 2}, "`data_parallel`")],
)
def test_parts_of_a_batch_exclude(beside: dict[str, Any], found: str) -> None:
    said = said_of({"micro_batch_size": 2, **beside})
    assert said.endswith(f"one process takes, uncompiled. Got it beside {found}. Drop one.")


def test_a_part_is_no_more_than_the_batch() -> None:
    said = said_of({"micro_batch_size": 9, "batch_size": 8})
    assert said.endswith("is a part of `batch_size`. Got 9 of 8. Lower it.")


def test_each_process_needs_a_sample() -> None:
    said = said_of({"data_parallel": 4, "batch_size": 3})
    assert said.endswith("give each process of `data_parallel` a sample. Got 3 for 4. Raise it.")
