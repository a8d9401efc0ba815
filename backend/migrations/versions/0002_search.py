"""Search: which films are whole in the index, and which collection of Chroma holds a space."""

import sqlalchemy as sa
from alembic import op

revision = "0002_search"
down_revision = "0001_library"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this version."""
    op.create_table(
        "vectorcollection",
        sa.Column("space", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("space"),
    )
    op.create_table(
        "indexedfilm",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("movie_id", sa.Integer(), nullable=False),
        sa.Column("space", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("inputs", sa.String(), nullable=False),
        sa.Column("scan_key", sa.String(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("stamp", sa.String(), nullable=False),
        sa.Column("indexed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["movie_id"], ["movie.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("movie_id", "space"),
    )
    with op.batch_alter_table("indexedfilm", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_indexedfilm_movie_id"), ["movie_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_indexedfilm_sha256"), ["sha256"], unique=False)


def downgrade() -> None:
    """Back from it."""
    with op.batch_alter_table("indexedfilm", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_indexedfilm_sha256"))
        batch_op.drop_index(batch_op.f("ix_indexedfilm_movie_id"))

    op.drop_table("indexedfilm")
    op.drop_table("vectorcollection")
