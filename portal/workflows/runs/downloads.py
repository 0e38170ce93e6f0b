"""What a run leaves behind as files: its history as proof, large values, files of steps."""

from __future__ import annotations

from uuid import UUID

from flask import Response, stream_with_context

from portal.core.access import Permission, access, requires
from portal.workflows import payloads, queries, stored
from portal.workflows.actions import documents
from portal.workflows.history import events
from portal.workflows.runs import export
from portal.workflows.views import bp

SAVED_TYPES = frozenset({*documents.MEDIA_TYPES.values(), "application/json", "application/zip", "image/png", "image/jpeg", "text/plain"})


@bp.get("/runs/<uuid:run_id>/history")
@requires(Permission.RUN_READ)
def history(run_id: UUID) -> Response:
    """Hand out the history of a run with its hashes, as a file that can be checked without us."""
    return Response(
        stream_with_context(events.export(events.head_of(access().tenant_id, run_id))),
        mimetype="application/json",
        headers={"Content-Disposition": f'attachment; filename="history-{run_id}.json"', "Cache-Control": "private, no-store"},
    )


@bp.get("/runs/<uuid:run_id>/export")
@requires(Permission.RUN_READ)
def export_run(run_id: UUID) -> Response:
    """Hand out everything that the page shows of a run as one file."""
    here = access()
    queries.get_run(here.tenant_id, run_id)
    return Response(
        export.write(here.tenant_id, run_id, with_answers=here.can(Permission.TASK_READ)),  # opens its own transactions behind the request
        mimetype="application/json",
        headers={"Content-Disposition": f'attachment; filename="run-{run_id}.json"', "Cache-Control": "private, no-store"},
    )


@bp.get("/runs/<uuid:run_id>/values/<sha>")
@requires(Permission.RUN_READ)
def value(run_id: UUID, sha: str) -> Response:
    """Hand out a large value of a run whole; its page shows only the beginning."""
    found = payloads.of_run(access().tenant_id, run_id, sha)
    headers = {"Content-Disposition": f'attachment; filename="value-{sha[:12]}.json"', "Cache-Control": "private, no-store"}
    return Response(found, mimetype="application/json", headers=headers)


@bp.get("/files/<uuid:file_id>/file")
@requires(Permission.FILE_READ)
def file(file_id: UUID) -> Response:
    """Hand out a file of a run, to be saved and never shown in place: what another system sent must not run as a page of ours."""
    kept = stored.get_file(access().tenant_id, file_id)
    answer = Response(kept.content, mimetype=stored.USUAL_TYPE)
    answer.headers["Content-Type"] = kept.media_type if kept.media_type in SAVED_TYPES else stored.USUAL_TYPE
    answer.headers["Cache-Control"] = "private, no-store"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers.set("Content-Disposition", "attachment", filename=kept.name)
    return answer
