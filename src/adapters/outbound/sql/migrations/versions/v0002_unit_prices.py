"""Prices of units, beside those of tokens."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Adds them: 0 for the prices that are there, and for those that a gateway of the version before still sets."""
    op.add_column("prices", sa.Column("unit_nano", sa.BigInteger(), nullable=False, server_default=sa.text("0")))
