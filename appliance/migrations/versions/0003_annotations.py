"""Annotations, book states, and the feed of changes."""

import sqlalchemy as sa
from alembic import op

from appliance.models.columns import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_VERSION = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "feed",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("version", _VERSION, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"]),
        sa.PrimaryKeyConstraint("user_id"),
    )
    op.create_table(
        "annotation",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("book_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("version", _VERSION, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("reference_sha256", sa.String(), nullable=True),
        sa.Column("start_document", sa.String(), nullable=True),
        sa.Column("start_occurrence", sa.Integer(), nullable=False),
        sa.Column("start_k", sa.Integer(), nullable=True),
        sa.Column("end_document", sa.String(), nullable=True),
        sa.Column("end_occurrence", sa.Integer(), nullable=False),
        sa.Column("end_k", sa.Integer(), nullable=True),
        sa.Column("first", sa.Integer(), nullable=True),
        sa.Column("last", sa.Integer(), nullable=True),
        sa.Column("place_status", sa.String(), nullable=False),
        sa.Column("place_reason", sa.String(), nullable=False),
        sa.Column("quote", sa.JSON(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("colour", sa.String(), nullable=False),
        sa.Column("style", sa.String(), nullable=False),
        sa.Column("chapter", sa.String(), nullable=False),
        sa.Column("versions", sa.JSON(), nullable=False),
        sa.Column("times", sa.JSON(), nullable=False),
        sa.Column("other_notes", sa.JSON(), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("held_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"]),
        sa.ForeignKeyConstraint(["book_id"], ["book.id"]),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_annotation_feed", "annotation", ["user_id", "version"], unique=False)
    op.create_index("ix_annotation_book", "annotation", ["user_id", "book_id", "first"], unique=False)
    op.create_table(
        "deviceannotation",
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("annotation_id", sa.String(), nullable=False),
        sa.Column("book_id", sa.String(), nullable=False),
        sa.Column("native_id", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=True),
        sa.Column("native", sa.JSON(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("held", sa.JSON(), nullable=False),
        sa.Column("held_versions", sa.JSON(), nullable=False),
        sa.Column("held_version", _VERSION, nullable=False),
        sa.Column("given", sa.JSON(), nullable=False),
        sa.Column("claimed_at", UtcDateTime(), nullable=True),
        sa.Column("gone_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"]),
        sa.ForeignKeyConstraint(["annotation_id"], ["annotation.id"]),
        sa.ForeignKeyConstraint(["book_id"], ["book.id"]),
        sa.PrimaryKeyConstraint("device_id", "annotation_id"),
    )
    op.create_index(
        "ix_device_annotation_native", "deviceannotation", ["device_id", "book_id", "native_id"], unique=False
    )
    op.create_table(
        "bookstate",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("book_id", sa.String(), nullable=False),
        sa.Column("version", _VERSION, nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("status_by", sa.String(), nullable=False),
        sa.Column("rating", sa.Integer(), nullable=False),
        sa.Column("review", sa.Text(), nullable=False),
        sa.Column("versions", sa.JSON(), nullable=False),
        sa.Column("times", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"]),
        sa.ForeignKeyConstraint(["book_id"], ["book.id"]),
        sa.PrimaryKeyConstraint("user_id", "book_id"),
    )
    op.create_index("ix_book_state_feed", "bookstate", ["user_id", "version"], unique=False)
    op.create_table(
        "devicestate",
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("book_id", sa.String(), nullable=False),
        sa.Column("held", sa.JSON(), nullable=False),
        sa.Column("held_version", _VERSION, nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"]),
        sa.ForeignKeyConstraint(["book_id"], ["book.id"]),
        sa.PrimaryKeyConstraint("device_id", "book_id"),
    )
    op.add_column("journalentry", sa.Column("fraction", sa.Float(), nullable=True))
    op.add_column("journalentry", sa.Column("epoch", sa.Integer(), nullable=True))
    op.add_column("journalentry", sa.Column("skew", sa.Integer(), nullable=True))
    op.add_column("journalentry", sa.Column("subject", sa.String(), nullable=True))
    op.add_column("journalentry", sa.Column("payload", sa.JSON(), nullable=True))
    op.add_column("journalentry", sa.Column("effects", sa.JSON(), nullable=True))
    op.add_column("progress", sa.Column("feed_version", _VERSION, nullable=False, server_default="0"))
    op.create_index("ix_progress_feed", "progress", ["user_id", "feed_version"], unique=False)
    op.execute(
        """
        INSERT INTO bookstate (user_id, book_id, version, status, status_by, rating, review, versions, times)
        SELECT user_id, book_id, 0, status, 'automatic', 0, '', '{}', '{}' FROM progress
        """
    )
    op.drop_column("progress", "status")
