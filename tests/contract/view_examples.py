"""The queries of docs/examples, as Grafana and Datasette send them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa
import yaml

from docs.make_grafana import PANELS, SOURCES, queries
from tests.docs.pages import read

DATASETTE = "docs/examples/datasette/metadata.yaml"


def asked_by_grafana(
    connection: sa.Connection, choices: Mapping[str, str]
) -> Iterator[tuple[str, list[Any]]]:
    """What each query of the dashboard answers, by variable or panel."""
    dialect = connection.dialect.name
    (source,) = (source for source in SOURCES if source.name == dialect)
    for name, query in queries(source).items():
        for variable, value in choices.items():
            query = query.replace(f"${{{variable}:sqlstring}}", f"'{value}'")
        assert "$" not in query
        yield name, connection.execute(sa.text(query.replace(":", "\\:"))).all()


def asked_by_datasette(
    connection: sa.Connection, given: Mapping[str, object]
) -> Iterator[tuple[str, list[Any]]]:
    """What each of its queries answers, by name."""
    metadata = yaml.safe_load(read(DATASETTE))["databases"]["weighbridge"]
    for name, query in metadata["queries"].items():
        text = sa.text(query["sql"])
        needed = {key: given[key] for key in text.compile().params}
        yield name, connection.execute(text, needed).all()


def panels() -> set[str]:
    return {panel.title for panel in PANELS}
