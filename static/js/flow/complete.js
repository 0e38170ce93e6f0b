// Completion in expressions: the names of the picker and the functions of CEL, as a list below the field. The field keeps the focus.
import { announce, by, digits, say } from "./cards.js";

const MOST = 8;
let field = null;
let list = null;
let at = 0;

// Where the name begins that stands before the cursor; -1 outside of an expression.
function token() {
  const before = field.value.slice(0, field.selectionStart);
  const from = field.dataset.takes === "template" ? before.lastIndexOf("${") + 2 : 0;
  if (field.dataset.takes === "template" && (from < 2 || before.indexOf("}", from) >= 0)) return null;
  return before.slice(from).match(/[\w.[\]"]*$/)[0];
}

function found(name) {
  const dot = name.lastIndexOf(".");
  const behind = dot >= 0 && name.slice(dot + 1);
  const low = name.toLowerCase();
  const values = [...field.form.querySelectorAll("[data-insert]")].map((each) => {
    const about = each.closest(".pick").querySelector(".value-sample, small")?.textContent ?? "";
    return { text: each.dataset.insert, about, from: name.length };
  });
  const calls = [...field.form.querySelector("[data-functions]").content.children]
    .filter((each) => "behind" in each.dataset === dot >= 0)
    .map((each) => ({ text: each.dataset.name, about: each.textContent, from: dot >= 0 ? behind.length : name.length, isCall: true }));
  const fits = (each) => (each.isCall ? each.text.toLowerCase().startsWith((dot >= 0 ? behind : name).toLowerCase()) : each.text.toLowerCase().includes(low) && each.text !== name);
  const first = (each) => (each.text.toLowerCase().startsWith(low) ? 0 : 1);
  return [...values.filter(fits).sort((one, other) => first(one) - first(other)), ...calls.filter(fits)].slice(0, MOST);
}

function close() {
  list?.remove();
  list = null;
  for (const name of ["aria-controls", "aria-activedescendant", "aria-haspopup", "aria-autocomplete"]) field?.removeAttribute(name);
}

function mark(number) {
  const all = [...list.children];
  at = (number + all.length) % all.length;
  all.forEach((each, place) => each.setAttribute("aria-selected", place === at));
  all[at].scrollIntoView({ block: "nearest" });
  field.setAttribute("aria-activedescendant", all[at].id);
}

// Below the field, or above it where there is no room; it goes along when the pane is scrolled.
function place() {
  const box = field.getBoundingClientRect();
  list.style.width = `${box.width}px`;
  const height = list.offsetHeight;
  const isAbove = box.bottom + height > window.innerHeight && box.top > height;
  Object.assign(list.style, { left: `${box.left}px`, top: `${isAbove ? box.top - height : box.bottom}px` });
}

function open() {
  const name = token();
  const choices = name === null ? [] : found(name);
  close();
  if (choices.length === 0) return;
  list = document.createElement("ul");
  list.id = "complete";
  list.className = "complete";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", say("values"));
  choices.forEach((each, place) => {
    const item = document.createElement("li");
    item.id = `complete-${place}`;
    item.setAttribute("role", "option");
    item.dataset.from = each.from;
    const code = document.createElement("code");
    code.dir = "ltr";
    code.textContent = each.text;
    const about = document.createElement("bdi");
    about.textContent = each.about;
    item.append(code, about);
    list.append(item);
  });
  by("designer").append(list);
  field.scrollIntoView({ block: "nearest", behavior: "instant" });
  place();
  field.setAttribute("aria-autocomplete", "list");
  field.setAttribute("aria-haspopup", "listbox");
  field.setAttribute("aria-controls", "complete");
  mark(0);
  announce(say("fitting", { count: digits(choices.length) }));
}

function take(item) {
  const text = item.querySelector("code").textContent;
  const end = field.selectionStart;
  const rest = field.value.slice(end);
  const isOpen = field.dataset.takes === "template" && !/^[^{]*}/.test(rest);
  const start = end - item.dataset.from;
  const gap = field.value.slice(0, start).endsWith("${") ? " " : "";
  field.setRangeText(gap + text + (isOpen ? " }" : ""), start, end, "end");
  const place = start + gap.length + text.length;
  field.setSelectionRange(place, place);
  close();
  announce(text);
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

document.addEventListener("input", (event) => {
  if (!event.target.matches("[data-takes]")) return;
  field = event.target;
  const before = field.value.slice(0, field.selectionStart);
  if (list || (event.data && (before.endsWith("${") || before.endsWith(".")))) open();
});
document.addEventListener("keydown", (event) => {
  if (!event.target.matches?.("[data-takes]")) return;
  if (event.ctrlKey && event.code === "Space") {
    event.preventDefault();
    field = event.target;
    open();
  } else if (list) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) mark(at + step);
    else if (event.key === "Enter" || event.key === "Tab") take(list.children[at]);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}, true);
document.addEventListener("mousedown", (event) => {
  const item = event.target.closest("#complete > li");
  if (item) {
    event.preventDefault();
    take(item);
  }
});
document.addEventListener("focusout", (event) => {
  if (event.target === field) close();
});
document.addEventListener("htmx:before:swap", (event) => {
  if (event.detail.ctx.target?.id === "designer") close();
});
document.addEventListener("scroll", () => list && place(), true);
document.addEventListener("htmx:after:swap", () => list && place());
