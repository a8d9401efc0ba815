"""Clip lists, what was exported of them, webhooks; rights, embargo, reel and tape of films."""

import sqlalchemy as sa
from alembic import op

revision = "0007_lists"
down_revision = "0006_clusters"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this version."""
    op.create_table(
        "exportsettings",
        sa.Column("project_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("mappings", sa.JSON(), nullable=False),
        sa.Column("handles", sa.Integer(), nullable=False),
        sa.Column("rate", sa.String(), nullable=False),
        sa.Column("changed_by", sa.String(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("project_id"),
    )
    op.create_table(
        "storedlist",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("approved_by", sa.String(), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("target_s", sa.Float(), nullable=True),
        sa.Column("rate", sa.String(), nullable=False),
        sa.Column("rule", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("storedlist", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_storedlist_project_id"), ["project_id"], unique=False)

    op.create_table(
        "webhook",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("secret", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("webhook", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_webhook_project_id"), ["project_id"], unique=False)

    op.create_table(
        "listexport",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("list_id", sa.Integer(), nullable=False),
        sa.Column("list_version", sa.Integer(), nullable=False),
        sa.Column("list_key", sa.String(), nullable=False),
        sa.Column("format", sa.String(), nullable=False),
        sa.Column("format_version", sa.Integer(), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("made_of", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("clips", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.String(), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["list_id"], ["storedlist.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("listexport", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_listexport_job_id"), ["job_id"], unique=False)
        batch_op.create_index("listexport_by_key", ["list_id", "format", "list_key"], unique=False)

    op.create_table(
        "webhookdelivery",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("webhook_id", sa.Integer(), nullable=False),
        sa.Column("list_id", sa.Integer(), nullable=True),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_status", sa.Integer(), nullable=True),
        sa.Column("last_answer", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["list_id"], ["storedlist.id"], ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["webhook_id"], ["webhook.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("webhookdelivery", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_webhookdelivery_list_id"), ["list_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_webhookdelivery_webhook_id"), ["webhook_id"], unique=False)
        batch_op.create_index("webhookdelivery_due", ["state", "due_at"], unique=False)

    op.create_table(
        "listentry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("list_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("candidate_id", sa.Integer(), nullable=True),
        sa.Column("movie_sha256", sa.String(), nullable=False),
        sa.Column("movie_title", sa.String(), nullable=False),
        sa.Column("start_frame", sa.Integer(), nullable=False),
        sa.Column("end_frame", sa.Integer(), nullable=False),
        sa.Column("start_s", sa.Float(), nullable=False),
        sa.Column("end_s", sa.Float(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("rights", sa.String(), nullable=False),
        sa.Column("rights_note", sa.String(), nullable=False),
        sa.Column("embargo_until", sa.Date(), nullable=True),
        sa.Column("admitted_by", sa.String(), nullable=False),
        sa.Column("by_rule", sa.Boolean(), nullable=False),
        sa.Column("added_by", sa.String(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["candidate_id"], ["candidate.id"], ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["list_id"], ["storedlist.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("listentry", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_listentry_candidate_id"), ["candidate_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_listentry_movie_sha256"), ["movie_sha256"], unique=False)
        batch_op.create_index("listentry_in_order", ["list_id", "position"], unique=False)

    with op.batch_alter_table("movie", schema=None) as batch_op:
        batch_op.add_column(sa.Column("rights", sa.String(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("embargo_until", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("reel", sa.String(length=200), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("tape", sa.String(length=200), nullable=False, server_default=""))


def downgrade() -> None:
    """Back from it."""
    # Not in a batch: SQLite would make the table anew, and forget all that belongs to films.
    for column in ("tape", "reel", "embargo_until", "rights"):
        op.drop_column("movie", column)

    with op.batch_alter_table("listentry", schema=None) as batch_op:
        batch_op.drop_index("listentry_in_order")
        batch_op.drop_index(batch_op.f("ix_listentry_movie_sha256"))
        batch_op.drop_index(batch_op.f("ix_listentry_candidate_id"))

    op.drop_table("listentry")
    with op.batch_alter_table("webhookdelivery", schema=None) as batch_op:
        batch_op.drop_index("webhookdelivery_due")
        batch_op.drop_index(batch_op.f("ix_webhookdelivery_webhook_id"))
        batch_op.drop_index(batch_op.f("ix_webhookdelivery_list_id"))

    op.drop_table("webhookdelivery")
    with op.batch_alter_table("listexport", schema=None) as batch_op:
        batch_op.drop_index("listexport_by_key")
        batch_op.drop_index(batch_op.f("ix_listexport_job_id"))

    op.drop_table("listexport")
    with op.batch_alter_table("webhook", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_webhook_project_id"))

    op.drop_table("webhook")
    with op.batch_alter_table("storedlist", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_storedlist_project_id"))

    op.drop_table("storedlist")
    op.drop_table("exportsettings")
