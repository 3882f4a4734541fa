"""The first tables."""

from alembic import op
from sqlmodel import SQLModel

import appliance.models  # noqa: F401

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    SQLModel.metadata.create_all(op.get_bind())
