"""JSON logs: a fixed English sentence with fields; request, tenant, run and trace ids on every line."""

from __future__ import annotations

import json
import logging
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

_fields: ContextVar[dict[str, str]] = ContextVar("log_fields")
_KNOWN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "said": record.getMessage(),
            "by": record.name,
            "pid": os.getpid(),
            **_fields.get({}),
        }
        line.update({key: value for key, value in record.__dict__.items() if key not in _KNOWN})
        if record.exc_info:
            line["trace"] = "".join(traceback.format_exception(*record.exc_info))[-4000:]
        return json.dumps(line, ensure_ascii=False, default=str)


def init_logging(level: str) -> None:
    """Send all logs of this process to standard error as JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for chatty in ("werkzeug", "rq.worker", "alembic"):
        logging.getLogger(chatty).setLevel("WARNING")


@contextmanager
def logged_with(**fields: object) -> Iterator[None]:
    """Add fields to every line logged inside."""
    token = _fields.set({**_fields.get({}), **{key: str(value) for key, value in fields.items() if value is not None}})
    try:
        yield
    finally:
        _fields.reset(token)


def add_fields(**fields: object) -> None:
    """Add fields to the lines of the rest of this request."""
    _fields.set({**_fields.get({}), **{key: str(value) for key, value in fields.items() if value is not None}})


def clear_fields() -> None:
    """Forget the fields of the last request on this thread."""
    _fields.set({})
