"""Write docs/examples/grafana: a dashboard of the SQL views, for PostgreSQL and for SQLite.

``python -m docs.make_grafana`` writes both. The two differ in the data source and in how seconds
are made of a time; every query is run on both databases by tests.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

FOLDER = Path(__file__).parent / "examples" / "grafana"
STUDY: Final = "${study:sqlstring}"
"""The study chosen on top, as a quoted text of SQL."""
SEARCH: Final = "${search:sqlstring}"
METRIC: Final = "${metric:sqlstring}"

_BEGAN: Final = "@BEGAN@"
"""Stands for the seconds since 1970 at which an attempt began."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """A data source of Grafana.

    Attributes:
        began: `_BEGAN` in its SQL.
    """

    name: str
    plugin: str
    began: str

    def query(self, text: str) -> str:
        """A query in its SQL."""
        return text.replace(_BEGAN, self.began).strip()


SOURCES: Final = (
    Source(
        name="postgresql",
        plugin="grafana-postgresql-datasource",
        began="CAST(EXTRACT(EPOCH FROM started) AS BIGINT)",
    ),
    Source(
        name="sqlite",
        plugin="frser-sqlite-datasource",
        began="CAST(STRFTIME('%s', started) AS INTEGER)",
    ),
)


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One panel.

    Attributes:
        kind: Grafana's name of how it is drawn.
        place: Column, row, width and height in Grafana's grid of 24 columns.
        units: Column to Grafana's name of its unit.
        over_time: Its first column are seconds since 1970.
    """

    title: str
    kind: str
    place: tuple[int, int, int, int]
    query: str
    about: str = ""
    units: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    over_time: bool = False


_IN_WORDS: Final = {"reduceOptions": {"values": True, "fields": "", "calcs": ["lastNotNull"]}}

VARIABLES: Final[Mapping[str, str]] = {
    "study": "SELECT DISTINCT study FROM attempt_costs ORDER BY study",
    "search": f"""
SELECT DISTINCT search FROM stage_decisions
WHERE study = {STUDY} AND standing = 1 AND search NOT LIKE 'stl/%'
ORDER BY search""",
    "metric": f"""
SELECT DISTINCT task || ' ' || metric AS metric FROM epoch_metrics
WHERE study = {STUDY} AND split = 'validation' AND epoch = 1
  AND run = (SELECT MIN(run) FROM run_results WHERE study = {STUDY} AND role = 'search')
ORDER BY metric""",
}
"""Choices on top of the dashboard, each made of those before it."""

PANELS: Final[Sequence[Panel]] = (
    Panel(
        title="Runs by state",
        kind="bargauge",
        place=(0, 0, 6, 8),
        query=f"""
SELECT state, COUNT(*) AS runs
FROM run_results
WHERE study = {STUDY} AND planned = 1
GROUP BY state
ORDER BY state""",
        options={"orientation": "horizontal", **_IN_WORDS},
    ),
    Panel(
        title="Device time paid",
        kind="timeseries",
        place=(6, 0, 9, 8),
        query=f"""
WITH spent AS (
    SELECT {_BEGAN} / 60 * 60 AS time, SUM(device_s) AS device_s
    FROM attempt_costs
    WHERE study = {STUDY}
    GROUP BY {_BEGAN} / 60 * 60
)
SELECT time, SUM(device_s) OVER (ORDER BY time) AS paid_s
FROM spent
ORDER BY time""",
        about="All attempts, by the minute in which they began.",
        units={"paid_s": "s"},
        over_time=True,
    ),
    Panel(
        title="Epochs per minute",
        kind="timeseries",
        place=(15, 0, 9, 8),
        query=f"""
SELECT {_BEGAN} / 300 * 300 AS time, SUM(epochs) / 5.0 AS epochs_per_min
FROM attempt_costs
WHERE study = {STUDY} AND kind = 'run'
GROUP BY {_BEGAN} / 300 * 300
ORDER BY time""",
        about="Of the attempts that began within five minutes.",
        over_time=True,
    ),
    Panel(
        title="Searches: what was paid, and what methods are charged with",
        kind="table",
        place=(0, 8, 12, 9),
        query=f"""
SELECT search, COUNT(*) AS runs, SUM(CASE WHEN state = 'done' THEN 1 ELSE 0 END) AS done,
       SUM(device_s) AS paid_s, SUM(method_cost_s) AS charged_s
FROM run_results
WHERE study = {STUDY}
GROUP BY search
ORDER BY paid_s DESC, search""",
        about="Paid: all attempts. Charged: start-up, training and validation of what stands.",
        units={"paid_s": "s", "charged_s": "s"},
    ),
    Panel(
        title="Best trial of each search, chosen on validation",
        kind="table",
        place=(12, 8, 12, 9),
        query=f"""
WITH trials AS (
    SELECT search, trial, params, AVG(value_val) AS validation, AVG(value_test) AS test,
           COUNT(*) AS seeds, MAX(objective) AS objective
    FROM run_results
    WHERE study = {STUDY} AND role IN ('search', 'function') AND planned = 1
    GROUP BY search, trial, params
    HAVING COUNT(value_val) = COUNT(*)
), newest AS (
    SELECT d.search, d.trial,
           ROW_NUMBER() OVER (PARTITION BY d.search ORDER BY d.stage DESC) AS place
    FROM stage_decisions d
    WHERE d.study = {STUDY} AND d.standing = 1
)
SELECT t.search, t.objective, t.validation, t.test, t.seeds, t.trial, t.params
FROM trials t
JOIN newest n ON n.search = t.search AND n.trial = t.trial AND n.place = 1
ORDER BY t.search""",
        about="Values on test are empty while the study is sealed. What can be told apart, "
        "`weighbridge compare` says.",
    ),
    Panel(
        title="How the winner of $search learned: $metric on validation",
        kind="trend",
        place=(0, 17, 12, 9),
        query=f"""
WITH newest AS (
    SELECT d.trial, ROW_NUMBER() OVER (ORDER BY d.stage DESC) AS place
    FROM stage_decisions d
    WHERE d.study = {STUDY} AND d.search = {SEARCH} AND d.standing = 1
)
SELECT m.epoch, MIN(m.value) AS lowest, AVG(m.value) AS mean, MAX(m.value) AS highest
FROM newest n
JOIN run_results r ON r.study = {STUDY} AND r.search = {SEARCH} AND r.trial = n.trial
JOIN epoch_metrics m ON m.study = r.study AND m.run = r.run
WHERE n.place = 1 AND r.role <> 'confirm' AND m.split = 'validation'
  AND m.task || ' ' || m.metric = {METRIC}
GROUP BY m.epoch
ORDER BY m.epoch""",
        about="Mean over seeds, with the lowest and the highest of them.",
        options={"xField": "epoch"},
    ),
    Panel(
        title="What failed",
        kind="table",
        place=(12, 17, 12, 9),
        query=f"""
SELECT failure, failure_text, COUNT(*) AS attempts, MIN(run) AS first_run
FROM attempt_costs
WHERE study = {STUDY} AND failure IS NOT NULL
GROUP BY failure, failure_text
ORDER BY attempts DESC, first_run""",
        about="`weighbridge log` shows tracebacks and output.",
    ),
)


def queries(source: Source) -> dict[str, str]:
    """All queries of a dashboard, by variable or panel."""
    found = {**VARIABLES, **{panel.title: panel.query for panel in PANELS}}
    return {name: source.query(text) for name, text in found.items()}


def dashboard(source: Source) -> dict[str, Any]:
    """The dashboard as Grafana imports it."""
    return {
        "title": "Weighbridge study",
        "uid": f"weighbridge-{source.name}",
        "tags": ["weighbridge"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-24h", "to": "now"},
        "templating": {"list": list(_variables(source))},
        "panels": [_panel(source, panel, at) for at, panel in enumerate(PANELS, start=1)],
    }


def _variables(source: Source) -> Iterator[dict[str, Any]]:
    yield {
        "name": "datasource",
        "label": "Study database",
        "type": "datasource",
        "query": source.plugin,
    }
    for name, text in VARIABLES.items():
        yield {
            "name": name,
            "label": name.capitalize(),
            "type": "query",
            "datasource": _datasource(source),
            "query": source.query(text),
            "refresh": 2,
            "sort": 0,
        }


def _panel(source: Source, panel: Panel, number: int) -> dict[str, Any]:
    x, y, width, height = panel.place
    overrides = [
        {
            "matcher": {"id": "byName", "options": column},
            "properties": [{"id": "unit", "value": unit}],
        }
        for column, unit in panel.units.items()
    ]
    return {
        "id": number,
        "title": panel.title,
        "description": panel.about,
        "type": panel.kind,
        "gridPos": {"x": x, "y": y, "w": width, "h": height},
        "datasource": _datasource(source),
        "fieldConfig": {"defaults": {}, "overrides": overrides},
        "options": dict(panel.options),
        "targets": [_target(source, source.query(panel.query), over_time=panel.over_time)],
    }


def _datasource(source: Source) -> dict[str, str]:
    return {"type": source.plugin, "uid": "${datasource}"}


def _target(source: Source, query: str, *, over_time: bool = False) -> dict[str, Any]:
    if source.name == "postgresql":
        form = "time_series" if over_time else "table"
        asked: dict[str, Any] = {"format": form, "rawQuery": True, "rawSql": query}
    else:
        form = "time series" if over_time else "table"
        asked = {"queryType": form, "queryText": query, "rawQueryText": query}
        asked["timeColumns"] = ["time"] if over_time else []
    return {"refId": "A", "datasource": _datasource(source), **asked}


def text_of(source: Source) -> str:
    """The file of a dashboard."""
    return json.dumps(dashboard(source), indent=2) + "\n"


def main() -> None:
    """Write both files."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for source in SOURCES:
        (FOLDER / f"{source.name}.json").write_text(text_of(source), encoding="utf-8")


if __name__ == "__main__":
    main()
