"""A statement can say what must hold, so that nobody has to read an answer before the commit."""

from alembic import op

revision = "0030"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create function must(holds boolean) returns boolean language plpgsql volatile as $$
        begin
          if holds is not true then
            raise exception 'not as it was known' using errcode = 'NA001';
          end if;
          return true;
        end $$
        """
    )


def downgrade() -> None:
    op.execute("drop function must(boolean)")
