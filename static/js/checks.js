// Once a form came back with errors, a corrected field is checked again by the server when it is left: the same sentence, or none.
// Nothing is carried out by that. Without this the form is checked when it is sent, as before.
import { announce } from "./live.js";

const known = new WeakMap(); // field → its error, the controls that speak of it, and what was checked last
let asked = null;

const isBox = (each) => each.type === "checkbox" || each.type === "radio";
const typed = (field) => JSON.stringify([...field.querySelectorAll("input, select, textarea")].map((each) => (isBox(each) ? each.checked : each.value)));

function know(field) {
  const error = field.querySelector("p.error[id$='-error']");
  const form = field.closest("form[method='post']");
  if (!error || !form || known.has(field)) return;
  const controls = [field, ...field.querySelectorAll("*")].filter((each) => each.getAttribute("aria-invalid") === "true");
  known.set(field, { error, form, controls, typed: typed(field) });
  form.dataset.refused = "";
}

function show(field, sentence) {
  const { error, controls } = known.get(field);
  const isWrong = Boolean(sentence);
  if (isWrong) error.lastElementChild.lastChild.textContent = ` ${sentence}`;
  error.hidden = !isWrong;
  field.classList.toggle("has-error", isWrong);
  for (const each of controls) {
    const others = (each.getAttribute("aria-describedby") ?? "").split(" ").filter((id) => id && id !== error.id);
    each.setAttribute("aria-describedby", [...others, ...(isWrong ? [error.id] : [])].join(" "));
    if (isWrong) each.setAttribute("aria-invalid", "true");
    else each.removeAttribute("aria-invalid");
    if (!each.getAttribute("aria-describedby")) each.removeAttribute("aria-describedby");
  }
  summarise(error.id.replace(/-error$/, ""), sentence);
  announce(sentence || document.body.dataset.corrected);
}

// The list at the top leads to what is still wrong; with its last line it goes, and the mark in the title with it.
function summarise(id, sentence) {
  const summary = document.querySelector(".error-summary");
  const link = summary?.querySelector(`a[href="#${CSS.escape(id)}"]`);
  if (!link) return;
  if (sentence) link.lastElementChild.textContent = sentence;
  link.closest("li").hidden = !sentence;
  summary.hidden = ![...summary.querySelectorAll("li")].some((each) => !each.hidden);
  const { mark } = document.body.dataset;
  const bare = document.title.startsWith(mark) ? document.title.slice(mark.length).trimStart() : document.title;
  document.title = summary.hidden ? bare : `${mark} ${bare}`;
}

async function check(field) {
  const { form, error } = known.get(field);
  const submitter = form.querySelector("button[type='submit']:not([formaction])");
  const given = [...new FormData(form, submitter)].filter(([, value]) => typeof value === "string");
  asked?.abort();
  asked = new AbortController();
  try {
    const answer = await fetch(form.getAttribute("action") || window.location.href, {
      method: "POST",
      body: new URLSearchParams(given),
      headers: { "X-Check-Only": "1" },
      redirect: "error",
      signal: asked.signal,
    });
    const { errors } = await answer.json();
    if (errors && field.isConnected) show(field, errors[error.id] ?? "");
  } catch {
    // Cut off, sent meanwhile, or the session has ended: sending the form says what is wrong.
  }
}

document.addEventListener("focusin", (event) => {
  const field = event.target.closest(".field.has-error");
  if (field) know(field);
});

document.addEventListener("focusout", (event) => {
  const field = event.target.closest(".field");
  const state = field && known.get(field);
  if (!state || field.contains(event.relatedTarget) || event.relatedTarget?.type === "submit") return;
  const now = typed(field);
  if (now === state.typed) return;
  state.typed = now;
  check(field);
});

document.addEventListener("submit", () => asked?.abort());
