"""What only came after version 0002; not released yet, so that it still grows."""

from __future__ import annotations

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    raise NotImplementedError("Schemas only go up. Restore a copy of the database.")
