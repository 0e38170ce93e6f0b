"""Arabic has six plural forms, and the compiled catalogue chooses the right one."""

import pytest
from flask_babel import force_locale

from portal.i18n import formats


@pytest.mark.parametrize(
    ("days", "said"),
    [(1, "قبل يوم"), (2, "قبل يومين"), (3, "قبل 3 أيام"), (10, "قبل 10 أيام"), (11, "قبل 11 يومًا"), (99, "قبل 99 يومًا"), (100, "قبل 100 يوم"), (103, "قبل 103 أيام")],
)  # fmt: skip
def test_days_ago_in_arabic(app, days, said):
    with app.test_request_context(), force_locale("ar"):
        assert formats._days_ago(days) == said
