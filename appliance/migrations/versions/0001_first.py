"""The first tables."""

import sqlalchemy as sa
from alembic import op

from appliance.models.columns import UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "book",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("sort_title", sa.String(), nullable=False),
        sa.Column("authors", sa.JSON(), nullable=False),
        sa.Column("sort_author", sa.String(), nullable=False),
        sa.Column("title_key", sa.String(), nullable=False),
        sa.Column("author_key", sa.String(), nullable=False),
        sa.Column("search_text", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("identifiers", sa.JSON(), nullable=False),
        sa.Column("series", sa.String(), nullable=True),
        sa.Column("series_index", sa.Float(), nullable=True),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("subjects", sa.JSON(), nullable=False),
        sa.Column("publisher", sa.String(), nullable=False),
        sa.Column("published", sa.String(), nullable=False),
        sa.Column("cover_sha256", sa.String(), nullable=True),
        sa.Column("main_sha256", sa.String(), nullable=True),
        sa.Column("added_at", UtcDateTime(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_book_author_key", "book", ["author_key"], unique=False)
    op.create_index("ix_book_changed_at", "book", ["changed_at"], unique=False)
    op.create_index("ix_book_changed_at_id", "book", ["changed_at", "id"], unique=False)
    op.create_index("ix_book_title_key", "book", ["title_key"], unique=False)
    op.create_table(
        "libraryfile",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("mtime_ns", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=True),
        sa.Column("problem", sa.String(), nullable=True),
        sa.Column("remedy", sa.String(), nullable=True),
        sa.Column("examined", sa.Integer(), nullable=False),
        sa.Column("missing_since", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("path"),
    )
    op.create_index("ix_libraryfile_sha256", "libraryfile", ["sha256"], unique=False)
    op.create_table(
        "setting",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table(
        "sweeprun",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.Column("ok", sa.Boolean(), nullable=False),
        sa.Column("result", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "user",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_key", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("is_admin", sa.Boolean(), nullable=False),
        sa.Column("time_zone", sa.String(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name_key"),
    )
    op.create_table(
        "device",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("client_key", sa.String(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=True),
        sa.Column("login", sa.String(), nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("last_seen_at", UtcDateTime(), nullable=True),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["parent_id"],
            ["device.id"],
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("login"),
        sa.UniqueConstraint("parent_id", "client_key"),
        sa.UniqueConstraint("token_hash"),
    )
    op.create_index("ix_device_user_id", "device", ["user_id"], unique=False)
    op.create_table(
        "koboentitlement",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("book_id", sa.String(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["book_id"],
            ["book.id"],
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("user_id", "book_id"),
    )
    op.create_index("ix_koboentitlement_book_id", "koboentitlement", ["book_id"], unique=False)
    op.create_table(
        "rendition",
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("book_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("origin_sha256", sa.String(), nullable=True),
        sa.Column("engine", sa.String(), nullable=True),
        sa.Column("engine_version", sa.String(), nullable=True),
        sa.Column("conversion_tried", sa.String(), nullable=True),
        sa.Column("conversion_problem", sa.String(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("unique_identifier", sa.String(), nullable=True),
        sa.Column("text_fingerprint", sa.String(), nullable=True),
        sa.Column("cover_sha256", sa.String(), nullable=True),
        sa.Column("cover_path", sa.String(), nullable=True),
        sa.Column("cover_embedded", sa.Boolean(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("contents", sa.JSON(), nullable=False),
        sa.Column("doubts", sa.JSON(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["book_id"],
            ["book.id"],
        ),
        sa.PrimaryKeyConstraint("sha256"),
    )
    op.create_index("ix_rendition_book_id", "rendition", ["book_id"], unique=False)
    op.create_index("ix_rendition_origin_sha256", "rendition", ["origin_sha256"], unique=False)
    op.create_index("ix_rendition_text_fingerprint", "rendition", ["text_fingerprint"], unique=False)
    op.create_index("ix_rendition_unique_identifier", "rendition", ["unique_identifier"], unique=False)
    op.create_table(
        "deviceprogress",
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("book_id", sa.String(), nullable=False),
        sa.Column("reported_entry_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("given_version", sa.Integer(), nullable=True),
        sa.Column("given_locator", sa.String(), nullable=True),
        sa.Column("given_tick", sa.Integer(), nullable=True),
        sa.Column("given_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["book_id"],
            ["book.id"],
        ),
        sa.ForeignKeyConstraint(
            ["device_id"],
            ["device.id"],
        ),
        sa.PrimaryKeyConstraint("device_id", "book_id"),
    )
    op.create_table(
        "digest",
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["sha256"],
            ["rendition.sha256"],
        ),
        sa.PrimaryKeyConstraint("value", "kind", "sha256"),
    )
    op.create_index("ix_digest_sha256", "digest", ["sha256"], unique=False)
    op.create_table(
        "enrolmentcode",
        sa.Column("code_hash", sa.String(), nullable=False),
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["device_id"],
            ["device.id"],
        ),
        sa.PrimaryKeyConstraint("code_hash"),
    )
    op.create_table(
        "journalentry",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("book_id", sa.String(), nullable=True),
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("operation_id", sa.String(), nullable=True),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("claimed_at", UtcDateTime(), nullable=True),
        sa.Column("asked_for", sa.String(), nullable=True),
        sa.Column("sha256", sa.String(), nullable=True),
        sa.Column("dialect", sa.String(), nullable=False),
        sa.Column("locator", sa.String(), nullable=False),
        sa.Column("percent", sa.Float(), nullable=True),
        sa.Column("reference_sha256", sa.String(), nullable=True),
        sa.Column("document", sa.String(), nullable=True),
        sa.Column("occurrence", sa.Integer(), nullable=False),
        sa.Column("k", sa.Integer(), nullable=True),
        sa.Column("tick", sa.Integer(), nullable=True),
        sa.Column("total", sa.Integer(), nullable=True),
        sa.Column("place_status", sa.String(), nullable=False),
        sa.Column("place_reason", sa.String(), nullable=False),
        sa.Column("reading_status", sa.String(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["book_id"],
            ["book.id"],
        ),
        sa.ForeignKeyConstraint(
            ["device_id"],
            ["device.id"],
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_journal_asked_for", "journalentry", ["asked_for", "user_id", "id"], unique=False)
    op.create_index("ix_journal_device", "journalentry", ["device_id", "id"], unique=False)
    op.create_index("ix_journal_operation", "journalentry", ["device_id", "operation_id"], unique=True)
    op.create_index("ix_journal_user_book", "journalentry", ["user_id", "book_id", "id"], unique=False)
    op.create_table(
        "kobocheckpoint",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("settled_at", UtcDateTime(), nullable=True),
        sa.Column("presented", sa.Integer(), nullable=True),
        sa.Column("more", sa.Boolean(), nullable=False),
        sa.Column("run_started_at", UtcDateTime(), nullable=False),
        sa.Column("cursor_at", UtcDateTime(), nullable=False),
        sa.Column("cursor_id", sa.String(), nullable=False),
        sa.Column("horizon", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"],
            ["device.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_kobocheckpoint_device_id", "kobocheckpoint", ["device_id"], unique=False)
    op.create_table(
        "kobodelivery",
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("book_id", sa.String(), nullable=False),
        sa.Column("offered_in", sa.Integer(), nullable=True),
        sa.Column("offered_at", UtcDateTime(), nullable=True),
        sa.Column("source_sha256", sa.String(), nullable=True),
        sa.Column("edition", sa.String(), nullable=True),
        sa.Column("metadata_fingerprint", sa.String(), nullable=False),
        sa.Column("book_changed_at", UtcDateTime(), nullable=False),
        sa.Column("wanted", sa.Boolean(), nullable=False),
        sa.Column("removed_at", UtcDateTime(), nullable=True),
        sa.Column("removed_by", sa.String(), nullable=True),
        sa.Column("sha256", sa.String(), nullable=True),
        sa.Column("began_at", UtcDateTime(), nullable=True),
        sa.Column("downloaded_at", UtcDateTime(), nullable=True),
        sa.Column("notes_refused_at", UtcDateTime(), nullable=True),
        sa.Column("reading_state", sa.Text(), nullable=True),
        sa.Column("given_version", sa.Integer(), nullable=True),
        sa.Column("given_in", sa.Integer(), nullable=True),
        sa.Column("answered_version", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["book_id"],
            ["book.id"],
        ),
        sa.ForeignKeyConstraint(
            ["device_id"],
            ["device.id"],
        ),
        sa.PrimaryKeyConstraint("device_id", "book_id"),
    )
    op.create_index("ix_kobodelivery_book_id", "kobodelivery", ["book_id"], unique=False)
    op.create_index("ix_kobodelivery_offered_in", "kobodelivery", ["device_id", "offered_in"], unique=False)
    op.create_table(
        "websession",
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"],
            ["device.id"],
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user.id"],
        ),
        sa.PrimaryKeyConstraint("token_hash"),
    )
    op.create_index("ix_websession_user_id", "websession", ["user_id"], unique=False)
    op.create_table(
        "progress",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("book_id", sa.String(), nullable=False),
        sa.Column("entry_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("activity_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("reference_sha256", sa.String(), nullable=True),
        sa.Column("document", sa.String(), nullable=True),
        sa.Column("occurrence", sa.Integer(), nullable=False),
        sa.Column("k", sa.Integer(), nullable=True),
        sa.Column("tick", sa.Integer(), nullable=True),
        sa.Column("total", sa.Integer(), nullable=True),
        sa.Column("fraction", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(
            ["book_id"],
            ["book.id"],
        ),
        sa.ForeignKeyConstraint(
            ["entry_id"],
            ["journalentry.id"],
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user.id"],
        ),
        sa.PrimaryKeyConstraint("user_id", "book_id"),
    )
    op.create_index("ix_progress_updated_at", "progress", ["updated_at"], unique=False)
