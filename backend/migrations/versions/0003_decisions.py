"""Decisions, the queue, engagement."""

import sqlalchemy as sa
from alembic import op

revision = "0003_decisions"
down_revision = "0002_search"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this version."""
    op.create_table(
        "queue",
        sa.Column("project_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("strategy", sa.String(), nullable=False),
        sa.Column("overlap", sa.Float(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("drawn", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("project_id"),
    )
    op.create_table(
        "decision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("candidate_id", sa.Integer(), nullable=False),
        sa.Column("movie_sha256", sa.String(), nullable=False),
        sa.Column("movie_title", sa.String(), nullable=False),
        sa.Column("start_frame", sa.Integer(), nullable=False),
        sa.Column("end_frame", sa.Integer(), nullable=False),
        sa.Column("start_s", sa.Float(), nullable=False),
        sa.Column("end_s", sa.Float(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("curator", sa.String(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("undoes_id", sa.Integer(), nullable=True),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("trim_start_frame", sa.Integer(), nullable=True),
        sa.Column("trim_end_frame", sa.Integer(), nullable=True),
        sa.Column("trim_of_id", sa.Integer(), nullable=True),
        sa.Column("spent_s", sa.Float(), nullable=True),
        sa.Column("strategy", sa.String(), nullable=False),
        sa.Column("propensity", sa.Float(), nullable=True),
        sa.Column("round", sa.Integer(), nullable=True),
        sa.Column("overlap", sa.Boolean(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["candidate_id"],
            ["candidate.id"],
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["project.id"],
        ),
        sa.ForeignKeyConstraint(
            ["trim_of_id"],
            ["decision.id"],
        ),
        sa.ForeignKeyConstraint(
            ["undoes_id"],
            ["decision.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("project_id", "curator", "key"),
        sa.UniqueConstraint("undoes_id"),
    )
    with op.batch_alter_table("decision", schema=None) as batch_op:
        batch_op.create_index("decision_by_curator", ["project_id", "curator", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_decision_candidate_id"), ["candidate_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_decision_movie_sha256"), ["movie_sha256"], unique=False)
        batch_op.create_index(batch_op.f("ix_decision_trim_of_id"), ["trim_of_id"], unique=False)

    op.create_table(
        "engagement",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("candidate_id", sa.Integer(), nullable=True),
        sa.Column("movie_sha256", sa.String(), nullable=False),
        sa.Column("start_frame", sa.Integer(), nullable=False),
        sa.Column("end_frame", sa.Integer(), nullable=False),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("clip", sa.String(), nullable=False),
        sa.Column("views", sa.BigInteger(), nullable=True),
        sa.Column("likes", sa.BigInteger(), nullable=True),
        sa.Column("shares", sa.BigInteger(), nullable=True),
        sa.Column("completion", sa.Float(), nullable=True),
        sa.Column("measured_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("added_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["candidate_id"], ["candidate.id"], ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["project.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("project_id", "platform", "clip", "measured_at"),
    )
    with op.batch_alter_table("engagement", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_engagement_candidate_id"), ["candidate_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_engagement_movie_sha256"), ["movie_sha256"], unique=False)

    op.create_table(
        "question",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("candidate_id", sa.Integer(), nullable=False),
        sa.Column("second", sa.Boolean(), nullable=False),
        sa.Column("overlap", sa.Boolean(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("strategy", sa.String(), nullable=False),
        sa.Column("propensity", sa.Float(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("until", sa.Float(), nullable=True),
        sa.Column("answered", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["candidate_id"], ["candidate.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("candidate_id", "person_id"),
        sa.UniqueConstraint("candidate_id", "second"),
    )
    with op.batch_alter_table("question", schema=None) as batch_op:
        batch_op.create_index("question_of_person", ["person_id", "answered"], unique=False)
        batch_op.create_index("question_open", ["project_id", "answered", "second", "round", "place"], unique=False)

    with op.batch_alter_table("candidate", schema=None) as batch_op:
        batch_op.add_column(sa.Column("decided", sa.Integer(), nullable=False, server_default=sa.text("0")))
        batch_op.add_column(sa.Column("verdict", sa.String(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("asked", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    """Back from it."""
    with op.batch_alter_table("candidate", schema=None) as batch_op:
        batch_op.drop_column("asked")
        batch_op.drop_column("verdict")
        batch_op.drop_column("decided")

    with op.batch_alter_table("question", schema=None) as batch_op:
        batch_op.drop_index("question_open")
        batch_op.drop_index("question_of_person")

    op.drop_table("question")
    with op.batch_alter_table("engagement", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_engagement_movie_sha256"))
        batch_op.drop_index(batch_op.f("ix_engagement_candidate_id"))

    op.drop_table("engagement")
    with op.batch_alter_table("decision", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_decision_trim_of_id"))
        batch_op.drop_index(batch_op.f("ix_decision_movie_sha256"))
        batch_op.drop_index(batch_op.f("ix_decision_candidate_id"))
        batch_op.drop_index("decision_by_curator")

    op.drop_table("decision")
    op.drop_table("queue")
