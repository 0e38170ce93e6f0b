"""Rows as pages show them: names, times, and every error code as a sentence in the reader's language. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from portal.i18n.formats import number
from portal.i18n.words import gettext as _
from portal.i18n.words import lazy_gettext as _l
from portal.workflows import payloads, redaction
from portal.workflows.definition import graph_hash

REASONS: dict[str, Any] = {
    "expression": _l("A value could not be worked out."),
    "condition_not_boolean": _l("The condition gave something other than true or false."),
    "wait_not_a_number": _l("How long to wait is not a number."),
    "wait_too_long": _l("A wait lasts 30 days at most."),
    "calendar_never_worked": _l("The calendar has no working time: every day of two years is off."),
    "signal_name": _l("The name of the signal, or its key, is not one that can be used."),
    "signal_too_large": _l("What was to be sent with the signal is larger than 200 kB."),
    "signal_timeout": _l("Nobody sent the signal in time."),
    "task_nobody": _l("Fewer people may decide this task than must. Name more, or look at who is left out."),
    "task_expired": _l("Nobody decided the task in time."),
    "wait_not_a_moment": _l("The moment to wait for is not a date and time."),
    "output_too_large": _l("The step's result is larger than 4 MB."),
    "action_broke": _l("The step broke in a way that was not foreseen."),
    "worker_lost": _l("The worker was lost while it carried out the step."),
    "crash_loop": _l("The step brought its worker down again and again, so it was stopped."),
    "case_not_boolean": _l("A case of the switch gave something other than true or false."),
    "join_impossible": _l("The number of lanes that are enough does not fit the number of lanes."),
    "not_a_count": _l("A number of the step is not a whole number that is allowed there."),
    "not_a_list": _l("What it should go through is not a list."),
    "too_many_items": _l("A list has at most 100,000 items."),
    "items_failed": _l("Some items failed."),
    "rounds_spent": _l("The condition was not met in the rounds that were allowed."),
    "jumps_spent": _l("It went back as often as was allowed."),
    "stopped": _l("The workflow stopped here."),
    "timeout": _l("The step took longer than its time limit."),
    "cancelled": _l("The run was cancelled."),
    "child_not_found": _l("The workflow that it calls is not there or has no live version."),
    "child_too_deep": _l("Workflows call each other at most 10 levels deep."),
    "child_input": _l("The workflow that it calls did not accept the values."),
    "trial_refused": _l("The database did not let the trial go on. Somebody else may be changing the same rows; try again in a moment."),
    "child_failed": _l("The workflow that it called did not succeed."),
    "child_gate_full": _l("As many runs of the workflow that it calls go on as may at once."),
    "superseded": _l("A newer run took its place."),
    "deadline": _l("The run took longer than its time limit."),
    "decided_failed": _l("Somebody decided that the step failed."),
    "table_not_found": _l("The data table does not exist any more."),
    "row_invalid": _l("The data table did not accept the values."),
    "nobody_to_tell": _l("There is nobody to tell: the run was not started by a person."),
    "call_status": _l("The other system answered with an error."),
    "call_dns": _l("The address of the other system was not found."),
    "call_blocked": _l("Calls to this address are not allowed."),
    "call_connect": _l("The other system could not be reached."),
    "call_tls": _l("The other system's certificate is not valid for its name."),
    "call_timeout": _l("The other system did not answer in time."),
    "call_too_large": _l("The call or its answer is too large."),
    "call_protocol": _l("The other system's answer could not be understood."),
    "respond_status": _l("The status of an answer is 200 to 299 or 400 to 599."),
    "respond_header": _l("The answer may not have this header, or not with this value."),
    "call_statuses": _l("The statuses that mean success cannot be read; write 200-299, 404."),
    "call_path": _l("The path into the answer is not valid."),
    "call_no_list": _l("There is no list at this place of the answer."),
    "call_elsewhere": _l("The next page would have been on another server, so it was not fetched."),
    "connection_gone": _l("The connection does not exist any more. Choose another one in the step."),
    "connection_scope": _l("The connection may not be used by this workflow or this kind of step."),
    "connection_kind": _l("The connection is of another kind than the step needs."),
    "connection_lost": _l("The secret of the connection cannot be read any more. Enter it again."),
    "connection_token": _l("The connection was given no access token."),
    "connection_bound": _l("The secret of the connection may not be sent to this server, so nothing was sent."),
    "file_too_large": _l("The file is larger than 20 MB."),
    "file_run_full": _l("The files of the run are together larger than 200 MB."),
    "file_gone": _l("The file does not exist any more; files are kept for 30 days."),
    "file_not_a_file": _l("What should be a file of an earlier step is something else."),
    "document_no_list": _l("The rows of a document must be a list."),
    "document_too_many_rows": _l("The list has more rows than such a file may have."),
    "document_too_many_columns": _l("The list has more columns than such a file may have."),
    "list_expected": _l("What should be a list is something else."),
    "path_refused": _l("The path is not valid, or does not fit the value."),
    "figure_unknown": _l("A figure is not one of count, sum, avg, min, max, first, last and list."),
    "figure_no_number": _l("What should be added up is not a number."),
    "db_statement": _l("The statement cannot be sent: a value is missing, it is too long, or its quotes are unclear."),
    "db_refused": _l("The database refused the user name or the password, or the user may not do this."),
    "db_connect": _l("The database could not be reached."),
    "db_dns": _l("The name of the database's server was not found."),
    "db_blocked": _l("Calls to this server are not allowed."),
    "db_tls": _l("The database's certificate is not valid for its name, or it does not speak TLS."),
    "db_timeout": _l("The database did not answer in time."),
    "db_query": _l("The database refused the statement."),
    "db_cut_off": _l("The connection to the database broke while the statement was under way."),
    "chat_empty": _l("There is nothing to say: give a title or a text."),
    "chat_no_channel": _l("Name the channel: a bot has none of its own."),
    "chat_access": _l("The connection is not let in any more: its token or address was withdrawn."),
    "chat_channel": _l("There is no such channel, or the bot is not in it."),
    "chat_refused": _l("The message was not taken."),
    "mail_connect": _l("The mail server could not be reached."),
    "mail_recipient_refused": _l("The mail server refused a recipient."),
    "mail_sender_refused": _l("The mail server refused the sender."),
    "mail_message_refused": _l("The mail server refused the message."),
    "mail_invalid_address": _l("A recipient is not a valid e-mail address."),
    "mail_invalid_header": _l("The subject may not contain line breaks."),
    "mail_too_many_recipients": _l("An e-mail has at most 20 recipients."),
    "mail_attachments_too_large": _l("The files of an e-mail are together larger than 10 MB, or more than ten."),
    "mail_busy": _l("The mail server is busy."),
    "mail_timeout": _l("The mail server did not answer in time."),
    "mail_connection_lost": _l("The connection to the mail server was lost while sending."),
}
UNKNOWN = _l("The step did not succeed.")


@dataclass(frozen=True, slots=True)
class Large:
    """A value that is too large for a page: how it begins, its size in bytes, and its hash."""

    beginning: str
    size: int
    sha: str


@dataclass(frozen=True, slots=True)
class LastRun:
    """The newest run of a workflow."""

    id: UUID
    status: str
    started_at: datetime


@dataclass(frozen=True, slots=True)
class WorkflowRow:
    """One workflow in the list."""

    id: UUID
    name: str
    name_ar: str | None
    description: str | None
    description_ar: str | None
    is_active: bool
    updated_at: datetime
    published_number: int | None
    draft_changed: bool
    last_run: LastRun | None


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run in a list."""

    id: UUID
    workflow_id: UUID
    name: str
    name_ar: str | None
    status: str
    started_at: datetime
    completed_at: datetime | None
    duration_ms: int | None
    executed_by_name: str | None


@dataclass(frozen=True, slots=True)
class StepView:
    """A step of a run, as its card shows it."""

    state: str
    attempt: int
    started_at: datetime | None
    finished_at: datetime | None
    duration_ms: int | None
    input: Any
    output: Any
    error: dict[str, Any] | None
    due_at: datetime | None
    idem_key: str
    effect_class: str
    warning: str | None
    port: str | None = None
    scope: str = ""
    id: UUID | None = None
    is_aside: bool = False  # for the rate of its connection


@dataclass(frozen=True, slots=True)
class RunView:
    """The head of a run's page."""

    id: UUID
    workflow_id: UUID
    status: str
    started_at: datetime
    completed_at: datetime | None
    duration_ms: int | None
    version_number: int
    executed_by_name: str | None
    input_data: dict[str, Any]
    output_data: Any
    error: dict[str, Any] | None
    event_seq: int
    replay_of: UUID | None
    parent_run: UUID | None = None
    error_of: UUID | None = None
    event_hash: str | None = None
    is_gated: bool = False


def explain_error(error: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return a stored error with its sentence: {"code", "message", "detail", "step"}."""
    if not error:
        return None
    code = error.get("code", "")
    return {
        "code": code, "message": REASONS.get(code, UNKNOWN), "detail": _detail(code, error.get("detail") or ""), "step": error.get("step"),
        "undone": error.get("undone"), "not_undone": error.get("not_undone"),
    }  # fmt: skip


def _detail(code: str, detail: str) -> str:
    """Return what is kept beside a code, in words where it is kept as figures."""
    able, slash, need = detail.partition("/")
    if code == "task_nobody" and slash and able.isdecimal() and need.isdecimal():
        return _("Able to decide: %(able)s. Needed: %(need)s.", able=number(int(able)), need=number(int(need)))
    return detail


def duration_ms(begun: datetime | None, ended: datetime | None) -> int | None:
    """Return the time between two moments in milliseconds, None while one is open."""
    return round((ended - begun).total_seconds() * 1000) if begun and ended else None


def workflow_row(row: Any) -> WorkflowRow:
    """Turn a row of `list_queries.list_workflows` into what the list shows."""
    last = LastRun(row.run_id, row.status, row.run_at) if row.run_id else None
    is_changed = row.graph_hash is None or row.graph_hash != graph_hash(row.nodes, row.settings)
    return WorkflowRow(
        row.id,
        row.name,
        row.name_ar,
        row.description,
        row.description_ar,
        row.is_active,
        row.updated_at,
        row.published_number,
        is_changed,
        last,
    )


def run_row(row: Any, names: dict[UUID, str]) -> RunRow:
    """Turn a row of `list_queries.list_runs` into what a list shows."""
    begun = row.started_at or row.created_at
    return RunRow(
        row.id,
        row.workflow_id,
        row.name,
        row.name_ar,
        row.status,
        begun,
        row.completed_at,
        duration_ms(begun, row.completed_at),
        names.get(row.executed_by),
    )


def run_view(run: Any, version_number: int, names: dict[UUID, str], parent_run: UUID | None = None) -> RunView:
    """Turn a run into the head of its page."""
    begun = run.started_at or run.created_at
    return RunView(
        run.id,
        run.workflow_id,
        run.status,
        begun,
        run.completed_at,
        duration_ms(begun, run.completed_at),
        version_number,
        names.get(run.executed_by),
        shown_value(run.tenant_id, run.input_data),
        shown_value(run.tenant_id, run.output_data),
        explain_error(run.error),
        run.event_seq,
        run.replay_of,
        parent_run,
        run.error_of,
        run.event_hash.hex() if run.event_hash else None,
        run.is_gated and run.completed_at is None,
    )


def shown_value(tenant_id: UUID, value: Any) -> Any:
    """Return a value as a page shows it: a large one as its beginning, dots for what is sealed."""
    if not payloads.looks_kept(value):
        return redaction.shown(value)
    return Large(payloads.beginning(tenant_id, value), int(value["size"]), value[payloads.MARK])


def step_view(step: Any, due_at: datetime | None) -> StepView:
    """Turn a step's row into what its card shows."""
    return StepView(
        step.state,
        step.attempt,
        step.started_at,
        step.finished_at,
        duration_ms(step.started_at, step.finished_at),
        shown_value(step.tenant_id, step.input),
        shown_value(step.tenant_id, step.output),
        explain_error(step.error),
        due_at if step.state == "waiting" else step.available_at if step.state == "ready" and (step.attempt or step.rate_key) else None,
        step.idem_key,
        step.effect_class,
        step.warning,
        step.port,
        step.scope_path,
        step.id,
        step.state == "ready" and step.rate_key is not None,
    )
