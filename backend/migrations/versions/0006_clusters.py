"""Clusters of places and people, their items, and what people corrected."""

import sqlalchemy as sa
from alembic import op

revision = "0006_clusters"
down_revision = "0005_models"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this version."""
    op.create_table(
        "cluster",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("named_by", sa.String(), nullable=False),
        sa.Column("merged_into", sa.Integer(), nullable=True),
        sa.Column("gone", sa.Boolean(), nullable=False),
        sa.Column("cover_id", sa.Integer(), nullable=True),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("screen_time_s", sa.Float(), nullable=False),
        sa.Column("cohesion", sa.Float(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("cluster", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_cluster_project_id"), ["project_id"], unique=False)

    op.create_table(
        "clustering",
        sa.Column("project_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("space", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=True),
        sa.Column("full", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("project_id", "kind"),
    )
    op.create_table(
        "correction",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("cluster_id", sa.Integer(), nullable=True),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undoes_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["undoes_id"], ["correction.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("undoes_id"),
    )
    with op.batch_alter_table("correction", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_correction_project_id"), ["project_id"], unique=False)

    op.create_table(
        "clusteritem",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("movie_id", sa.Integer(), nullable=False),
        sa.Column("shot", sa.Integer(), nullable=False),
        sa.Column("track", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("frame", sa.Integer(), nullable=False),
        sa.Column("x", sa.Float(), nullable=False),
        sa.Column("y", sa.Float(), nullable=False),
        sa.Column("width", sa.Float(), nullable=False),
        sa.Column("height", sa.Float(), nullable=False),
        sa.Column("faces", sa.JSON(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("cluster_id", sa.Integer(), nullable=True),
        sa.Column("origin_id", sa.Integer(), nullable=True),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("placed", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["cluster_id"], ["cluster.id"], ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["movie_id"], ["movie.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("movie_id", "kind", "shot", "track"),
    )
    with op.batch_alter_table("clusteritem", schema=None) as batch_op:
        batch_op.create_index("clusteritem_by_key", ["project_id", "kind", "key"], unique=False)
        batch_op.create_index("clusteritem_of_cluster", ["project_id", "kind", "cluster_id"], unique=False)

    op.create_table(
        "feedbackpair",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("correction_id", sa.Integer(), nullable=False),
        sa.Column("anchor", sa.String(), nullable=False),
        sa.Column("positive", sa.String(), nullable=False),
        sa.Column("negative", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["correction_id"], ["correction.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("feedbackpair", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_feedbackpair_correction_id"), ["correction_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_feedbackpair_project_id"), ["project_id"], unique=False)

    op.create_table(
        "link",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("correction_id", sa.Integer(), nullable=False),
        sa.Column("must", sa.Boolean(), nullable=False),
        sa.Column("one", sa.String(), nullable=False),
        sa.Column("other", sa.String(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=True),
        sa.Column("cluster_id", sa.Integer(), nullable=True),
        sa.Column("ended_by", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["correction_id"], ["correction.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["item_id"], ["clusteritem.id"], ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("link", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_link_correction_id"), ["correction_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_link_item_id"), ["item_id"], unique=False)
        batch_op.create_index("link_that_holds", ["project_id", "kind", "ended_by"], unique=False)


def downgrade() -> None:
    """Back from it."""
    with op.batch_alter_table("link", schema=None) as batch_op:
        batch_op.drop_index("link_that_holds")
        batch_op.drop_index(batch_op.f("ix_link_item_id"))
        batch_op.drop_index(batch_op.f("ix_link_correction_id"))

    op.drop_table("link")
    with op.batch_alter_table("feedbackpair", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_feedbackpair_project_id"))
        batch_op.drop_index(batch_op.f("ix_feedbackpair_correction_id"))

    op.drop_table("feedbackpair")
    with op.batch_alter_table("clusteritem", schema=None) as batch_op:
        batch_op.drop_index("clusteritem_of_cluster")
        batch_op.drop_index("clusteritem_by_key")

    op.drop_table("clusteritem")
    with op.batch_alter_table("correction", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_correction_project_id"))

    op.drop_table("correction")
    op.drop_table("clustering")
    with op.batch_alter_table("cluster", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_cluster_project_id"))

    op.drop_table("cluster")
