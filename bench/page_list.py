"""The runs list with 50 rows, signed in, against the same page in bare Flask + psycopg. Goal: 0.6 of its requests per second."""

from __future__ import annotations

import http.client
import os
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

import pyotp
from peers import ROOT, five_inserts, house, report, start

KEY = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
SECONDS = 6.0
CLIENTS = 8
BARE = '''
import os
import psycopg
from flask import Flask, render_template_string, request
from psycopg_pool import ConnectionPool
app = Flask("bare")
pool = ConnectionPool(os.environ["DATABASE_OWNER_URL"], min_size=4, max_size=10, open=True)
PAGE = """<!doctype html><html lang="en" dir="ltr"><head><title>Runs</title></head><body><main><h1>Runs</h1><table>
{% for r in rows %}<tr><th><a href="/runs/{{ r[0] }}">{{ r[1] }}</a></th><td>{{ r[2] }}</td><td><time datetime="{{ r[3].isoformat() }}">{{ r[3] }}</time></td>
<td>{{ r[4] }}</td></tr>{% endfor %}</table></main></body></html>"""
@app.get("/runs")
def runs():
    with pool.connection() as connection:
        who = connection.execute("select s.person_id, s.tenant_id, p.name from sessions s join people p on p.id = s.person_id limit 1").fetchone()
        rows = connection.execute("""select e.id, t.name, e.status, e.created_at, e.completed_at - e.started_at from workflow_executions e
            join workflow_templates t on t.tenant_id = e.tenant_id and t.id = e.workflow_id where e.tenant_id = %s
            order by e.created_at desc, e.id desc limit 51""", (who[1],)).fetchall()
        counts = connection.execute("select status, count(*) from workflow_executions where tenant_id = %s group by status", (who[1],)).fetchall()
    return render_template_string(PAGE, rows=rows[:50], counts=counts)
'''


def main() -> None:
    from portal.core.access import SYSTEM
    from portal.devkit.children import free_port
    from portal.identity import service as identity
    from portal.identity.factors import service as factors
    from portal.workflows.engine import runner

    with house() as (_servers, app):
        tenant_id, workflow_id = five_inserts()
        person = identity.add_person("bench@example.com", name="Bench", name_ar=None, password="bench bench bench bench", locale="en")
        identity.add_member(tenant_id, person, "owner", by=SYSTEM)
        factors.add_app(person, KEY)
        for _ in range(60):
            start(tenant_id, workflow_id)
        runner.pump(worker="bench", budget_s=60)
        app.config["WTF_CSRF_ENABLED"] = False
        client = app.test_client()
        client.post("/sign-in", data={"email": "bench@example.com", "password": "bench bench bench bench"})
        client.post("/sign-in/factor", data={"code": pyotp.TOTP(KEY).now()})
        cookie = f"sid={client.get_cookie('sid').value}"
        bare = Path(ROOT / "var-bench-bare.py")
        bare.write_text(BARE, "utf-8")
        try:
            ours = _measure("wsgi:app", free_port(), cookie)
            peer = _measure("var-bench-bare:app", free_port(), cookie)
        finally:
            bare.unlink()
    ratio = ours[0] / peer[0]
    report("page_list", ours[0], "requests/s", goal="≥ 0.6 × bare Flask + psycopg", peer=peer[0], ratio=ratio, ok=ratio >= 0.6,
           p99_ms=round(ours[1], 1), peer_p99_ms=round(peer[1], 1))  # fmt: skip


def _measure(target: str, port: int, cookie: str) -> tuple[float, float]:
    command = [sys.executable, "-m", "gunicorn", target, "-k", "gthread", "-w", "1", "--threads", "8", "-b", f"127.0.0.1:{port}"]
    command += ["--log-level", "error", "--no-control-socket"]
    server = subprocess.Popen(command, cwd=ROOT, env=dict(os.environ))
    try:
        _until_up(port, cookie)
        took: list[float] = []
        end = time.perf_counter() + SECONDS
        threads = [threading.Thread(target=_ask, args=(port, cookie, end, took)) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        server.terminate()
        server.wait()
    return len(took) / SECONDS, statistics.quantiles(took, n=100)[-1] * 1000


def _until_up(port: int, cookie: str) -> None:
    for _ in range(200):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/runs", headers={"Cookie": cookie})
            answer = connection.getresponse()
            text = answer.read()
            if answer.status == 200 and b"<table" in text:
                return
            raise SystemExit(f"the page answers {answer.status}")
        except OSError:
            time.sleep(0.1)


def _ask(port: int, cookie: str, end: float, took: list[float]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    while (began := time.perf_counter()) < end:
        connection.request("GET", "/runs", headers={"Cookie": cookie})
        connection.getresponse().read()
        took.append(time.perf_counter() - began)


if __name__ == "__main__":
    main()
