"""A worker does not pass by a line that another one is claiming from more often than is fair: then it waits."""

from alembic import op

from portal.core import schema

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

CLAIM = "claim_step(text[], text, float8, text, uuid, float8)"
PLACE = """case when l.claimed_at >= head.available_at then l.vtime
                      else greatest(l.vtime, (select max(b.began) from workflow_lanes b where b.lane = lane_name)) end"""
# What of the claim changes: as it was, as it is. Turns are counted as lines count them: by weight, a second of work is one more.
EDITS = (
    (
        "  holds_one boolean := false;",
        "  passed_by float8;  -- the place of a line that another worker was claiming from\n  holds_one boolean := false;",
    ),
    ("count(*) over () as active\n", f"count(*) over () as active,\n               {PLACE} as place\n"),
    (
        "      now_at := clock_timestamp();\n      for line in",
        "      now_at := clock_timestamp();\n      passed_by := null;\n      for line in",
    ),
    (
        "        if line.is_unknown then\n",
        "        exit when round = 1 and not holds_one and line.place > passed_by + 2;\n        if line.is_unknown then\n",
    ),
    ("          is_busy := true;\n", "          is_busy := true;\n          passed_by := least(passed_by, line.place);\n"),
)


def upgrade() -> None:
    schema.edit_function(op.get_bind(), CLAIM, EDITS)


def downgrade() -> None:
    schema.edit_function(op.get_bind(), CLAIM, ((new, old) for old, new in EDITS))
