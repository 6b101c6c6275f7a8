"""What only came after version 0002; not released yet, so that it still grows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True).with_variant(sa.String(32), "sqlite")


_ENGINE = {
    "engine": "VARCHAR(16)",
    "engine_reason": "TEXT DEFAULT '' NOT NULL",
    "stack_rows": "INTEGER",
}


def upgrade() -> None:
    _give_searches_engines()
    _add_networks()


def _add_networks() -> None:
    """Networks of runs that are done, by epoch."""
    op.create_table(
        "networks",
        sa.Column("id", _ID, nullable=False),
        *(sa.Column(f"{name}_id", _ID, nullable=False) for name in ("study", "run", "attempt")),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name="fk_networks_study_id"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_networks_run_id"),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempts.id"], name="fk_networks_attempt_id"),
        sa.PrimaryKeyConstraint("id", name="pk_networks"),
        sa.UniqueConstraint("path", name="uq_networks_path"),
    )
    op.create_index("ix_networks_study_id", "networks", ["study_id"])
    op.create_index("ix_networks_run_id_epoch", "networks", ["run_id", "epoch"])


def _give_searches_engines() -> None:
    """What a study had for all its runs, each of its searches has for its own."""
    connection = op.get_bind()
    for column, kind in _ENGINE.items():
        connection.exec_driver_sql(f"ALTER TABLE searches ADD COLUMN {column} {kind}")
        connection.exec_driver_sql(
            f"UPDATE searches SET {column} = "
            f"(SELECT st.{column} FROM studies st WHERE st.id = searches.study_id)"
        )
        connection.exec_driver_sql(f"ALTER TABLE studies DROP COLUMN {column}")


def downgrade() -> None:
    raise NotImplementedError("Schemas only go up. Restore a copy of the database.")
