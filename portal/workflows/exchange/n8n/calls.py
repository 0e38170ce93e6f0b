"""Nodes of n8n that reach out: HTTP, databases, mail, other workflows, people. Pure."""

from __future__ import annotations

import json
import re
from typing import Any

from portal.workflows.definition import MAX_TIMEOUT_S
from portal.workflows.exchange.n8n import javascript as js
from portal.workflows.exchange.n8n.cel import escaped, quoted
from portal.workflows.exchange.n8n.graph import chosen, held, listed
from portal.workflows.exchange.n8n.made import Ask, Made, placeholder
from portal.workflows.exchange.n8n.values import At, Renamed

METHODS = ("POST", "GET", "PUT", "PATCH", "DELETE")
KEPT_OPTIONS = frozenset({"timeout", "response", "batching", "pagination", "redirect", "fullResponse"})
WRITES = {"insert", "update", "upsert", "deleteTable", "delete"}
UNQUOTED = "\0"  # the quote that closed a literal goes with the one that opened it
PARAMETER = re.compile(r"\$(\d{1,2})")


def http_request(ask: Ask) -> Made:
    """Turn a call over HTTP, of any version."""
    given, is_old = ask.given, ask.node.version < 3
    method = str(given.get("requestMethod" if is_old else "method") or "GET").upper()
    config: dict[str, Any] = {"method": method, "url": ask.text(given.get("url"))}
    if method not in METHODS:
        ask.review("http_method", method)
        config["method"] = "GET"
    if given.get("authentication") not in (None, "", "none") or ask.node.credentials:
        ask.review("connection", ", ".join(ask.node.credentials) or given.get("nodeCredentialType") or given.get("genericAuthType") or "")
    config |= _old_parts(ask) if is_old else _new_parts(ask)
    options = given.get("options") if isinstance(given.get("options"), dict) else {}
    made = Made("webhook", config, ask.at("body"))
    _options(ask, made, options)
    return made


def _old_parts(ask: Ask) -> dict[str, Any]:
    given = ask.given
    parts: dict[str, Any] = {}
    for name, old in (("query", "queryParameters"), ("headers", "headerParameters")):
        if given.get("jsonParameters") is True:
            written = given.get(f"{old}Json")
            parts[name] = _pairs_of_json(ask, written) if written else []
        else:
            parts[name] = ask.pairs(listed(given, f"{old}Ui", "parameter"))
    if given.get("jsonParameters") is True:
        parts["body"] = ask.text(given.get("bodyParametersJson"))
    elif rows := listed(given, "bodyParametersUi", "parameter"):
        parts |= _body_of_rows(ask, rows, form=given.get("bodyContentType") == "form-urlencoded")
    return {name: value for name, value in parts.items() if value}


def _new_parts(ask: Ask) -> dict[str, Any]:
    given = ask.given
    parts: dict[str, Any] = {}
    for name, asked, how, rows, whole in (
        ("query", "sendQuery", "specifyQuery", "queryParameters", "jsonQuery"),
        ("headers", "sendHeaders", "specifyHeaders", "headerParameters", "jsonHeaders"),
    ):
        if given.get(asked) is True:
            as_json = given.get(how) == "json"
            parts[name] = _pairs_of_json(ask, given.get(whole)) if as_json else ask.pairs(listed(given, rows, "parameters"))
    if given.get("sendBody") is True:
        parts |= _body(ask)
    return {name: value for name, value in parts.items() if value}


def _body(ask: Ask) -> dict[str, Any]:
    given = ask.given
    kind, rows = given.get("contentType", "json"), listed(given, "bodyParameters", "parameters")
    if kind == "json":
        return {"body": ask.text(given.get("jsonBody"))} if given.get("specifyBody") == "json" else _body_of_rows(ask, rows)
    if kind == "form-urlencoded":
        if given.get("specifyBody") == "string":
            return {"body": ask.text(given.get("body"))}
        return _body_of_rows(ask, rows, form=True)
    if kind == "raw":
        return {"body": ask.text(given.get("body"))}
    ask.review("http_body", kind)
    return _body_of_rows(ask, [row for row in rows if row.get("parameterType") != "formBinaryData"], form=True)


def _body_of_rows(ask: Ask, rows: list[dict[str, Any]], *, form: bool = False) -> dict[str, Any]:
    pairs = ask.pairs(rows)
    if form:
        return {"send": "form", "form": pairs}
    if not any("${" in pair["value"].replace("$${", "") for pair in pairs):
        plain = {pair["name"]: pair["value"].replace("$${", "${") for pair in pairs}
        return {"body": escaped(json.dumps(plain, ensure_ascii=False))} if plain else {}
    parts = []
    for row in rows:
        cel = ask.reader.expression(row.get("value"))
        parts.append(f"{quoted(str(row.get('name') or ''))}: dyn({cel if cel is not None else quoted(str(row.get('value') or '')[1:])})")
    return {"body": "${ {" + ", ".join(parts) + "} }"}


def _pairs_of_json(ask: Ask, written: Any) -> list[dict[str, str]]:
    """Return pairs from JSON that somebody wrote into one field."""
    if isinstance(written, str) and not written.startswith("="):
        try:
            written = json.loads(written)
        except (ValueError, RecursionError):
            written = None
    if isinstance(written, dict):
        return ask.pairs([{"name": name, "value": value} for name, value in written.items()])
    ask.review("http_json")
    return []


def _options(ask: Ask, made: Made, options: Any) -> None:
    options = options if isinstance(options, dict) else {}
    timeout_ms = options.get("timeout")
    if isinstance(timeout_ms, int | float) and not isinstance(timeout_ms, bool) and timeout_ms > 0:
        made.timeout_s = int(min(max(timeout_ms / 1000, 1), MAX_TIMEOUT_S))
    answer = held(options, "response", "response")
    answer = answer if isinstance(answer, dict) else options
    form = answer.get("responseFormat") or ask.given.get("responseFormat")
    if form in ("text", "string"):
        made.config["answer"], made.out = "text", Renamed({("data",): f"steps.{ask.key}.body"})
    elif form == "file":
        made.config["answer"], made.out = "file", ask.at("file")
        ask.changed("http_file")
    if answer.get("neverError") is True:
        made.config["success"] = "100-599"
    if answer.get("fullResponse") is True or ask.given.get("fullResponse") is True:
        made.out = Renamed({("body",): f"steps.{ask.key}.body", ("statusCode",): f"steps.{ask.key}.status"})
    if options.get("batching"):
        ask.changed("http_batches")
    if options.get("pagination"):
        ask.review("http_pages")
    if more := sorted(str(name) for name in set(options) - KEPT_OPTIONS)[:5]:
        ask.changed("options", ", ".join(more))


def postgres(ask: Ask) -> Made:
    """Turn a statement or one of the ready operations; values are always bound, never written into the statement."""
    given = ask.given
    operation = str(given.get("operation") or ("executeQuery" if ask.node.version >= 2 else "insert"))
    ask.review("connection", ", ".join(ask.node.credentials))
    bound = _Bound(ask)
    if operation == "executeQuery":
        statement = _statement(ask, bound)
        does = "read" if re.match(r"\s*(select|with|show|values|table)\b", statement, re.IGNORECASE) and not _writes(statement) else "write"
    elif operation in WRITES or operation == "select":
        statement, does = _built(ask, bound, operation), "read" if operation == "select" else "write"
    else:
        return placeholder(ask, "operation", operation)
    config = {"connection": "", "does": does, "statement": statement, "values": bound.pairs, "limit": 1000}
    return Made("sql", config, At(f"steps.{ask.key}.first"), items=f"steps.{ask.key}.rows")


def _writes(statement: str) -> bool:
    return re.search(r"\b(insert|update|delete|merge|truncate|drop|create|alter)\b", statement, re.IGNORECASE) is not None


class _Bound:
    """The values of a statement, by names of their own."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self.pairs: list[dict[str, str]] = []

    def value(self, value: Any, name: str = "") -> str:
        """Bind a value and return how the statement names it."""
        name = name or f"v{len(self.pairs) + 1}"
        if not any(pair["name"] == name for pair in self.pairs):
            self.pairs.append({"name": name, "value": self._ask.text(value)})
        return f":{name}"


def _statement(ask: Ask, bound: _Bound) -> str:
    query = ask.given.get("query")
    query = query if isinstance(query, str) else ""
    statement, pieces = "", js.pieces(query[1:]) if query.startswith("=") else [(False, query)]
    for place, (is_expression, source) in enumerate(pieces):
        if not is_expression:
            statement += source.removeprefix("'") if statement.endswith(UNQUOTED) else source
            statement = statement.replace(UNQUOTED, "")
            continue
        ask.changed("sql_bound")
        name = bound.value(f"={{{{ {source} }}}}")
        if statement.count("'") % 2 == 0:
            statement += name
        elif statement.endswith("'") and place + 1 < len(pieces) and pieces[place + 1][1].startswith("'"):
            statement = statement[:-1] + name + UNQUOTED  # the whole literal was the value
        else:
            statement += f"' || {name} || '"
    replaced = held(ask.given, "options", "queryReplacement")
    given = replaced.removeprefix("=") if isinstance(replaced, str) else ""
    values = replaced if isinstance(replaced, list) else _apart(given)
    is_expression = isinstance(replaced, str) and replaced.startswith("=")

    def bind(found: re.Match[str]) -> str:
        number = int(found[1])
        if not 1 <= number <= len(values):
            return found[0]
        value = values[number - 1]
        return bound.value(f"={value}" if is_expression else value, f"p{number}")

    return PARAMETER.sub(bind, statement) if values else statement


def _apart(text: str) -> list[str]:
    """Cut a list of values at the commas that stand outside of expressions."""
    values = [""]
    for is_expression, source in js.pieces(text) if text else []:
        if is_expression:
            values[-1] += f"{{{{ {source} }}}}"
            continue
        first, *more = source.split(",")
        values[-1] += first
        values += more
    return [value.strip() for value in values] if text else []


def _built(ask: Ask, bound: _Bound, operation: str) -> str:
    given = ask.given
    table = ".".join(_name(name) for name in (chosen(given.get("schema")), chosen(given.get("table"))) if name)
    columns = held(given, "columns", "value")
    if not isinstance(columns, dict):
        if isinstance(given.get("columns"), str):
            columns = {
                name.strip(): f"={{{{ $json[{json.dumps(name.strip())}] }}}}" for name in given["columns"].split(",") if name.strip()
            }
        else:
            columns = {}
            if operation in ("insert", "update", "upsert"):
                ask.review("sql_columns")
    where = [
        f"{_name(row.get('column'))} {_sign(row.get('condition'))} {bound.value(row.get('value'))}"
        for row in listed(given, "where", "values")
    ]
    names = [_name(name) for name in columns]
    values = [bound.value(value) for value in columns.values()]
    keys = [
        _name(name)
        for name in held(given, "columns", "matchingColumns") or str(given.get("updateKey") or "").split(",")
        if isinstance(name, str) and name
    ]
    if operation == "select":
        limit = "" if given.get("returnAll") is True else f" limit {_whole(given.get('limit'), 50)}"
        return f"select * from {table}{' where ' + ' and '.join(where) if where else ''}{limit}"
    if operation == "insert":
        return f"insert into {table} ({', '.join(names)}) values ({', '.join(values)}) returning *"
    sets = ", ".join(f"{name} = {value}" for name, value in zip(names, values, strict=True) if name not in keys)
    if operation == "upsert":
        begun = f"insert into {table} ({', '.join(names)}) values ({', '.join(values)})"
        return f"{begun} on conflict ({', '.join(keys)}) do update set {sets} returning *"
    if operation == "update":
        matched = where + [f"{name} = {value}" for name, value in zip(names, values, strict=True) if name in keys]
        return f"update {table} set {sets} where {' and '.join(matched) or 'false'} returning *"
    command = given.get("deleteCommand", "truncate")
    if command == "delete":
        return f"delete from {table} where {' and '.join(where) or 'false'} returning *"
    return f"{'drop' if command == 'drop' else 'truncate'} table {table}"


def _name(name: Any) -> str:
    return '"' + str(name or "").strip().replace('"', '""').replace("\0", "") + '"'


def _sign(sign: Any) -> str:
    return {"equal": "=", "!=": "<>", ">": ">", "<": "<", ">=": ">=", "<=": "<=", "LIKE": "like"}.get(str(sign or "equal"), "=")


def _whole(value: Any, usual: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= 1000 else usual


def email_send(ask: Ask) -> Made:
    """Turn a mail, or one that waits for an answer."""
    given = ask.given
    subject = ask.text(given.get("subject"))
    if given.get("operation") == "sendAndWait":
        ask.review("people", given.get("toEmail") or "")
        config = {"title": subject, "details": ask.text(given.get("message")), "candidates": []}
        return Made("approval", config, Renamed({("data", "approved"): f'steps.{ask.key}.outcome == "approve"'}))
    form = given.get("emailFormat") or ("text" if given.get("text") and not given.get("html") else "html")
    body = given.get("text") if form == "text" or (form == "both" and given.get("text")) else given.get("html")
    config = {"to": ask.text(given.get("toEmail")), "subject": subject, "body": ask.text(body)}
    options = given.get("options") if isinstance(given.get("options"), dict) else {}
    for name, theirs in (("cc", "ccEmail"), ("reply_to", "replyTo")):
        if value := (options or {}).get(theirs) or given.get(theirs):
            config[name] = ask.text(value)
    if form == "html":
        ask.review("mail_html")
    if given.get("fromEmail"):
        ask.changed("mail_sender", given["fromEmail"])
    if (options or {}).get("bccEmail") or given.get("bccEmail"):
        ask.review("mail_bcc")
    if given.get("attachments") or (options or {}).get("attachments"):
        ask.review("mail_files")
    return Made("email", config, ask.at())


def execute_workflow(ask: Ask) -> Made:
    """Turn a call of another workflow; which one is left open."""
    given = ask.given
    wanted = given.get("workflowId")
    called = wanted.get("cachedResultName") if isinstance(wanted, dict) else None
    ask.review("workflow", called or chosen(wanted) or "")
    values = held(given, "workflowInputs", "value")
    rows = [{"name": name, "value": value} for name, value in values.items()] if isinstance(values, dict) else []
    if held(given, "options", "waitForSubWorkflow") is False:
        ask.changed("waits")
    return Made("subworkflow", {"workflow": "", "inputs": ask.pairs(rows)}, ask.at("result"))


def agent(ask: Ask) -> Made:
    """Keep an agent of n8n as a placeholder that says what it was made of."""
    lines = [str(ask.given.get("text") or ""), str(held(ask.given, "options", "systemMessage") or "")]
    for node, kind in ask.helpers:
        model = chosen(node.parameters.get("model")) or node.parameters.get("modelName") or ""
        lines.append(f"{kind}: {node.name} ({node.type}) {model if isinstance(model, str) else ''}".strip())
    return placeholder(ask, "agent", note="\n".join(line for line in lines if line))
