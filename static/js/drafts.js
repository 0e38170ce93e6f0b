// What was typed survives a change of language and the end of a session: kept in this tab for the one way back, never secrets.
import { announce } from "./live.js";

const OUT = "[type='password'], [type='hidden'], [type='file'], [data-secret], [autocomplete='one-time-code'], [autocomplete^='cc-']";
const here = () => window.location.pathname + window.location.search;
const who = document.querySelector("meta[name='who']").content;

function controls() {
  return [...document.querySelectorAll("input, textarea, select")].filter((each) => each.name && !each.matches(OUT) && !each.closest("[data-keep-out]"));
}

// Both languages have the same controls in the same order, so name and place find one again.
function named() {
  const seen = new Map();
  return controls().map((control) => {
    const base = `${control.form?.getAttribute("action") ?? ""}|${control.name}`;
    const number = seen.get(base) ?? 0;
    seen.set(base, number + 1);
    return [`${base}|${number}`, control];
  });
}

const isBox = (control) => control.type === "checkbox" || control.type === "radio";
const valueOf = (control) => (isBox(control) ? control.checked : control.value);

export function isChanged(control) {
  // In the answer to a refused form everything was typed by the person, though the page calls it the default.
  if (control.form?.querySelector("[aria-invalid], .error-summary") || control.form?.dataset.refused === "") return true;
  if (isBox(control)) return control.checked !== control.defaultChecked;
  if (control.options) {
    const choices = [...control.options];
    // Where the page names no choice, the browser takes the first one.
    if (control.type === "select-one" && !choices.some((each) => each.defaultSelected)) return control.selectedIndex > 0;
    return choices.some((each) => each.selected !== each.defaultSelected) && control.selectedIndex >= 0;
  }
  return control.value !== control.defaultValue;
}

function keep(kind, url = here()) {
  const fields = named().filter(([, control]) => isChanged(control)).map(([key, control]) => [key, valueOf(control)]);
  const opened = (selector) => [...document.querySelectorAll(selector)].map((each) => each.id);
  const draft = {
    who,
    fields,
    details: opened("details[id]:not([open])").concat(opened("details[open][id]").map((id) => `+${id}`)),
    dialog: document.querySelector("dialog[open][id]:not(.palette)")?.id,
    focus: document.activeElement?.id,
    scroll: window.scrollY,
  };
  sessionStorage.setItem(`draft:${kind}:${url}`, JSON.stringify(draft));
}

function take(kind) {
  const key = `draft:${kind}:${here()}`;
  const kept = sessionStorage.getItem(key);
  sessionStorage.removeItem(key);
  const draft = kept && JSON.parse(kept);
  return draft && draft.who === who ? draft : null;
}

function putBack(draft) {
  const byKey = new Map(named());
  let restored = 0;
  for (const [key, value] of draft.fields) {
    const control = byKey.get(key);
    if (!control || valueOf(control) === value) continue;
    if (isBox(control)) control.checked = value;
    else control.value = value;
    control.dispatchEvent(new Event("input", { bubbles: true }));
    restored += 1;
  }
  for (const each of draft.details) {
    const details = document.getElementById(each.replace(/^\+/, ""));
    if (details) details.open = each.startsWith("+");
  }
  if (draft.dialog && draft.dialog !== "session-ended") document.getElementById(draft.dialog)?.showModal?.();
  document.getElementById(draft.focus)?.focus({ preventScroll: true });
  window.scrollTo({ top: draft.scroll, behavior: "instant" });
  return restored;
}

export function keepUntilSignedIn() {
  keep("back");
}

const pathOf = (address) => new URL(address, window.location.href).pathname + new URL(address, window.location.href).search;
const written = document.querySelector("[data-lang-switch] [name='next']")?.value ?? here();
const isOpened = pathOf(written).split("?")[0] === window.location.pathname;

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (form.matches("[data-lang-switch]")) {
    const { next } = form.elements;
    // The address may have moved since the server wrote the page; what answers a sent form stands at one that cannot be opened.
    if (isOpened) next.value = here() + window.location.hash;
    keep("turn", isOpened ? here() : pathOf(next.value));
  } else if (form.action.endsWith("/sign-out")) {
    sessionStorage.clear();
  } else if (who) keep("sent");
});

// A form that was sent when the session had ended comes back by the sign-in page; any other answer settles it.
const isSignIn = Boolean(document.querySelector("input[autocomplete='current-password']"));
for (const key of Object.keys(sessionStorage).filter((each) => each.startsWith("draft:sent:"))) {
  if (isSignIn) sessionStorage.setItem(key.replace("draft:sent:", "draft:back:"), sessionStorage.getItem(key));
  sessionStorage.removeItem(key);
}

const turned = take("turn");
if (turned) putBack(turned);
const kept = isSignIn ? null : take("back");
if (kept && putBack(kept) > 0) setTimeout(() => announce(document.body.dataset.restored), 500);
