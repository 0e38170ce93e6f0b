"""Tasks at the start: routes, listeners, what the palette finds."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Flask, url_for

from portal.core import palette
from portal.core.access import Permission, access
from portal.core.palette import Entry, Kind, entry
from portal.i18n.search import fold
from portal.i18n.words import lazy_gettext as _l
from portal.workflows.tasks import listeners, lists, queries
from portal.workflows.tasks.queries import TaskFilter
from portal.workflows.tasks.views import bp
from portal.workflows.tasks.wording import title_of

FOUND = 20


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
    palette.provide(find, place=1)
    lists.register()


def find(text: str) -> Iterable[Entry]:
    """Give the inbox, and the tasks that wait for the reader and whose headline holds the text."""
    here = access()
    if not here.can(Permission.TASK_READ):
        return
    yield entry(Kind.PAGE, _l("Tasks"), "clipboard-check", url_for("tasks.listing"))
    if text:
        for row in queries.list_tasks(here.tenant_id, TaskFilter(here.person_id), place=None, limit=FOUND).items:
            if fold(text) in fold(f"{row.title} {row.title_ar or ''}"):
                url = url_for("tasks.show", task_id=row.id)
                yield Entry(Kind.RUN, title_of(row), "clipboard-check", url, words=(row.title, row.title_ar or ""))
