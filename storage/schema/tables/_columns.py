"""Columns that many tables have, and how constraints are named."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Integer, MetaData, text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

MESSAGE, TRACEBACK = 20_000, 200_000  # characters

# SQLite counts up only INTEGER primary keys.
Id = BigInteger().with_variant(Integer(), "sqlite")


def identity() -> Column[int]:
    return Column("id", Id, primary_key=True)


def reference(name: str, target: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, Id, ForeignKey(f"{target}.id"), nullable=nullable)


def seconds(name: str) -> Column[float]:
    return Column(name, Float(53), nullable=False, server_default="0")


def count(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default="0")


def where(condition: str) -> dict[str, Any]:
    """Limits an index to some rows, on both databases."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}
