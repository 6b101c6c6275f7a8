"""A database's schema in plain values, so that two can be compared."""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Engine


def described(engine: Engine) -> dict[str, Any]:
    """All that makes up a schema, in plain values that can be compared."""
    found = sa.inspect(engine)
    tables = sorted(found.get_table_names())
    return {
        "tables": tables,
        "columns": {table: [_column(c) for c in found.get_columns(table)] for table in tables},
        "keys": {
            table: (
                found.get_pk_constraint(table),
                _sorted(found.get_unique_constraints(table)),
                _foreign_keys(found.get_foreign_keys(table)),
            )
            for table in tables
        },
        "indexes": {table: _indexes(found.get_indexes(table)) for table in tables},
        "checks": {
            table: [
                (_name(check["name"]), _tidy(check["sqltext"]).rstrip(")"))
                for check in found.get_check_constraints(table)
            ]
            for table in tables
        },
        "views": {name: _tidy(found.get_view_definition(name)) for name in found.get_view_names()},
    }


def _column(column: Any) -> tuple[str, str, bool, str]:
    default = re.sub(r"weighbridge_\w+\.", "", str(column["default"]))  # the schema of this test
    return column["name"], repr(column["type"]), column["nullable"], default


def _indexes(found: Any) -> list[Any]:
    """Indexes with their conditions as texts."""
    options = [
        {key: _tidy(str(value)) for key, value in index.get("dialect_options", {}).items()}
        for index in found
    ]
    return _sorted([{**one, "dialect_options": of} for one, of in zip(found, options, strict=True)])


def _foreign_keys(found: Any) -> list[Any]:
    """Foreign keys without the name of the schema they lie in."""
    return _sorted([{**key, "referred_schema": None} for key in found])


def _sorted(found: Any) -> list[Any]:
    named = [{**item, "name": _name(item["name"])} for item in found]
    return sorted(named, key=lambda item: str(item["name"]))


def _name(found: str | None) -> str | None:
    """SQLAlchemy 2.0 takes what stands before it on a line of SQLite's for a part of a name."""
    return found and found.rpartition("CONSTRAINT ")[2]


def _tidy(sql: str) -> str:
    return " ".join(sql.split()).removesuffix(";")
