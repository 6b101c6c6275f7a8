"""What was run: the plan, the machines, and what all of it cost."""

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from reports.frames import StudyFrames
from reports.html._problem import fact
from reports.html._tags import Markup, boxed, join, tag
from reports.html._words import count, number, seconds, value_of

_OF_TRAINERS = ("epochs", "batch_size", "eval_batch_size", "threads")
_CAPTION = "All attempts of all workers as they were run, failed and lost ones included."


def what_was_run(frames: StudyFrames) -> Markup:
    """The section about the study's plan and cost."""
    spec = json.dumps(dict(frames.spec), indent=2, ensure_ascii=False)
    details = tag("details", tag("summary", "The whole specification"), tag("pre", spec))
    return tag(
        "section",
        tag("h2", "What was run"),
        tag("dl", *(join(pair) for pair in _facts(frames)), class_="facts"),
        tag("h3", "Where the device-seconds went"),
        _costs(frames),
        tag("div", details, class_="on-screen"),
    )


def _facts(frames: StudyFrames) -> list[tuple[Markup, Markup]]:
    training = frames.spec.get("training", {})
    attempts = frames.attempts
    texts = {
        "Study": frames.name,
        "Seeds": ", ".join(str(seed) for seed in frames.seeds),
        "Training": _training(_that_count(training) if frames.of_trainer else training),
        "Compared by": "; ".join(
            f"{name} {value_of(value)}"
            for name, value in frames.spec["compare"].items()
            if value is not None
        ),
        "Baseline": ", ".join(sorted(frames.baseline["source"].unique())),
        "Engine": _engine(frames),
        "Runs": _states(frames.runs),
        "Attempts": count(len(attempts)),
        "Devices": _names(attempts["device"]),
        "Hardware": _names(attempts["hardware"]),
        "Code version": _names(attempts["code_version"]),
        "Between": _period(attempts),
    }
    return [fact(name, text) for name, text in texts.items() if text]


def _that_count(training: Mapping[str, Any]) -> dict[str, Any]:
    """Settings that a trainer goes by; all others are of weightings."""
    return {name: training[name] for name in _OF_TRAINERS if name in training}


def _training(training: Mapping[str, Any]) -> str:
    """The settings that are set; a study without a learning rate tunes it."""
    unset = {"lr": "learning rate tuned"}
    said = (
        unset.get(name, "") if value is None else f"{name} {value_of(value)}"
        for name, value in training.items()
    )
    return "; ".join(filter(None, said))


def _engine(frames: StudyFrames) -> str:
    """``fused: why``; where searches differ, whose each one is."""
    whose: dict[tuple[str, str], list[str]] = {}
    for search, engine in frames.engines.items():
        whose.setdefault(engine, []).append(search)
    if len(whose) == 1:
        return ": ".join(*whose)
    return "; ".join(
        f"{engine} for {', '.join(searches)}: {reason}"
        for (engine, reason), searches in whose.items()
    )


def _states(runs: pd.DataFrame) -> str:
    planned = runs[runs["planned"]]
    counts = planned["state"].value_counts()
    said = ", ".join(f"{count(n)} {state}" for state, n in counts.items())
    extra = len(runs) - len(planned)
    return f"{said}; {count(extra)} no longer planned" if extra else said


def _names(column: "pd.Series[str]") -> str:
    return ", ".join(sorted(filter(None, column.dropna().unique())))


def _period(attempts: pd.DataFrame) -> str:
    first, last = attempts["started"].min(), attempts["ended"].max()
    if pd.isna(first) or pd.isna(last):
        return ""
    return f"{first:%Y-%m-%d %H:%M} and {last:%Y-%m-%d %H:%M} UTC"


def _costs(frames: StudyFrames) -> Markup:
    """Method cost against infrastructure; the lines add up to the study's total."""
    total = float(frames.attempts["device_s"].sum())
    runs = frames.runs.groupby("role")["method_cost_s"].sum()
    lines = {
        "Baseline (STL): start-up, training, validation": float(runs.get("baseline", 0.0)),
        "Searches: start-up, training, validation": float(runs.get("search", 0.0)),
        "Trials of the training function": float(runs.get("function", 0.0)),
        "Confirmation on fresh seeds": float(runs.get("confirm", 0.0)),
        "Follow-ups: start-up, training, validation": float(frames.followups["method_cost_s"].sum())
        if len(frames.followups)
        else 0.0,
        "Test evaluation": float(frames.attempts["test_s"].sum()),
        "Diagnostics": float(frames.attempts["diagnostics_s"].sum()),
    }
    rest = total - sum(lines.values())
    lines["Infrastructure: checkpoints, idle start-up, lost or repeated work"] = rest
    body = [_line(name, value, total) for name, value in lines.items() if value]
    heads = [tag("th", name, scope="col") for name in ("Spent on", "device-seconds", "share")]
    return boxed(_CAPTION, tag("tr", *heads), [*body, _line("Study total", total, total)])


def _line(name: str, value: float, total: float) -> Markup:
    share = f"{number(100 * value / total, 3)} %" if total else "–"
    cells = (tag("td", seconds(value)), tag("td", share))
    return tag("tr", tag("th", name, scope="row"), *cells)
