"""Drivers and their workers make themselves known."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256

import sqlalchemy as sa
from sqlalchemy import Connection

from storage.database.retry import retried
from storage.planning.opened import OpenedDatabase
from storage.planning.writing import add, lasting, next_change, now
from storage.records import Holder
from storage.schema.dialects import insert_ignoring
from storage.schema.tables import attempts, environments, holders, workers


class Workers(OpenedDatabase):
    """The part of `storage.Storage` that makes drivers and workers known."""

    @retried
    def register_holder(self, holder: Holder) -> int:
        """Make a driver known, that begins to work on a study; returns its id."""
        values = {
            "host": holder.host,
            "boot_id": holder.boot_id,
            "pid": holder.pid,
            "process_start": holder.process_start,
        }
        same = sa.and_(*(holders.c[name] == value for name, value in values.items()))
        with self._database.write() as connection:
            added, at = insert_ignoring(connection, holders), {"started_at": now()}
            connection.execute(added, {**values, **at})
            connection.execute(holders.update().where(same).values(at))
            return int(connection.execute(sa.select(holders.c.id).where(same)).scalar_one())

    @retried
    def register_worker(
        self,
        *,
        study_id: int,
        holder_id: int,
        pid: int,
        environment: Mapping[str, str],
        startup_s: float,
        price_per_h: float | None = None,
        files: str = "",
    ) -> int:
        """Make a worker known and book its start-up; returns its id.

        Args:
            files: Folder or URL where it keeps the study's files.
        """
        with self._database.write() as connection:
            environment_id = _environment(connection, environment)
            change = next_change(connection, study_id)
            worker_id = add(
                connection,
                workers.insert(),
                {
                    "study_id": study_id,
                    "holder_id": holder_id,
                    "environment_id": environment_id,
                    "host": environment.get("host", "unknown"),
                    "price_per_h": price_per_h,
                    "pid": pid,
                    "files": files,
                    "started_at": now(),
                },
            )
            connection.execute(
                attempts.insert(),
                {
                    "study_id": study_id,
                    "worker_id": worker_id,
                    "kind": "startup",
                    "state": "finished",
                    "startup_s": startup_s,
                    "change": change,
                    **lasting(startup_s),
                },
            )
            return worker_id


def _environment(connection: Connection, content: Mapping[str, str]) -> int:
    text = json.dumps(dict(content), sort_keys=True)
    digest = sha256(text.encode()).hexdigest()
    connection.execute(
        insert_ignoring(connection, environments),
        {
            "hash": digest,
            "content": text,
            "code_version": content.get("code", "unknown"),
            "device": content.get("device", "unknown"),
            "hardware": content.get("cpu", "unknown"),
        },
    )
    same = sa.select(environments.c.id).where(environments.c.hash == digest)
    return int(connection.execute(same).scalar_one())
