"""Save a small study, partly done, as the present schema stores it: `schema_NUMBER.db`.

Run as ``python -m tests.golden.make_schema``, once a schema, just before its version is raised.
What the database holds is said in `tests.contract.storage_demo`; on top of that, one run is leased
by a driver that is gone, and two wait.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from storage.database.opened import SCHEMA_VERSION
from storage.records import CheckpointRecord, Spent
from tests.contract.storage_bench import Bench, epoch
from tests.contract.storage_demo import make_demo

FILE = Path(__file__).with_name(f"schema_{SCHEMA_VERSION}.db")


def main() -> None:
    """Write the database.

    Raises:
        FileExistsError: It was saved before.
    """
    if FILE.exists():
        raise FileExistsError(
            f"A schema's database is saved once, before the next schema. Got {FILE.name}, which is "
            "there. Raise SCHEMA_VERSION first, or keep this one."
        )
    bench = Bench(f"sqlite:///{FILE}")
    make_demo(bench)
    bench.add_runs("x", "y", seeds=(1, 2))
    claim = bench.claim_one()
    bench.storage.record(
        [
            epoch(claim, 1, 0.3, 0.3),
            CheckpointRecord(
                run=claim.run,
                token=claim.token,
                epoch=1,
                path="two.pt",
                size_bytes=100,
                spent=Spent(checkpoint_s=0.5),
            ),
        ]
    )
    bench.storage.close()
    _make_small()


def _make_small() -> None:
    connection = sqlite3.connect(FILE)
    connection.execute("PRAGMA journal_mode=DELETE")
    connection.execute("PRAGMA page_size=512")
    connection.execute("VACUUM")
    connection.close()


if __name__ == "__main__":
    main()
