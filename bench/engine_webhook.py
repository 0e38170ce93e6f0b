"""Inbound webhook → five steps that each insert a row → the answer, everything saved; at 1, 10 and 50 connections.

The goal is a ratio: requests per second at 10 connections ≥ 3.3 × the five-step runs that DBOS completes in two processes, measured
in turn with them on the same PostgreSQL.
"""

from __future__ import annotations

import http.client
import os
import statistics
import subprocess
import sys
import threading
import time
from typing import Any

from peers import ROOT, dbos, five_inserts, house, in_turn, report

CONNECTIONS = (1, 10, 50)
SECONDS = 3.0
PORT = 18_523
RUNS = 60
TURNS = 5


def main() -> None:
    with house() as (servers, _app):
        path = _address()
        web = _serve()
        try:
            _calls(path, connections=4, seconds=1.0)  # warm
            found = {number: _calls(path, connections=number, seconds=SECONDS) for number in CONNECTIONS}
            theirs = dbos(servers, "inserts", processes=2)
            value, other, ratio = in_turn(
                lambda: _calls(path, connections=10, seconds=SECONDS)["per_s"], lambda: 2 * RUNS / theirs.carry(RUNS), TURNS
            )
            theirs.end()
        finally:
            web.terminate()
            web.wait()
    report("engine_webhook", value, "requests/s", goal="≥ 3.3 × DBOS runs/s", peer=other, ratio=ratio, ok=ratio >= 3.3,
           **{f"at_{number}": figures for number, figures in found.items()})  # fmt: skip


def _address() -> str:
    """Publish five inserts and an answer, with a webhook that waits for it; return its path."""
    from portal.core import db
    from portal.core.access import SYSTEM
    from portal.workflows import service
    from portal.workflows.models import WorkflowTemplate
    from portal.workflows.triggers import base, queries
    from portal.workflows.triggers import service as triggers
    from portal.workflows.triggers.registry import find

    tenant_id, workflow_id = five_inserts()
    answer = {
        "key": "answer", "kind": "respond", "name": "Answer", "name_ar": None, "parent": None, "lane": None,
        "config": {"status": 200, "type": "application/json", "body": "${ run.id }", "headers": []}, "retry": {"attempts": 3}, "timeout_s": 30,
    }  # fmt: skip
    with db.transaction(tenant_id) as session:
        workflow = session.get(WorkflowTemplate, workflow_id)
        workflow.nodes = [*workflow.nodes, answer]
        session.flush()
        service.publish_version(tenant_id, workflow_id, by=SYSTEM)
        kind = find("webhook")
        config = {**base.defaults(kind), "proof": "none", "reply": "wait", "per_minute": 60_000, "inputs": {}}
        place = triggers.place_of(tenant_id, workflow_id, timezone="UTC")
        trigger_id = triggers.add_trigger(tenant_id, workflow_id, kind, name="", name_ar=None, config=config, place=place, by=SYSTEM)
        return f"/hooks/{triggers.token_of(queries.get_trigger(tenant_id, trigger_id))}"


def _serve() -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "gunicorn", "wsgi:app", "--worker-class", "gthread", "--workers", "2", "--threads", "32",
               "--bind", f"127.0.0.1:{PORT}", "--keep-alive", "30", "--log-level", "warning"]  # fmt: skip
    web = subprocess.Popen(command, cwd=ROOT, env=dict(os.environ))
    for _ in range(300):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=5)
            connection.request("GET", "/health/live")
            connection.getresponse().read()
            return web
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the web process did not come up")


def _calls(path: str, *, connections: int, seconds: float) -> dict[str, float]:
    """Call as fast as the answers come, on so many kept connections; every answer must be the run's."""
    took: list[float] = []
    wrong: list[Any] = []
    end = time.perf_counter() + seconds

    def call() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=30)
        while (at := time.perf_counter()) < end:
            connection.request("POST", path, b'{"n": 1}', {"Content-Type": "application/json"})
            answer = connection.getresponse()
            body = answer.read()
            if answer.status != 200 or len(body) != 38:
                wrong.append((answer.status, body[:200]))
            took.append(time.perf_counter() - at)

    threads = [threading.Thread(target=call) for _ in range(connections)]
    began = time.perf_counter()
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    spent = time.perf_counter() - began
    if wrong:
        raise SystemExit(f"{len(wrong)} answers were not the run's: {wrong[0]}")
    cuts = statistics.quantiles(took, n=100)
    return {"per_s": round(len(took) / spent, 1), "p50_ms": round(cuts[49] * 1000, 1), "p99_ms": round(cuts[98] * 1000, 1)}


if __name__ == "__main__":
    main()
