"""What is compiled for one database serves all others of its kind, as long as a process of tests.

An engine keeps what it compiles for itself, and each test opens a database of its own: to compile
the same statements anew was half of what the tests of the storage took.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.engine import Engine


class _Compiled(dict[Any, Any]):
    """Compiled statements by the kind of a dialect; SQLAlchemy's keys begin with its object."""

    def get(self, key: tuple[Any, ...], default: Any = None) -> Any:
        return super().get(_of_kind(key), default)

    def __setitem__(self, key: tuple[Any, ...], compiled: Any) -> None:
        super().__setitem__(_of_kind(key), compiled)


def _of_kind(key: tuple[Any, ...]) -> tuple[Any, ...]:
    dialect, *statement = key
    return type(dialect), dialect.server_version_info, *statement


_compiled = _Compiled()


def share() -> None:
    """Have all engines of this process share what they compile."""
    event.listen(Engine, "engine_connect", _with_shared)


def _with_shared(connection: Connection) -> None:
    connection.execution_options(compiled_cache=_compiled)
