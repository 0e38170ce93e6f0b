"""The data tables of the demo: every one that a template of the house uses, with rows where a template goes through them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from portal.core import clock, db
from portal.datatables import service as tables
from portal.workflows.samples import catalogue

Row = dict[str, Any]


def fill(tenant_id: UUID) -> None:
    """Make the tables that are not there, and fill those of the lists that are empty. Safe to repeat: a table with rows stays as it is."""
    with db.transaction(tenant_id):
        for sample in catalogue.SAMPLES.values():
            sample.make_tables(tenant_id)
        for slug, rows in _rows(clock.now().date()).items():
            if not tables.count_rows(tenant_id, slug, {}):
                for row in rows:
                    tables.insert_row(tenant_id, slug, row)


def _rows(today: date) -> dict[str, list[Row]]:
    """Return the rows of each list; what is written in them is, as in any office here, in one language or the other."""

    def on(days: int) -> str:
        return (today + timedelta(days=days)).isoformat()

    return {
        "contracts": [
            {"title": "تنظيف المكاتب", "supplier": "شركة الواحة للخدمات", "ends_on": on(38), "amount": 96_000, "state": "due"},
            {"title": "Internet lines", "supplier": "Blue Dune Networks", "ends_on": on(45), "amount": 54_000, "state": "due"},
            {"title": "صيانة المصاعد", "supplier": "مؤسسة الإتقان", "ends_on": on(52), "amount": 31_500, "state": "due"},
            {"title": "Paper and print", "supplier": "Najd Paper Mills", "ends_on": on(210), "amount": 18_200, "state": "renew"},
        ],
        "keys": [
            {"name": "توقيع الفواتير الإلكترونية", "system": "نظام المالية", "state": "due"},
            {"name": "Backup encryption", "system": "Storage", "state": "due"},
            {"name": "Supplier interface", "system": "Purchasing", "state": "due"},
            {"name": "شهادة الموقع", "system": "البوابة", "state": "rotated"},
        ],
        "accesses": [
            {"system": "نظام المالية", "person": "ليلى ناصر", "reason": "إدخال الفواتير"},
            {"system": "Purchasing", "person": "Omar Haddad", "reason": "Orders of the workshop"},
            {"system": "نظام الموارد البشرية", "person": "سلمى الحربي", "reason": "اعتماد الإجازات"},
            {"system": "Storage", "person": "Noor Saleh", "reason": "Audit of the year"},
        ],
        "calls": [
            {"customer": "شركة الواحة", "phone": "+966 11 200 0101", "state": "due"},
            {"customer": "Najd Paper Mills", "phone": "+966 11 200 0102", "state": "due"},
            {"customer": "مؤسسة الإتقان", "phone": "+966 12 200 0103", "state": "due"},
            {"customer": "Blue Dune Textiles", "phone": "+966 13 200 0104", "state": "done", "points": 9},
            {"customer": "متجر السدو", "phone": "+966 11 200 0105", "state": "done", "points": 8},
        ],
    }
