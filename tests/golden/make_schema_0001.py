"""Make `schema_0001.db`: a small study, partly done, as version 0001 of the schema stores it.

Run as ``python -m tests.golden.make_schema_0001``, once, while the code still is at that version.
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

FILE = Path(__file__).with_name("schema_0001.db")


def main() -> None:
    """Write the database.

    Raises:
        RuntimeError: The code is at another version, or the database is there already.
    """
    if SCHEMA_VERSION != "0001" or FILE.exists():
        raise RuntimeError(
            f"{FILE.name} is made once, by schema 0001; the code is at {SCHEMA_VERSION}. "
            "For a newer schema write a script and a database of its own beside this one."
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
