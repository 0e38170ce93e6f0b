// The cards of the flow: which there are, which one is in the tab order, and what is asked of the server about them.
const { htmx } = window;

export const by = (id) => document.getElementById(id);
export const card = (key) => by(`step-${key}`);
export const keyOf = (element) => element.dataset.step;
export const isTyping = (element) => element.matches("input:not([type='checkbox']), textarea, select, [contenteditable]");
export const isRtl = () => document.documentElement.dir === "rtl";

// Those that are folded away are passed over.
const isSeen = (element) => element.checkVisibility();
export const cards = () => [...document.querySelectorAll("#flow a.step-card")].filter(isSeen);
export const slots = () => [...document.querySelectorAll("#flow .slot-add")].filter(isSeen);
export const slotBehind = (element) => element.closest("li").querySelector(":scope > .slot > .slot-add");

export function announce(text) {
  const region = by("live");
  region.textContent = "";
  requestAnimationFrame(() => {
    region.textContent = text;
  });
}

// One sentence of the page, in its language: they stand in a template, under their names.
export function say(name, values = {}) {
  const words = by("flow-words")?.content.querySelector(`[data-says="${name}"]`)?.textContent ?? "";
  return words.replace(/\{(\w+)\}/g, (_whole, hole) => values[hole] ?? "");
}

// A number in the digits of the reader.
export function digits(number) {
  return document.documentElement.dataset.digits === "arab" ? String(number).replace(/\d/g, (each) => "٠١٢٣٤٥٦٧٨٩"[each]) : String(number);
}

// One card is in the tab order, with the "+" behind it; arrows go to the others.
let current = "";
export function rove(element) {
  if (element) current = keyOf(element);
  const all = cards();
  if (all.length === 0) return;
  const kept = card(current);
  const chosen = card(by("designer").dataset.selected);
  const here = [kept, chosen].find((each) => each && isSeen(each)) ?? all[0];
  current = keyOf(here);
  for (const each of document.querySelectorAll("#flow a.step-card")) each.tabIndex = each === here ? 0 : -1;
  const behind = slotBehind(here);
  for (const each of document.querySelectorAll(".slot-add")) each.tabIndex = each === behind ? 0 : -1;
}

export const here = () => card(current);

// The selected card stays in sight, on a phone above the sheet that its settings are.
let shown = "";
export function show() {
  const { selected } = by("designer").dataset;
  if (selected && selected !== shown) card(selected)?.scrollIntoView({ block: "nearest" });
  shown = selected;
}

export function go(element, steps) {
  const all = cards();
  all[all.indexOf(element) + steps]?.focus();
}

// The nearest card or "+" at that side of the screen: with the lanes mirrored, so is the way.
export function beside(element, sign) {
  const from = element.getBoundingClientRect();
  let best = null;
  let least = Infinity;
  for (const each of document.querySelectorAll("#flow a.step-card, .lane > .lane-steps > .slot > .slot-add")) {
    const to = each.getBoundingClientRect();
    const away = sign > 0 ? to.left - from.right : from.left - to.right;
    const cost = away + 2 * Math.abs(to.top - from.top) + (each.matches(".slot-add") ? 400 : 0);
    if (to.width > 0 && away > -8 && each !== element && cost < least) [best, least] = [each, cost];
  }
  best?.focus();
}

// The "+" of the lane at that side, nearest in height; in lanes that stand one under the other, the side is their order.
export function slotInLaneBeside(element, sign) {
  const item = element.closest("li");
  const forwards = sign > 0 !== isRtl();
  for (let lane = item.closest(".lane"); lane; lane = lane.parentElement.closest(".lane")) {
    const next = forwards ? lane.nextElementSibling : lane.previousElementSibling;
    if (next?.matches(".lane")) {
      const top = element.getBoundingClientRect().top;
      const free = [...next.querySelectorAll(".slot-add")].filter(isSeen);
      const away = (slot) => Math.abs(slot.getBoundingClientRect().top - top);
      return free.sort((one, other) => away(one) - away(other))[0];
    }
  }
  return null;
}

export function act(path, values) {
  const designer = by("designer");
  const given = { revision: 0, stay: designer.dataset.selected, ...values };
  const url = `${designer.dataset.url}/${path}`;
  return htmx.ajax("POST", url, { source: by("flow"), target: "#designer", swap: "outerMorph", values: given });
}

export async function move(key, values) {
  await act(`steps/${key}/move`, values);
  card(key)?.focus();
}

// Across a swap: the focus is never lost.
let hadFocus = false;
export const goesIn = { is: false }; // Enter on a card goes on into its settings; a click leaves the focus on the card
document.addEventListener("htmx:before:swap", () => {
  hadFocus = Boolean(by("designer")?.contains(document.activeElement));
});
document.addEventListener("htmx:after:swap", () => {
  if (!by("designer")) return;
  rove();
  show();
  if (goesIn.is) by("inspector-title")?.focus();
  else if (hadFocus && document.activeElement === document.body) card(current)?.focus();
  goesIn.is = false;
});
document.addEventListener("focusin", (event) => {
  if (event.target.matches("a.step-card")) rove(event.target);
});
