// No connection, and the end of a session: say it, keep what was typed, go on by itself where that is safe.
import { announce, showToast } from "./live.js";
import { keepUntilSignedIn } from "./drafts.js";

const { htmx } = window;
const SEEN = "seen";
const WARN_MS = 120000;
// The server writes down a session's last request once a minute at most.
const SLACK_MS = 60000;
const PROBE_MS = 3000;
const offline = document.getElementById("offline");
const ending = document.getElementById("session-ending");
const ended = document.getElementById("session-ended");

// What is safe to repeat is asked again when the connection is back; a change is left to the person.
let unanswered = null;
let probe = null;

function lose(ctx) {
  if (ctx?.request?.method === "GET" && ctx.sourceElement !== document.body) unanswered = ctx;
  if (!offline.hidden) return;
  offline.hidden = false;
  announce(offline.querySelector("p").textContent);
  probe = setInterval(look, PROBE_MS);
}

async function look() {
  try {
    await fetch(offline.dataset.probe, { cache: "no-store" });
  } catch {
    return;
  }
  find();
}

function find() {
  if (offline.hidden) return;
  clearInterval(probe);
  offline.hidden = true;
  announce(offline.dataset.back);
  if (!unanswered) return;
  const { request, target, swap, sourceElement } = unanswered;
  unanswered = null;
  if (sourceElement?.isConnected) htmx.ajax("GET", request.action, { source: sourceElement, target, swap });
}

offline.querySelector("[data-try-now]").addEventListener("click", look);
window.addEventListener("offline", () => lose());
window.addEventListener("online", look);
document.addEventListener("htmx:error", (event) => {
  const { ctx, error } = event.detail;
  if (ctx?.sourceElement === document.body) return;
  if (ctx && !ctx.response && (error instanceof TypeError || error?.name === "AbortError")) lose(ctx);
  else showToast(document.body.dataset.broken);
});
// A form sent into nothing would leave the page behind, and with it what was typed.
document.addEventListener("submit", (event) => {
  if (navigator.onLine || event.defaultPrevented) return;
  event.preventDefault();
  event.submitter?.removeAttribute("aria-busy");
  lose();
});

function end() {
  if (ended.open) return;
  document.querySelectorAll("dialog[open]").forEach((each) => each.close());
  const next = window.location.pathname + window.location.search;
  const again = ended.querySelector("[data-sign-in-again]");
  again.href = `${again.pathname}?next=${encodeURIComponent(next)}`;
  ended.showModal();
  document.dispatchEvent(new Event("session:ended"));
}

// Every tab of the browser shares the session, so they share when it was last used.
const seen = () => Number(localStorage.getItem(SEEN)) || 0;
const see = () => localStorage.setItem(SEEN, String(Date.now()));

async function stay() {
  const { stay: address } = ending.querySelector("[data-stay]").dataset;
  try {
    const answer = await fetch(address, { headers: { "HX-Request": "true" }, cache: "no-store" });
    if (answer.status === 401) end();
    else see();
  } catch {
    lose();
  }
}

function check() {
  const left = Number(ending.dataset.idleS) * 1000 - SLACK_MS - (Date.now() - seen());
  if (ended.open) return;
  if (left > WARN_MS) {
    if (ending.open) ending.close();
  } else if (left <= 0) stay();
  else if (!ending.open) {
    document.querySelectorAll("dialog[open]").forEach((each) => each.close());
    ending.showModal();
  }
}

if (ended) {
  see();
  setInterval(check, 5000);
  document.addEventListener("visibilitychange", () => !document.hidden && check());
  document.addEventListener("htmx:finally:request", (event) => {
    const status = event.detail.ctx.response?.status;
    if (status === 401) end();
    else if (status) see();
  });
  ending.querySelector("[data-stay]").addEventListener("click", async () => {
    await stay();
    ending.close();
  });
  ended.querySelector("[data-sign-in-again]").addEventListener("click", keepUntilSignedIn);
}
