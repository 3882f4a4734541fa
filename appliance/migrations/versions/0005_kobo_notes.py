"""What Kobos hold of notes, and whether a person wants notes from elsewhere on them."""

import sqlalchemy as sa
from alembic import op

from appliance.models.columns import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_VERSION = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("user", sa.Column("kobo_pushes", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "kobonotes",
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("book_id", sa.String(), nullable=False),
        sa.Column("began_at", UtcDateTime(), nullable=False),
        sa.Column("said_at", UtcDateTime(), nullable=True),
        sa.Column("owed", sa.JSON(), nullable=False),
        sa.Column("doubt", sa.String(), nullable=False),
        sa.Column("served_at", UtcDateTime(), nullable=True),
        sa.Column("served_version", _VERSION, nullable=False),
        sa.Column("etag", sa.String(), nullable=False),
        sa.Column("is_due", sa.Boolean(), nullable=False),
        sa.Column("repeats", sa.Integer(), nullable=False),
        sa.Column("left_out", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"]),
        sa.ForeignKeyConstraint(["book_id"], ["book.id"]),
        sa.PrimaryKeyConstraint("device_id", "book_id"),
    )
    op.create_index("ix_kobonotes_book_id", "kobonotes", ["book_id"], unique=False)
    op.create_table(
        "kobonotepage",
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("book_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("revision", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("version", _VERSION, nullable=False),
        sa.Column("etag", sa.String(), nullable=False),
        sa.Column("page_size", sa.Integer(), nullable=False),
        sa.Column("is_last", sa.Boolean(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"]),
        sa.ForeignKeyConstraint(["book_id"], ["book.id"]),
        sa.PrimaryKeyConstraint("device_id", "book_id", "number"),
    )
    op.create_index("ix_kobonotepage_book_id", "kobonotepage", ["book_id"], unique=False)
