"""Call another system over HTTP, with the step's stable key in `Idempotency-Key`: one call, or one for each page of a list."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any, ClassVar
from urllib.parse import urlsplit

from portal.connections import service as connections
from portal.connections.errors import Unusable
from portal.core import egress
from portal.core.egress import Answer, Timeouts
from portal.i18n.words import lazy_gettext as _l
from portal.workflows import stored
from portal.workflows.actions import answers, calling, connected
from portal.workflows.actions.base import Call, Done, Failed, Outcome, whole
from portal.workflows.actions.calling import WRITING, Request
from portal.workflows.definition import Field
from portal.workflows.stored import FileRefused

METHODS = tuple((method, method) for method in ("POST", "GET", "PUT", "PATCH", "DELETE"))
SAFE_METHODS = ("GET", "PUT", "DELETE")
PAGING = ("link", "cursor", "number")
MAX_PAGES = 100
MAX_TEXT = 3 * 1024 * 1024  # what a step may keep is 4 MB
MAX_BODY = stored.MAX_FILE + 64 * 1024


class Webhook:
    kind: ClassVar[str] = "webhook"
    icon: ClassVar[str] = "webhook"
    label: ClassVar[Any] = _l("HTTP call")
    description: ClassVar[Any] = _l("Call another system over HTTP and use its answer")
    fields: ClassVar[tuple[Field, ...]] = (
        Field("method", "choice", _l("Method"), choices=METHODS, default="POST"),
        Field("url", "text", _l("Address"), _l("Begins with https://"), required=True),
        Field("connection", "connection", _l("Connection"), _l("Proves who is calling; its secret goes only to its own servers."), choices=(("http", ""),)),
        Field("query", "pairs", _l("Parameters of the address"), _l("Name and value of each"), default=()),
        Field("headers", "pairs", _l("Headers"), _l("Name and value, e.g. Accept-Language and ar"), default=()),
        Field(
            "send",
            "choice",
            _l("Send"),
            choices=(("body", _l("JSON or text")), ("form", _l("A form")), ("parts", _l("A form with files")), ("file", _l("A file"))),
            default="body",
            show_when=("method", WRITING),
        ),
        Field("body", "long_text", _l("Body"), _l("JSON or text; empty for none"), show_when=("send", ("body",))),
        Field("form", "pairs", _l("Fields of the form"), _l("Name and value of each"), default=(), show_when=("send", ("form", "parts"))),
        Field("file", "text", _l("File"), _l("A file of an earlier step, or a list of files"), show_when=("send", ("parts", "file"))),
        Field("file_field", "text", _l("Field of the file"), _l("The name by which the receiver looks for it"), default="file", show_when=("send", ("parts",))),
        Field(
            "answer",
            "choice",
            _l("Read the answer"),
            choices=(("auto", _l("as JSON, if it is JSON, else as text")), ("text", _l("as text")), ("file", _l("as a file, 20 MB at most"))),
            default="auto",
        ),
        Field(
            "paging",
            "choice",
            _l("More pages"),
            choices=(
                ("none", _l("One call only")),
                ("link", _l("Follow the header Link")),
                ("cursor", _l("Send on a mark from the answer")),
                ("number", _l("Count pages up")),
            ),
            default="none",
            show_when=("answer", ("auto",)),
        ),
        Field("items", "code", _l("Where the list is"), _l("Path in the answer, e.g. data.items; empty if the answer is the list"), show_when=("paging", PAGING)),
        Field("cursor", "code", _l("Where the mark is"), _l("Path in the answer, e.g. meta.next"), required=True, show_when=("paging", ("cursor",))),
        Field("page_parameter", "text", _l("Parameter of the page"), _l("Its name in the address, e.g. page"), default="page", show_when=("paging", ("cursor", "number"))),
        Field("first_page", "number", _l("Number of the first page"), _l("Mostly 1, with some systems 0"), default=1, show_when=("paging", ("number",))),
        Field("max_pages", "number", _l("At most how many pages"), _l("100 at most"), default=10, show_when=("paging", PAGING)),
        Field("success", "text", _l("Statuses that mean success"), _l("For example 200-299, 404"), default=answers.SUCCESS),
        Field("again", "text", _l("Statuses worth another attempt"), _l("For example 429, 500-599; after any other the step has failed"), default=answers.AGAIN),
        Field(
            "if_cut_off",
            "choice",
            _l("If the call is cut off"),
            _l("Each call carries a key that stays the same when it is repeated."),
            choices=(("repeat", _l("Repeat it: the receiver drops doubles by the key")), ("ask", _l("Ask a person: it may have happened"))),
            default="repeat",
        ),
    )  # fmt: skip
    outputs: ClassVar[tuple[tuple[str, Any], ...]] = (
        ("status", _l("HTTP status")),
        ("body", _l("Answer")),
        ("items", _l("The list from all pages")),
        ("file", _l("The file")),
    )

    def effect(self, config: dict[str, Any]) -> str:
        if config.get("method") in SAFE_METHODS or config.get("if_cut_off", "repeat") == "repeat":
            return "idempotent"
        return "unsafe"

    def perform(self, call: Call) -> Outcome:
        try:
            judge = _Judge(answers.statuses(str(call.config["success"])), answers.statuses(str(call.config["again"])))
        except ValueError as wrong:
            return Failed("call_statuses", detail=str(wrong))
        try:
            connection = connected.open_for(call, ("http",), self.kind)
            request = calling.request_of(call)
            way = call.config.get("answer", "auto")
            line = _Line(call, connection, MAX_BODY if way == "file" else MAX_TEXT)
            if call.config.get("paging", "none") != "none":
                return _pages(line, request, judge)
            answer = line.send(request)
        except Unusable as wrong:
            return connected.failed(wrong, "call")
        except FileRefused as refused:
            return Failed(f"file_{refused.args[0]}", detail=" ".join(refused.args[1:]))
        except answers.PathRefused as wrong:
            return Failed("call_path", detail=str(wrong))
        return judge.refusal(answer) or (_kept(call, answer, request.url) if way == "file" else Done(_output(answer, way)))


class _Line:
    """The way to the other system for one step: connection, limits, and the time that is left for all of its calls."""

    def __init__(self, call: Call, connection: connections.Opened | None, max_body: int) -> None:
        self._call = call
        self._connection = connection
        self._max_body = max_body
        self._end = time.monotonic() + call.timeout_s

    def send(self, request: Request, page: int = 1) -> Answer:
        """Make one call; each page has a key of its own, or a receiver would give the first one again."""
        left_s = self._end - time.monotonic()
        if left_s <= 0.1:
            raise Unusable("timeout", again=True)
        key = self._call.idem_key if page == 1 else f"{self._call.idem_key}-{page}"
        headers = {**request.headers, "Idempotency-Key": key}
        return connections.send(
            self._connection,
            request.method,
            request.url,
            headers=headers,
            body=request.body,
            message_id=key,
            timeouts=Timeouts(total_s=left_s, read_s=left_s),
            max_body=self._max_body,
            max_request=egress.MAX_KEPT,
        )


class _Judge:
    """Which statuses are success, and which are worth another attempt."""

    def __init__(self, success: set[int], again: set[int]) -> None:
        self._success = success or answers.statuses(answers.SUCCESS)
        self._again = again

    def refusal(self, answer: Answer) -> Failed | None:
        if answer.status in self._success:
            return None
        # An answer is proof of arrival, and a status says that the receiver did not do it: repeating is the receiver's wish.
        again = answer.status in self._again
        return Failed("call_status", detail=str(answer.status), again=again, sent=False, retry_after_s=answers.retry_after(answer))


def _output(answer: Answer, way: str) -> dict[str, Any]:
    output = {"status": answer.status, "body": answers.read_body(answer, way)}
    return {**output, "truncated": True} if answer.truncated else output


def _kept(call: Call, answer: Answer, url: str) -> Outcome:
    if answer.truncated or len(answer.body) > stored.MAX_FILE:
        return Failed("file_too_large")
    name, media_type = answers.file_name(answer, url), answers.media_type(answer)
    try:
        file = stored.keep_file(
            call.tenant_id, call.run_id, call.node_key, call.idem_key, name=name, media_type=media_type, content=answer.body
        )
    except FileRefused as refused:
        return Failed(f"file_{refused.args[0]}")
    return Done({"status": answer.status, "file": file})


def _pages(line: _Line, request: Request, judge: _Judge) -> Outcome:
    """Make one call for each page and put the lists together; the last page is the one without a next, or without items."""
    config = line._call.config
    most = whole(config.get("max_pages"), 10, least=1, most=MAX_PAGES)
    place = whole(config.get("first_page"), 1, least=0, most=1_000_000)
    found: list[Any] = []
    size = 0
    following: Request | None = request
    if config["paging"] == "number":
        following = _with_page(request, config, place)
    page, status, truncated = 0, 0, False
    while following is not None and page < most:
        page += 1
        answer = line.send(following, page)
        if refused := judge.refusal(answer):
            return refused
        status = answer.status
        body = answers.read_body(answer)
        items = answers.pick(str(config.get("items") or ""), body)
        if answer.truncated or not isinstance(items, list):
            return Failed("call_too_large") if answer.truncated else Failed("call_no_list", detail=type(items).__name__)
        size += len(answer.body)
        if size > MAX_TEXT:
            return Failed("call_too_large")
        found += items
        following = _next(following, config, answer, body, place + page) if items or config["paging"] == "link" else None
        truncated = following is not None
    output = {"status": status, "items": found, "pages": page}
    return Done({**output, "truncated": True} if truncated else output)


def _next(asked: Request, config: dict[str, Any], answer: Answer, body: Any, number: int) -> Request | None:
    if config["paging"] == "link":
        url = answers.next_link(answer, asked.url)
        if url is None or url == asked.url:
            return None
        # What the author typed for one server (a key in a header, perhaps) is not carried to another that the answer names.
        if urlsplit(url)[:2] != urlsplit(asked.url)[:2]:
            raise Unusable("elsewhere")
        return replace(asked, url=url)
    if config["paging"] == "number":
        return _with_page(asked, config, number)
    mark = answers.pick(str(config.get("cursor") or ""), body)
    if mark in (None, "", False) or isinstance(mark, dict | list):
        return None
    following = _with_page(asked, config, mark)
    return following if following.url != asked.url else None


def _with_page(asked: Request, config: dict[str, Any], value: Any) -> Request:
    return replace(asked, url=calling.with_query(asked.url, [(str(config.get("page_parameter") or "page"), value)]))
