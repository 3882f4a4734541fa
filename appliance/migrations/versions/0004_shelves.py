"""Shelves, and what of the library goes to which Kobo."""

import sqlalchemy as sa
from alembic import op

from appliance.models.columns import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bookshelf",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_key", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "ix_bookshelf_name",
        "bookshelf",
        ["user_id", "name_key"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "shelvedbook",
        sa.Column("shelf_id", sa.String(), nullable=False),
        sa.Column("book_id", sa.String(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("added_at", UtcDateTime(), nullable=False),
        sa.Column("removed_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["shelf_id"], ["bookshelf.id"]),
        sa.ForeignKeyConstraint(["book_id"], ["book.id"]),
        sa.PrimaryKeyConstraint("shelf_id", "book_id"),
    )
    op.create_index("ix_shelvedbook_book_id", "shelvedbook", ["book_id"], unique=False)
    op.create_table(
        "kobotag",
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("tag_id", sa.String(), nullable=False),
        sa.Column("told_version", sa.Integer(), nullable=False),
        sa.Column("due", sa.Boolean(), nullable=False),
        sa.Column("told_in", sa.Integer(), nullable=True),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("is_known", sa.Boolean(), nullable=False),
        sa.Column("others", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"]),
        sa.PrimaryKeyConstraint("device_id", "tag_id"),
    )
    op.create_table(
        "kobosync",
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("everything", sa.Boolean(), nullable=False),
        sa.Column("due", sa.Boolean(), nullable=False),
        sa.Column("looked_at", UtcDateTime(), nullable=True),
        sa.Column("shows_tokens", sa.Boolean(), nullable=False),
        sa.Column("registered_at", UtcDateTime(), nullable=True),
        sa.Column("reset_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"]),
        sa.PrimaryKeyConstraint("device_id"),
    )
    op.create_table(
        "kobochoice",
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"]),
        sa.PrimaryKeyConstraint("device_id", "kind", "value"),
    )
    op.create_index("ix_kobochoice_value", "kobochoice", ["kind", "value"], unique=False)
    op.create_index("ix_book_series", "book", ["series"], unique=False)
    op.add_column("kobodelivery", sa.Column("leaves_at", UtcDateTime(), nullable=True))
    op.add_column("kobodelivery", sa.Column("told_state", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_kobodelivery_leaves_at",
        "kobodelivery",
        ["device_id", "leaves_at"],
        unique=False,
        sqlite_where=sa.text("leaves_at IS NOT NULL"),
        postgresql_where=sa.text("leaves_at IS NOT NULL"),
    )
