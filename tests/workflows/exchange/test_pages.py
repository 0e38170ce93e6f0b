"""Importing and exporting as people do it, in both languages."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from sqlalchemy import text

from portal.core import db
from portal.workflows.exchange.reading import LARGEST

HERE = Path(__file__).parent / "n8n"


def n8n(name):
    return next(HERE.glob(f"{name}*.json")).read_bytes()


def upload(browser, content, name="flow.json"):
    return browser.post("/workflows/import", data={"file": (io.BytesIO(content), name)}, content_type="multipart/form-data")


def test_probe(tenant, as_role):
    answer = upload(as_role("builder"), n8n("06"))
    assert answer.status == 303, answer.text
