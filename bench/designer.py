"""How heavy the designer is and how soon an added step stands, with 10, 60 and 200 steps in five lanes, in headless Chromium.

Prints a line per size; the last line's value is the worse of the page's bytes and the time from the press to the painted step at 60
steps, as a share of their budgets (30 kB compressed, 300 ms), so 1.0 is the limit.
"""

from __future__ import annotations

import gzip
import shutil
import statistics
from typing import Any

from pages import enter, served
from peers import report

SIZES = (10, 60, 200)
LANES = 5
BUDGET_KB, BUDGET_MS = 30, 300
REPEATS = 7
INPUTS = [{"key": key, "type": type_, "label": key, "label_ar": key, "required": True, "choices": []}
          for key, type_ in (("employee", "text"), ("manager_email", "email"), ("days", "number"))]  # fmt: skip
# From the press of Enter in the picker to the frame in which the new card stands; the counter is asked in the page itself.
INSERT = """
async () => {
  const before = document.querySelectorAll('#flow a.step-card').length;
  document.getElementById('step-start').focus();
  document.querySelector("[data-place='||']").click();
  const began = performance.now();
  document.querySelector("#kind-picker [value='wait']").click();
  while (document.querySelectorAll('#flow a.step-card').length === before) await new Promise(requestAnimationFrame);
  await new Promise(requestAnimationFrame);
  return performance.now() - began;
}
"""


def nodes_of(size: int) -> list[dict[str, Any]]:
    """Return so many steps, most of them in the five lanes of one switch."""
    cases = [{"name": f"Case {number}", "value": f"input.days == {number}"} for number in range(1, LANES)]
    every = [{**_step("switch", "switch"), "config": {"cases": cases}}]
    lanes = [*(f"case_{number}" for number in range(1, LANES)), "otherwise"]
    per_lane = -(-(size - 1) // LANES)
    for place, lane in enumerate(lanes):
        for number in range(per_lane):
            if len(every) < size:
                every.append({**_step(f"mail_{place}_{number}", "email"), "parent": "switch", "lane": lane})
    return every


def _step(key: str, kind: str) -> dict[str, Any]:
    config = {"to": "${ input.manager_email }", "subject": "Leave of ${ input.employee }", "body": "Ten days"}
    return {"key": key, "kind": kind, "name": f"Tell people {key}", "name_ar": f"إخبار {key}", "parent": None, "lane": None,
            "config": config, "retry": {"attempts": 3}, "timeout_s": 30}  # fmt: skip


def main() -> None:
    from playwright.sync_api import sync_playwright

    found = []
    with served(["en"]) as base, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        cookies, _paths = enter(browser, base, "en")
        for size in SIZES:
            context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
            context.add_cookies(cookies)
            page = context.new_page()
            page.goto(f"{base}/workflows/{_made(size)}/design")
            page.wait_for_selector("a.step-card[tabindex='0']")
            kb = len(gzip.compress(context.request.get(page.url).body(), 9)) / 1000
            spare = 0 if size < SIZES[-1] else 1  # at the most there may be, one goes for each that comes
            took = []
            for _ in range(REPEATS):
                took.append(page.evaluate(INSERT))
                if spare:
                    page.locator("#undo-button").click()
                    page.wait_for_selector("#step-wait", state="detached")
            found.append({"size": size, "kb": kb, "ms": statistics.median(took)})
            context.close()
        browser.close()
    for each in found:
        print("{size:4} steps: {kb:5.1f} kB, a step is added in {ms:4.0f} ms".format(**each))
    middle = found[1]
    ratio = max(middle["kb"] / BUDGET_KB, middle["ms"] / BUDGET_MS)
    report("designer", ratio, "× budget", goal="≤ 1.0 at 60 steps in 5 lanes: 30 kB, 300 ms", peer=1.0, ratio=ratio, ok=ratio <= 1,
           kb=[round(each["kb"], 1) for each in found], ms=[round(each["ms"]) for each in found])  # fmt: skip


def _made(size: int) -> Any:
    """Put a workflow of so many steps into the demo (one fewer at the most there may be, so that one can be added)."""
    from portal.core import db
    from portal.core.access import SYSTEM
    from portal.devkit import demo
    from portal.identity import service as identity
    from portal.identity.origin import Origin
    from portal.workflows import service
    from portal.workflows.designer import drafts

    tenant_id = identity.sign_in("salma@nasij.example", demo.PASSWORD, Origin("127.0.0.1"))[1]
    with db.transaction(tenant_id):
        workflow_id = service.create_workflow(tenant_id, name=f"{size} steps", name_ar=f"{size} خطوة", sample="blank", by=SYSTEM)
        nodes = nodes_of(min(size, SIZES[-1] - 1))
        drafts.replace(tenant_id, workflow_id, nodes, {"inputs": INPUTS}, revision=0, label="step.added", by=SYSTEM)
    return workflow_id


if __name__ == "__main__":
    main()
