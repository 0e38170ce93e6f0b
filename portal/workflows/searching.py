"""Conditions on values of runs as SQL: every part of what people wrote is bound, nothing of it is ever part of a statement.

What is sealed never matches, and values that are kept apart (`payloads`) are not looked into.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Text, and_, case, cast, exists, func, literal, not_, null, or_, select
from sqlalchemy.dialects.postgresql import JSONB

from portal.core import db
from portal.workflows import redaction
from portal.workflows.conditions import Condition
from portal.workflows.errors import TooBroad
from portal.workflows.models import WorkflowExecution, WorkflowStep
from portal.workflows.payloads import MARK

PATIENCE_S = 3.0
E, S = WorkflowExecution.__table__.c, WorkflowStep.__table__.c
DAYS = r"^\d{4}-\d{2}-\d{2}"


@contextmanager
def bounded(asked: Sequence[Condition]) -> Iterator[None]:
    """Give up reads that look for values after three seconds each; those that look for none may take their time.

    Raises:
        TooBroad: the values of too many runs would have to be looked at.
    """
    if not asked:
        yield
        return
    try:
        with db.at_most(PATIENCE_S):
            yield
    except db.TooSlow:
        raise TooBroad from None


def meets(condition: Condition) -> ColumnElement[bool]:
    """Return whether a run meets a condition; one of a step is met when any of the times that it ran meets it."""
    if not condition.step:
        return _holds(E.input_data if condition.root == "input" else E.output_data, condition)
    held = _holds(S.input if condition.root == "step_input" else S.output, condition)
    return exists().where(S.tenant_id == E.tenant_id, S.execution_id == E.id, S.node_key == condition.step, held)


def value_of(condition: Condition) -> ColumnElement[Any]:
    """Return the value that a condition is about, of a step the one of the last time that it ran; null for one that is kept apart."""
    if not condition.step:
        return _found(E.input_data if condition.root == "input" else E.output_data, condition)
    column = S.input if condition.root == "step_input" else S.output
    ours = (S.tenant_id == E.tenant_id) & (S.execution_id == E.id) & (S.node_key == condition.step)
    return select(_found(column, condition)).where(ours).order_by(S.created_at.desc(), S.id.desc()).limit(1).scalar_subquery()


def _found(column: Any, condition: Condition) -> ColumnElement[Any]:
    return case((_is_marked(column, MARK), null()), else_=_at(column, condition))


def _at(column: Any, condition: Condition) -> Any:
    way = cast(literal([str(each) for each in condition.parts], ARRAY(Text)), ARRAY(Text))
    return column.op("#>", return_type=JSONB)(way)


def _holds(column: Any, condition: Condition) -> ColumnElement[bool]:
    value = _at(column, condition)
    kind = func.jsonb_typeof(value)
    # In one CASE, so that nothing is asked of a value that has no answer to it.
    return case(
        (_is_marked(column, MARK), False),
        (_is_marked(value, redaction.MARK), False),
        else_=func.coalesce(_compared(value, kind, condition), False),
    )


def _is_marked(value: Any, mark: str) -> ColumnElement[bool]:
    return and_(func.jsonb_typeof(value) == "object", value.has_key(mark))


def _compared(value: Any, kind: Any, condition: Condition) -> ColumnElement[bool]:
    if condition.op == "exists":
        return kind != "null"
    if condition.op in ("gt", "lt"):
        return _ordered(value, kind, condition)
    wanted = [_json(each) for each in _meanings(condition)]
    if condition.op == "is":
        return value.in_(wanted)
    if condition.op == "is_not":
        other = not_(value.in_(wanted))
        return other if condition.word == (None,) else and_(kind != "null", other)
    place = func.strpos(func.lower(_text(value)), func.lower(_plain(condition.text)))
    return case((kind == "string", place > 0), (kind == "array", or_(*(value.op("@>")(each) for each in wanted))), else_=False)


def _ordered(value: Any, kind: Any, condition: Condition) -> ColumnElement[bool]:
    is_more = condition.op == "gt"
    if (day := condition.day) is not None:
        begins = func.left(_text(value), 10)
        return case((and_(kind == "string", _text(value).op("~")(DAYS)), begins > day if is_more else begins < day), else_=False)
    limit = _json(condition.number)
    return and_(kind == "number", value > limit if is_more else value < limit)


def _meanings(condition: Condition) -> list[Any]:
    """Return the values that are looked for: what is written can be a text, and a number or a word as well."""
    found: list[Any] = [condition.text]
    if condition.number is not None:
        found.append(condition.number)
    if condition.word is not None:
        found.append(condition.word[0])
    return found


def _json(value: Any) -> Any:
    text = value if value is None or isinstance(value, bool | str) else None
    written = json.dumps(text, ensure_ascii=False) if text is not None or value is None else format(value, "f")
    return cast(literal(written, Text), JSONB)


def _plain(text: str) -> Any:
    return literal(text, Text)


def _text(value: Any) -> Any:
    return value.op("#>>", return_type=Text)(cast(literal([], ARRAY(Text)), ARRAY(Text)))
