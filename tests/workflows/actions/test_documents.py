"""Documents: right in both directions, safe to open, bounded; mails that carry them."""

from __future__ import annotations

import csv
import io
import json

import openpyxl
import pytest
from pypdf import PdfReader

from portal.core import db
from portal.workflows import stored
from portal.workflows.actions import documents
from portal.workflows.actions.documents import DocumentRefused, Page
from tests.workflows.actions.conftest import error_of, output_of, pairs
from tests.workflows.engine.conftest import step

ROWS = [
    {"اسم": "شركة النسيج (TAX-1)", "مبلغ": 12500.5, "formula": "=cmd|'/c calc'!A1"},
    {"اسم": "مُؤسسة الإبداع", "مبلغ": -3, "formula": "+1"},
]
LIST = json.dumps(ROWS, ensure_ascii=False)


def made(engine, **config):
    output = output_of(engine, "document", rows=LIST, name="تقرير", **config)
    with db.transaction(engine.house.id):
        file = stored.get_file(engine.house.id, output["file"]["id"])
    return file, output


def test_csv_and_xlsx_neutralise_formulas(engine):
    file, output = made(engine, format="csv")
    assert (file.name, file.media_type, output["rows"]) == ("تقرير.csv", "text/csv", 2)
    rows = list(csv.reader(io.StringIO(file.content.decode("utf-8-sig"))))
    assert rows[1] == ["'=cmd|'/c calc'!A1", "شركة النسيج (TAX-1)", "12500.5"]

    file, _output = made(engine, format="xlsx", columns=pairs(مبلغ="المبلغ بالريال", formula=""))
    sheet = openpyxl.load_workbook(io.BytesIO(file.content)).active
    assert [cell.value for cell in sheet[1]] == ["المبلغ بالريال", "formula"]
    assert (sheet["A2"].value, sheet["B2"].value, sheet["B2"].data_type) == (12500.5, ROWS[0]["formula"], "s")
    assert sheet.sheet_view.rightToLeft


@pytest.mark.parametrize("language", ["ar", "en"])
def test_pdf_has_its_texts_its_fonts_and_no_markup_of_others(engine, language):
    hostile = '#read("data.json") = عنوان *x* $a$ <b> \\u{41}'
    file, _output = made(engine, format="pdf", language=language, title="تقرير 2026", text=f"سطر\nسطر\n\n{hostile}")

    reader = PdfReader(io.BytesIO(file.content))
    text = reader.pages[0].extract_text()
    fonts = {str(font.get_object()["/BaseFont"]) for font in reader.pages[0]["/Resources"]["/Font"].values()}
    assert any("Naskh" in font for font in fonts)
    assert '#read("data.json")' in text and "12500.5" in text and "$a$" in text and "x*" in text
    assert reader.trailer["/Root"]["/Lang"] == language
    assert reader.metadata.title == "تقرير 2026"


def test_a_document_without_a_table_and_one_with_odd_values(engine):
    assert output_of(engine, "document", format="pdf", name="letter", title="خطاب", text="نص")["rows"] == 0
    odd = json.dumps([1, {"a": None, "b": [1, {"c": "\u202e"}], "d": True}, {"a": "x" * 900}])
    assert output_of(engine, "document", format="pdf", name="x", rows=odd)["rows"] == 3


def test_a_repeated_attempt_has_one_file(engine):
    run_id = engine.start(engine.publish(step("it", "document", format="csv", name="x", rows="[1]")))
    engine.pump()
    with db.transaction(engine.house.id):
        before = stored.files_of(engine.house.id, run_id)[0]
    again = stored.keep_file(engine.house.id, run_id, "it", before.idem_key, name="y.csv", media_type="text/csv", content=b"new")
    with db.transaction(engine.house.id):
        (after,) = stored.files_of(engine.house.id, run_id)
    assert (str(after.id), after.name, again["size"]) == (str(before.id), "y.csv", 3)


def test_what_is_too_large_or_no_list_is_refused(engine):
    assert error_of(engine, "document", format="pdf", name="x", rows='"text"') == ("document_no_list", "str")
    with pytest.raises(DocumentRefused):
        documents.sheet_of([{}] * 2_001, [], file_format="pdf")
    with pytest.raises(DocumentRefused) as wide:
        documents.sheet_of([{str(number): 1 for number in range(20)}] * 501, [], file_format="pdf")
    assert wide.value.args == ("too_many_rows", "500")
    with pytest.raises(DocumentRefused):
        documents.sheet_of([{str(number): 1 for number in range(51)}], [], file_format="csv")


def test_two_thousand_rows_are_set_in_time(app):
    sheet = documents.sheet_of([{"a": "نص عربي", "b": number} for number in range(2_000)], [], file_format="pdf")
    with app.app_context():
        content = documents.write("pdf", sheet, Page("ar", "كبير"))
    assert len(PdfReader(io.BytesIO(content)).pages) > 40


def test_the_run_page_lists_its_files(engine, as_role):
    run_id = engine.start(engine.publish(step("it", "document", format="csv", name="قائمة", rows="[1]")))
    engine.pump()
    page = as_role("member").get(f"/runs/{run_id}")
    assert "قائمة.csv" in page.text


def test_a_mail_carries_files_copies_and_where_answers_go(engine, post, settings):
    settings(post.port)
    run_id = engine.start(
        engine.publish(
            step("list", "document", format="csv", name="قائمة", rows=LIST),
            step("report", "document", format="pdf", name="report", rows=LIST),
            step("mail", "email", to="a@example.com", cc="b@example.com، a@example.com", reply_to="c@example.com", subject="تقرير", body="مرفق", files="${ [steps.list.file, steps.report.file] }"),
        )
    )  # fmt: skip
    assert engine.finish(run_id).status == "succeeded", engine.run(run_id).error

    _sender, recipients, message = post.mails[0]
    assert (recipients, message["Cc"], message["Reply-To"]) == (["a@example.com", "b@example.com"], "b@example.com", "c@example.com")
    files = {part.get_filename(): part for part in message.iter_attachments()}
    assert set(files) == {"قائمة.csv", "report.pdf"}
    assert files["report.pdf"].get_content()[:5] == b"%PDF-"
    assert files["قائمة.csv"].get_payload(decode=True).startswith(b"\xef\xbb\xbf")
    assert "مرفق" in message.get_body(("plain",)).get_content() and message.get_body(("html",))


def test_a_mail_with_too_large_or_missing_files_is_not_sent(engine, post, settings, monkeypatch):
    settings(post.port)
    from portal.mail import service as mail

    monkeypatch.setattr(mail, "MAX_ATTACHED", 10)
    run_id = engine.start(
        engine.publish(
            step("list", "document", format="csv", name="x", rows=LIST),
            step("mail", "email", to="a@example.com", subject="s", body="b", files="${ steps.list.file }"),
        )
    )
    assert engine.finish(run_id).error["code"] == "mail_attachments_too_large"
    gone = {"to": "a@example.com", "subject": "s", "body": "b"}
    assert error_of(engine, "email", files="00000000-0000-0000-0000-000000000001", **gone)[0] == "file_gone"
    assert error_of(engine, "email", files="no file", **gone)[0] == "file_not_a_file"
    assert post.mails == []
