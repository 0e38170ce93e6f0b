"""Which node of n8n is turned by what. Pure."""

from __future__ import annotations

from portal.workflows.exchange.n8n import calls, coding, steps
from portal.workflows.exchange.n8n.made import Turn

STICKY = "stickyNote"
TURNS: dict[str, Turn] = {
    "httpRequest": calls.http_request,
    "postgres": calls.postgres,
    "emailSend": calls.email_send,
    "executeWorkflow": calls.execute_workflow,
    "@n8n/n8n-nodes-langchain.agent": calls.agent,
    "set": steps.edit_fields,
    "filter": steps.keep_if,
    "limit": steps.limit,
    "sort": steps.sort,
    "removeDuplicates": steps.remove_duplicates,
    "splitOut": steps.split_out,
    "aggregate": steps.aggregate,
    "wait": steps.wait,
    "stopAndError": steps.stop_and_error,
    "respondToWebhook": steps.respond,
    "code": coding.code,
    "function": coding.code,
    "functionItem": coding.code,
    "noOp": steps.nothing,
    "merge": lambda ask: steps.merge(ask, []),
}
# What works on all items at once; anything else works on each of them.
COLLECTS = frozenset(
    {"limit", "sort", "removeDuplicates", "aggregate", "filter", "splitInBatches", "merge", "wait", "respondToWebhook", "code", "function"}
)
PASSES = frozenset({"noOp", STICKY})
