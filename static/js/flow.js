// The designer's hands: keyboard, picker, saving as you go, moving by drag. Every one of them is also a link or a form.
const { htmx } = window;
const by = (id) => document.getElementById(id);
const cards = () => [...document.querySelectorAll("#flow a.step-card")];
const card = (key) => by(`step-${key}`);
const keyOf = (element) => element.dataset.step;
const isTyping = (element) => element.matches("input, textarea, select, [contenteditable]");

function announce(text) {
  const region = by("live");
  region.textContent = "";
  requestAnimationFrame(() => {
    region.textContent = text;
  });
}

// Arabic in its usual spellings is one word to search for.
const LETTERS = { أ: "ا", إ: "ا", آ: "ا", ى: "ي", ة: "ه", ؤ: "و", ئ: "ي" };
function fold(text) {
  return text.normalize("NFKC").toLowerCase().replace(/[\u064B-\u065F\u0670\u0640]/g, "").replace(/[أإآىةؤئ]/g, (each) => LETTERS[each]);
}

// One card is in the tab order, with the "+" behind it; arrows go to the others.
let current = "";
function rove() {
  const all = cards();
  if (all.length === 0) return;
  const here = card(current) ?? card(by("designer").dataset.selected) ?? all[0];
  current = keyOf(here);
  for (const each of all) each.tabIndex = each === here ? 0 : -1;
  const behind = slotBehind(here);
  for (const each of document.querySelectorAll(".slot-add")) each.tabIndex = each === behind ? 0 : -1;
}

// The selected card stays in sight, on a phone above the sheet that its settings are.
let shown = "";
function show() {
  const { selected } = by("designer").dataset;
  if (selected && selected !== shown) card(selected)?.scrollIntoView({ block: "nearest" });
  shown = selected;
}

function slotBehind(element) {
  return element.closest("li").querySelector(":scope > .slot > .slot-add");
}

function step(element, by_) {
  const all = cards();
  all[all.indexOf(element) + by_]?.focus();
}

// The nearest card or "+" at that side of the screen: with the lanes mirrored, so is the way.
function beside(element, sign) {
  const from = element.getBoundingClientRect();
  let best = null;
  let least = Infinity;
  for (const each of document.querySelectorAll("#flow a.step-card, .lane > .slot > .slot-add")) {
    const to = each.getBoundingClientRect();
    const away = sign > 0 ? to.left - from.right : from.left - to.right;
    const cost = away + 2 * Math.abs(to.top - from.top) + (each.matches(".slot-add") ? 400 : 0);
    if (away > -8 && each !== element && cost < least) [best, least] = [each, cost];
  }
  best?.focus();
}

function act(path, values) {
  const flow = by("flow");
  const url = `${by("designer").dataset.url}/${path}`;
  return htmx.ajax("POST", url, { source: flow, target: "#designer", swap: "outerMorph", values: { revision: 0, ...values } });
}

async function move(key, values) {
  await act(`steps/${key}/move`, { ...values, stay: by("designer").dataset.selected });
  card(key)?.focus();
}

const is = (event, letter) => event.key.toLowerCase() === letter || event.code === `Key${letter.toUpperCase()}`;
const isSlash = (event) => event.key === "/" || (event.code === "Slash" && !event.shiftKey);
const isHelp = (event) => event.key === "?" || event.key === "؟" || (event.code === "Slash" && event.shiftKey);

function onCard(event) {
  const here = event.target;
  const key = keyOf(here);
  const isStep = key !== "start";
  if (event.ctrlKey || event.metaKey) return false;
  if (event.altKey) {
    const direction = { ArrowUp: "up", ArrowDown: "down" }[event.key];
    if (direction && isStep) move(key, { direction });
    return Boolean(direction);
  }
  if (event.key === "ArrowDown") step(here, 1);
  else if (event.key === "ArrowUp") step(here, -1);
  else if (event.key === "ArrowLeft") beside(here, -1);
  else if (event.key === "ArrowRight") beside(here, 1);
  else if (event.key === "Home") cards()[0].focus();
  else if (event.key === "End") cards().at(-1).focus();
  else if (event.key === "Delete" && isStep) act(`steps/${key}/delete`, {});
  else if (isHelp(event)) by("shortcuts").showModal();
  else if (isSlash(event)) find();
  else if (is(event, "a")) pick(slotBehind(here));
  else return false;
  return true;
}

// Enter on a card goes on into its settings; a click leaves the focus on the card.
let goesIn = false;

document.addEventListener("keydown", (event) => {
  if (!by("designer") || event.defaultPrevented) return;
  if (event.target.closest("#find-step, #kind-picker")) inList(event);
  if (document.querySelector("dialog[open]")) return;
  if ((event.ctrlKey || event.metaKey) && !event.altKey && is(event, "z") && !isTyping(event.target)) {
    event.preventDefault();
    by(event.shiftKey ? "redo-form" : "undo-form").requestSubmit();
    return;
  }
  if (event.key === "Escape" && event.target.closest("#inspector")) card(by("designer").dataset.selected || current)?.focus();
  else if (event.target.matches("a.step-card")) {
    goesIn = event.key === "Enter";
    if (onCard(event)) event.preventDefault();
  } else if (event.target.matches(".slot-add") && /^Arrow/.test(event.key)) {
    event.preventDefault();
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") beside(event.target, event.key === "ArrowLeft" ? -1 : 1);
    else nearSlot(event.target, event.key === "ArrowDown" ? 1 : -1)?.focus();
  }
});

function nearSlot(slot, by_) {
  const all = [...document.querySelectorAll("#flow a")];
  const way = by_ > 0 ? all.slice(all.indexOf(slot) + 1) : all.slice(0, all.indexOf(slot)).reverse();
  return way.find((each) => each.matches(".step-card"));
}

document.addEventListener("focusin", (event) => {
  if (event.target.matches("a.step-card")) {
    current = keyOf(event.target);
    rove();
  } else if (event.target.matches("[data-takes]")) lastField = event.target;
});

// The picker of kinds, at the "+" that was pressed.
function pick(slot) {
  const picker = by("kind-picker");
  const form = picker.querySelector("form");
  const [parent, lane, after] = slot.dataset.place.split("|");
  Object.entries({ parent, lane, after }).forEach(([name, value]) => {
    form.elements[name].value = value;
  });
  const search = picker.querySelector("[data-kind-search]");
  search.value = "";
  filterKinds(picker, "");
  picker.hidePopover();
  slot.scrollIntoView({ block: "nearest" });
  picker.showPopover({ source: slot });
  // The picker finds its place only with the next frame: scrolling to where it is now would leave the "+" behind.
  search.focus({ preventScroll: true });
}

// What a kind is called counts first; what it does, only when no name fits.
function filterKinds(picker, text) {
  const wanted = fold(text.trim());
  const items = [...picker.querySelectorAll("li")];
  const named = items.filter((item) => fold(`${item.querySelector("b").textContent} ${item.firstElementChild.value}`).includes(wanted));
  const fitting = named.length > 0 ? named : items.filter((item) => fold(item.textContent).includes(wanted));
  for (const item of items) item.hidden = !fitting.includes(item);
}

// A search field with a list under it: the arrows go through both, Enter takes the first.
function inList(event) {
  const box = event.target.closest("#find-step, #kind-picker");
  const shown = [...box.querySelectorAll("li:not([hidden]) > button")];
  const all = [box.querySelector("input[type='text']"), ...shown];
  const at = all.indexOf(event.target);
  if (event.key === "ArrowDown") all[Math.min(at + 1, all.length - 1)]?.focus();
  else if (event.key === "ArrowUp") all[Math.max(at - 1, 0)].focus();
  else if (event.key === "Enter" && at === 0) shown[0]?.click();
  else return;
  event.preventDefault();
}

function find() {
  const text = by("find-step-text");
  text.value = "";
  listFound("");
  by("find-step").showModal();
  text.focus();
}

function listFound(text) {
  const list = document.querySelector("[data-found]");
  const wanted = fold(text.trim());
  const found = cards().filter((each) => fold(each.textContent).includes(wanted));
  list.replaceChildren(...found.slice(0, 20).map(foundItem));
  if (found.length === 0) list.textContent = list.dataset.none;
}

function foundItem(each) {
  const item = document.createElement("li");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "menu-item";
  button.dataset.goto = keyOf(each);
  const name = document.createElement("bdi");
  name.textContent = each.querySelector(".step-name").textContent.trim();
  button.append(each.querySelector("svg").cloneNode(true), name);
  item.append(button);
  return item;
}

document.addEventListener("input", (event) => {
  if (event.target.matches("[data-kind-search]")) filterKinds(by("kind-picker"), event.target.value);
  else if (event.target.id === "find-step-text") listFound(event.target.value);
});

document.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  const element = event.target.closest(".slot-add, [data-insert], [data-goto]");
  if (!element) return;
  if (element.matches(".slot-add")) {
    event.preventDefault();
    pick(element);
  } else if (element.dataset.insert) insert(element);
  else {
    by("find-step").close();
    card(element.dataset.goto)?.focus();
  }
});

// A value goes where the cursor last stood; the button must not take the focus away from there.
let lastField = null;
document.addEventListener("mousedown", (event) => {
  if (event.target.closest("[data-insert]")) event.preventDefault();
});

function insert(button) {
  const form = button.closest("form");
  const field = form.contains(lastField) ? lastField : form.querySelector("[data-takes]");
  if (!field) return;
  const path = button.dataset.insert;
  const text = field.dataset.takes === "expression" ? path : `\${ ${path} }`;
  field.focus();
  field.setRangeText(text, field.selectionStart, field.selectionEnd, "end");
  announce(text);
  field.dispatchEvent(new Event("change", { bubbles: true }));
}

// Saving as you go: each change of a field is one edit, kept in order by the queue of #designer.
document.addEventListener("change", (event) => {
  const form = event.target.closest("[data-step-form]");
  if (form && !form.hasAttribute("data-no-autosave")) form.dispatchEvent(new Event("autosave"));
});

document.addEventListener("htmx:config:request", (event) => {
  const { ctx } = event.detail;
  if (ctx.sourceEvent?.type === "autosave") ctx.request.body.set("autosave", "1");
});

// What waited behind another edit carries the revision that this edit made; what waited behind a refusal is dropped,
// because it would sweep away what the refused form still holds.
let refusedAt = 0;
document.addEventListener("htmx:before:request", (event) => {
  const { ctx } = event.detail;
  const designer = by("designer");
  if (!designer || ctx.target !== designer) return;
  if (ctx.sourceEvent?.timeStamp < refusedAt) {
    event.preventDefault();
    return;
  }
  if (ctx.request.body?.has?.("revision")) ctx.request.body.set("revision", designer.dataset.revision);
  const picker = by("kind-picker");
  if (picker?.contains(ctx.sourceElement)) picker.hidePopover();
});
document.addEventListener("htmx:response:error", () => {
  refusedAt = performance.now();
});

// Across a swap: what was unfolded stays so, an unsaved form gives way to another answer, the focus is never lost.
let unfolded = [];
let hadFocus = false;
document.addEventListener("htmx:before:swap", (event) => {
  const { ctx } = event.detail;
  const isReorder = ctx.sourceEvent?.submitter?.name === "do";
  unfolded = [...document.querySelectorAll("details[open][id]")].map((each) => each.id).filter((id) => !(isReorder && id.startsWith("input-")));
  hadFocus = Boolean(by("designer")?.contains(document.activeElement));
  if (!ctx.sourceElement?.matches?.("[data-step-form]")) document.querySelectorAll("[data-step-form]").forEach((form) => form.reset());
});
document.addEventListener("htmx:after:swap", () => {
  for (const id of unfolded) {
    const details = by(id);
    if (details) details.open = true;
  }
  if (!by("designer")) return;
  rove();
  show();
  if (goesIn) by("inspector-title")?.focus();
  else if (hadFocus && document.activeElement === document.body) card(current)?.focus();
  goesIn = false;
});

// Dragging a card to a "+"; "Move to…" in its settings does the same.
let dragged = null;
document.addEventListener("dragstart", (event) => {
  const element = event.target.closest?.("a.step-card:not(.is-start)");
  if (!element) return;
  dragged = element;
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", keyOf(element));
  by("flow").classList.add("is-dragging");
  element.classList.add("is-dragged");
});
document.addEventListener("dragover", (event) => {
  const slot = dragged && event.target.closest?.(".slot");
  document.querySelectorAll(".slot.is-over").forEach((each) => each !== slot && each.classList.remove("is-over"));
  if (!slot || isOwn(slot)) return;
  event.preventDefault();
  slot.classList.add("is-over");
});
document.addEventListener("drop", (event) => {
  const slot = dragged && event.target.closest?.(".slot");
  if (!slot || isOwn(slot)) return;
  event.preventDefault();
  move(keyOf(dragged), { direction: "to", place: slot.querySelector("a").dataset.place });
});
document.addEventListener("dragend", () => {
  by("flow")?.classList.remove("is-dragging");
  document.querySelectorAll(".is-over, .is-dragged").forEach((each) => each.classList.remove("is-over", "is-dragged"));
  dragged = null;
});

// Its own places, before and behind and inside it, change nothing.
function isOwn(slot) {
  const item = dragged.closest("li");
  return item.contains(slot);
}

if (by("designer")) {
  rove();
  show();
}
