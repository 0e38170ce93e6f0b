// Several steps at once: Space and Shift with the arrows choose, one bar says what can be done, and a "+" gives the new place.
import { act, announce, by, card, cards, digits, keyOf, say, slots } from "./cards.js";

let chosen = new Set();
let anchor = "";
let placing = false;

const box = (key) => by(`choose-${key}`);
export const hasChosen = () => chosen.size > 0;
export const isPlacing = () => placing;

// What an act is about: the chosen steps, or the one that has the focus.
export const about = (element) => (chosen.size > 0 ? [...chosen] : [keyOf(element)]).filter((key) => key !== "start");

function draw() {
  if (!by("designer")) return;
  for (const key of chosen) if (!box(key)) chosen.delete(key);
  for (const each of document.querySelectorAll("#flow .choose")) each.checked = chosen.has(each.value);
  by("designer").classList.toggle("is-choosing", chosen.size > 0 || Boolean(by("choosing-off")));
  by("flow")?.classList.toggle("is-placing", placing);
  const number = document.querySelector("[data-chosen-number]");
  if (number) number.textContent = digits(chosen.size);
}

function tell(element) {
  const name = element.querySelector(".step-name").textContent.trim();
  const isIn = chosen.has(keyOf(element));
  announce(say(isIn ? "chosen" : "unchosen", { name, count: digits(chosen.size) }));
}

export function toggle(element) {
  const key = keyOf(element);
  if (key === "start") return;
  if (!chosen.delete(key)) chosen.add(key);
  anchor = key;
  draw();
  tell(element);
}

export function extend(element, steps) {
  const all = cards().filter((each) => keyOf(each) !== "start");
  const at = all.indexOf(element);
  const to = all[at < 0 && steps > 0 ? 0 : at + steps];
  if (!to) return;
  if (!chosen.has(anchor) || !card(anchor)) anchor = at < 0 ? keyOf(to) : keyOf(element);
  const ends = [all.indexOf(card(anchor)), all.indexOf(to)].sort((one, other) => one - other);
  chosen = new Set(all.slice(ends[0], ends[1] + 1).map(keyOf));
  draw();
  to.focus();
  tell(to);
}

export function clear() {
  const had = chosen.size > 0 || placing;
  chosen = new Set();
  placing = false;
  draw();
  if (had) announce(say("none"));
  return had;
}

export async function change(keys, action, values = {}) {
  if (keys.length === 0) return;
  await act("chosen", { do: action, key: keys.join(","), ...values });
}

// The next "+" that is pressed is where the chosen steps go.
function beginPlacing() {
  placing = true;
  draw();
  announce(say("placing"));
  const first = slots()[0];
  if (first) {
    first.tabIndex = 0;
    first.focus();
  }
}

export async function place(slot) {
  const keys = [...chosen];
  placing = false;
  await change(keys, "to", { place: slot.dataset.place });
  card(keys[0])?.focus();
}

document.addEventListener("change", (event) => {
  if (!event.target.matches("#flow .choose")) return;
  if (event.target.checked) chosen.add(event.target.value);
  else chosen.delete(event.target.value);
  anchor = event.target.value;
  draw();
});

document.addEventListener(
  "click",
  (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    const element = event.target.closest("#flow a.step-card, #chosen-to, #choosing-off");
    if (!element) return;
    const isCard = element.matches(".step-card");
    if (isCard && !by("choosing-off")) return;
    if (isCard && event.detail === 0) return; // Enter opens the settings
    if (element.id === "choosing-off") {
      clear();
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    if (isCard) toggle(element);
    else beginPlacing();
  },
  true,
);

document.addEventListener("htmx:after:swap", (event) => {
  if (!by("designer")) return;
  if (event.detail.ctx.request?.action?.includes("/chosen")) chosen = new Set();
  const now = [...document.querySelectorAll("#flow .choose[checked]")].map((each) => each.value);
  if (now.length > 0) chosen = new Set(now);
  draw();
});
draw();
