"""What no spec may hold, whatever it means: said at the edge, before anything is stored."""

from __future__ import annotations

import datetime
import os
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from study.errors import BadSpec
from study.planning.plan import make_plan
from study.spec._findings import unfit
from study.spec.study_spec import parse, parse_toml, read
from tests.unit.study.specs import plain, spec_of

TEXT = """
name = "tried"
problem = "digits"
seeds = [0]
training = { epochs = 3, batch_size = 8 }
search = [{ weighting = "ew", stages = [{ lr = [0.01] }] }]
"""
ROUND: list[Any] = []
ROUND.append(ROUND)


def tuning(lr: Any, **options: Any) -> dict[str, Any]:
    return {"weighting": "ew", "stages": [{"lr": lr, **options}]}


def refusal(**keys: Any) -> str:
    with pytest.raises(BadSpec) as error:
        make_plan(spec_of(**keys))
    return str(error.value)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (2**63, "`problem_options.x` must fit into 64 bits, as whole numbers do"),
        (-(2**63) - 1, "Got one of 64 bits"),
        pytest.param(int("f" * 5000, 16), "Got one of 20000 bits", id="long"),
        (float("nan"), "`problem_options.x` must be a finite number. Got nan."),
        (float("-inf"), "must be a finite number. Got -inf."),
        ("a" * 10_001, "must have at most 10,000 characters. Got 10,001: 'aaa"),
        ("a\0b", "must be text that can be stored: Unicode, without the character NUL."),
        ("\ud800", "Got '\\ud800'. Change it."),
        ([0] * 10_001, "`problem_options.x` must have at most 10,000 values. Got 10,001."),
        ({"k" * 101: 1}, "must have keys of at most 100 characters. Got 101: 'kkk"),
        ({"a\0": 1}, "must have keys of printable text"),
        ({3: 1}, "must have text for its keys. Got int."),
        (datetime.date(1979, 5, 27), "Got datetime.date(1979, 5, 27), a date. Put it in quotes"),
        (b"x", "must be a number, text in quotes, true or false, a list or a table. Got b'x'"),
        (ROUND, "must not lie more than 32 deep in tables and lists."),
    ],
)
def test_a_value_that_cannot_be_kept_is_refused(value: Any, said: str) -> None:
    assert said in refusal(problem_options={"x": value})


@pytest.mark.parametrize("value", [2**63 - 1, -(2**63), "ü🎉\t", None, [[[]]], np.float64(0.5)])
def test_what_can_be_kept_is_let_through(value: Any) -> None:
    assert unfit({"x": value, "y": [value]}) == []


def test_a_handful_of_findings_is_enough() -> None:
    assert len(unfit({str(i): float("nan") for i in range(10_000)})) == 20


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"confirm": {"seeds": 10**9}}, "[confirm] `seeds` must be at most 1,000. Got 1000000000."),
        ({"training": {"epochs": 10**10, "batch_size": 8}}, "`epochs` must be at most 1,000,000,0"),
        ({"name": "a" * 101}, "`name` must have at most 100 characters. Got 101: 'aaa"),
        ({"name": "a" * 100_000}, "Got 100,000: 'aaa"),
        ({"seeds": list(range(10_001))}, "`seeds` must have at most 10,000 values. Got 10,001."),
        (
            {"training": {"epochs": 1, "batch_size": 8, "checkpoint_cap_mib": 1e308}},
            "`checkpoint_cap_mib` must be at most 1,000,000,000,000. Got 1e+308.",
        ),
        (
            {"training": {"epochs": 1, "batch_size": 8, "run_limit_s": 1e10}},
            "`run_limit_s` must be at most 1,000,000,000. Got",
        ),
        (
            {"search": [tuning([0.1], stop={"rule": "pbt", "rungs": [1], "quantile_fraction": 1})]},
            "`stop.quantile_fraction` must be at most 0.5. Got 1.",
        ),
        ({"search": [tuning({"log_range": [1e-3, 1], "points": 10**8})]}, "at most 100,000. Got"),
        (
            {"search": [tuning([0.1], strategy="random", trials=10**9)]},
            "`trials` must be at most 100,000. Got 1000000000.",
        ),
        (
            {"search": [tuning([0.1 + i for i in range(500)])], "seeds": list(range(3000))},
            "A study may have 1,000,000 runs at most. Got 6,000,000.",
        ),
    ],
)
def test_sizes_that_nobody_could_train_are_refused(keys: dict[str, Any], said: str) -> None:
    assert said in refusal(**keys)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = " + "[" * 3000 + "]" * 3000, "may lie 32 deep in each other. Got more in a.toml."),
        ("x = " + "{a=" * 3000 + "1" + "}" * 3000, "may lie 32 deep"),
        ("a." * 3000 + "a = 1", "may lie 32 deep"),
        ("[" + " . ".join("a" * 3000) + "]", "may lie 32 deep"),
        ("x = " + "9" * 5000, "a.toml holds a number that is too long: Exceeds the limit"),
        ("x = 0x" + "f" * 5000, "`x` must fit into 64 bits"),
        ("name = 'again'", "a.toml is not valid TOML: Cannot overwrite a value"),
    ],
)
def test_text_that_would_take_for_ever_is_refused_at_once(text: str, said: str) -> None:
    with pytest.raises(BadSpec) as error:
        parse_toml(f"{TEXT}\n{text}", source="a.toml")
    assert said in str(error.value)


def test_brackets_in_text_and_comments_are_not_counted() -> None:
    quoted = "'" + "[" * 50 + "'"
    options = f"problem_options = {{ n_train = 100 }}\n# {'[' * 50}\n"
    assert parse_toml(options + TEXT, source="x").name == "tried"
    with pytest.raises(BadSpec, match="Unknown key `x`"):
        parse_toml(f"x = {quoted}\n{TEXT}", source="x")


class TestFiles:
    def test_a_byte_order_mark_is_read(self, tmp_path: Path) -> None:
        (tmp_path / "a.toml").write_bytes(b"\xef\xbb\xbf" + TEXT.encode())
        assert read(tmp_path / "a.toml") == parse_toml(TEXT, source="")

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "latin-1"])
    def test_other_encodings_are_refused(self, encoding: str, tmp_path: Path) -> None:
        (tmp_path / "a.toml").write_bytes(f"# ü{TEXT}".encode(encoding))
        with pytest.raises(BadSpec, match=r"is not text in UTF-8|is not valid TOML"):
            read(tmp_path / "a.toml")

    def test_what_is_no_file_is_named_as_what_it_is(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "fifo.toml")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(tmp_path / "socket.toml"))
        found = {"fifo.toml": "a pipe", "socket.toml": "a socket", ".": "a folder"}
        for name, kind in {**found, "/dev/zero": "a device"}.items():
            with pytest.raises(BadSpec, match=f"which is {kind}. Name a file"):
                read(tmp_path / name)
        listener.close()

    def test_a_file_without_end_is_not_read(self, tmp_path: Path) -> None:
        with (tmp_path / "a.toml").open("wb") as file:
            file.truncate(2**40)
        with pytest.raises(BadSpec, match="A spec has at most 1,048,576 bytes"):
            read(tmp_path / "a.toml")

    def test_a_link_to_itself_is_no_file(self, tmp_path: Path) -> None:
        (tmp_path / "a.toml").symlink_to(tmp_path / "a.toml")
        with pytest.raises(BadSpec, match="Cannot read the spec"):
            read(tmp_path / "a.toml")

    @pytest.mark.parametrize("name", ["a.toml", "B.TOML", "x.y.Toml"])
    def test_a_study_is_not_named_like_a_file(self, name: str, tmp_path: Path) -> None:
        (tmp_path / "a.toml").write_text(TEXT.replace("tried", name))
        with pytest.raises(BadSpec, match=r"must not end in \.toml, .*Write '"):
            read(tmp_path / "a.toml")


def test_case_is_no_obstacle_to_a_hint() -> None:
    with pytest.raises(BadSpec, match=r"Unknown key `SEEDS`\. Did you mean `seeds`\?"):
        parse(plain() | {"SEEDS": [0]}, source="x")
