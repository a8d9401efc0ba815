"""Which dialogue scene of two characters a shot lies in; films analysed before have none until they are again."""

import sqlalchemy as sa
from alembic import op

revision = "0008_dialogue_scenes"
down_revision = "0007_lists"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this version."""
    op.add_column("shot", sa.Column("dialogue_scene", sa.Integer(), nullable=True))


def downgrade() -> None:
    """Back to the version before."""
    # Not in a batch: SQLite would make the table anew.
    op.drop_column("shot", "dialogue_scene")
