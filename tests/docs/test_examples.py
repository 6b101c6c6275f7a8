"""Files for other programs: fresh, and about what is there. Their queries: `test_storage_views`."""

from __future__ import annotations

import json
import re

import pytest
import yaml

from docs.make_grafana import FOLDER, PANELS, SOURCES, text_of
from reports.dashboard.pages.metrics import NAMES
from storage.schema.tables import metadata
from storage.schema.views import VIEWS
from tests.docs.pages import read


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_a_dashboard_for_grafana_is_fresh(source: object) -> None:
    made = text_of(source)
    assert (FOLDER / f"{source.name}.json").read_text() == made, (
        "Stale. Run: python -m docs.make_grafana"
    )
    panels = json.loads(made)["panels"]
    assert [panel["title"] for panel in panels] == [panel.title for panel in PANELS]
    assert len({panel["id"] for panel in panels}) == len(panels)


def test_datasette_shows_the_views_and_closes_all_tables() -> None:
    """Sealed test values stand in tables; the views hold them back."""
    (database,) = yaml.safe_load(read("docs/examples/datasette/metadata.yaml"))[
        "databases"
    ].values()
    assert database["allow_sql"] is False
    closed = {name for name, table in database["tables"].items() if table.get("allow") is False}
    assert closed == {*metadata.tables, "alembic_version"}
    assert {*database["tables"]} - closed == {*VIEWS}


def test_prometheus_asks_for_what_the_dashboard_has() -> None:
    text = read("docs/examples/prometheus/rules.yml") + read("docs/how-to/machines.md")
    assert {*re.findall(r"weighbridge_\w+", text)} <= {*NAMES}
    rules = yaml.safe_load(read("docs/examples/prometheus/rules.yml"))["groups"][0]["rules"]
    assert {*rules[0]} == {"alert", "expr", "annotations"}
    (job,) = yaml.safe_load(read("docs/examples/prometheus/prometheus.yml"))["scrape_configs"]
    assert job["static_configs"] == [{"targets": ["127.0.0.1:8050"]}]
