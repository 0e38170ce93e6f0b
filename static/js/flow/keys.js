// The keyboard, while a card or a "+" has the focus. Single letters can be switched off, as everywhere.
import { act, announce, beside, by, card, cards, go, goesIn, here, isTyping, keyOf, move, say, slotBehind, slotInLaneBeside, slots } from "./cards.js";
import { about, change, clear, extend, hasChosen, isPlacing, toggle } from "./choose.js";
import { find, inList } from "./find.js";
import { pick } from "./pick.js";

const keysAreOff = () => /(?:^|; )keys=off/.test(document.cookie);
const is = (event, letter) => event.key.toLowerCase() === letter || event.code === `Key${letter.toUpperCase()}`;
const isSlash = (event) => event.key === "/" || (event.code === "Slash" && !event.shiftKey);
const isHelp = (event) => event.key === "?" || event.key === "؟" || (event.code === "Slash" && event.shiftKey);

async function moveAll(element, values) {
  const key = keyOf(element);
  if (!hasChosen()) {
    await move(key, values);
    return;
  }
  await change(about(element), values.direction, values);
  card(key)?.focus();
}

function toLaneBeside(element, sign) {
  const slot = slotInLaneBeside(element, sign);
  if (slot) moveAll(element, { direction: "to", place: slot.dataset.place });
  else announce(say("no-lane"));
}

async function remove(element) {
  if (hasChosen()) await change(about(element), "delete");
  else await act(`steps/${keyOf(element)}/delete`, {});
}

function withAlt(event, element) {
  const direction = { ArrowUp: "up", ArrowDown: "down" }[event.key];
  if (direction) moveAll(element, { direction });
  else if (event.key === "ArrowLeft") toLaneBeside(element, -1);
  else if (event.key === "ArrowRight") toLaneBeside(element, 1);
  else return false;
  return true;
}

function onCard(event) {
  const element = event.target;
  const isStep = keyOf(element) !== "start";
  if (event.ctrlKey || event.metaKey) {
    if (!is(event, "d") || event.altKey || event.shiftKey) return false;
    change(about(element), "duplicate");
    return true;
  }
  if (event.altKey) return isStep && withAlt(event, element);
  if (event.shiftKey && event.key === "ArrowDown") extend(element, 1);
  else if (event.shiftKey && event.key === "ArrowUp") extend(element, -1);
  else if (event.key === "ArrowDown") go(element, 1);
  else if (event.key === "ArrowUp") go(element, -1);
  else if (event.key === "ArrowLeft") beside(element, -1);
  else if (event.key === "ArrowRight") beside(element, 1);
  else if (event.key === "Home") cards()[0].focus();
  else if (event.key === "End") cards().at(-1).focus();
  else if (event.key === " " && isStep) toggle(element);
  else if ((event.key === "Delete" || (event.key === "Backspace" && isMac)) && (isStep || hasChosen())) remove(element);
  else if (event.key === "Escape") return clear();
  else if (keysAreOff()) return false;
  else if (isHelp(event)) by("shortcuts").showModal();
  else if (isSlash(event)) find();
  else if (is(event, "a") && !event.shiftKey) pick(slotBehind(element));
  else if (event.shiftKey && is(event, "z")) by("redo-form").requestSubmit();
  else return false;
  return true;
}

const isMac = /Mac|iPhone|iPad/.test(navigator.platform);

function onSlot(event) {
  const slot = event.target;
  if (event.key === "Escape") return clear() && (here()?.focus(), true);
  if (event.key === "ArrowLeft" || event.key === "ArrowRight") beside(slot, event.key === "ArrowLeft" ? -1 : 1);
  else if (event.key === "ArrowUp" || event.key === "ArrowDown") near(slot, event.key === "ArrowDown" ? 1 : -1)?.focus();
  else return false;
  return true;
}

// From a "+" to the card beside it; where a place is chosen, to the next "+".
function near(slot, steps) {
  const all = isPlacing() ? slots() : [...document.querySelectorAll("#flow a")].filter((each) => each.checkVisibility());
  const way = steps > 0 ? all.slice(all.indexOf(slot) + 1) : all.slice(0, all.indexOf(slot)).reverse();
  return way.find((each) => isPlacing() || each.matches(".step-card"));
}

document.addEventListener("keydown", (event) => {
  if (!by("designer") || event.defaultPrevented) return;
  if (event.target.closest("#find-step, #kind-picker")) inList(event);
  if (document.querySelector("dialog[open]")) return;
  const { target } = event;
  if ((event.ctrlKey || event.metaKey) && !event.altKey && is(event, "z") && !isTyping(target)) {
    event.preventDefault();
    by(event.shiftKey ? "redo-form" : "undo-form").requestSubmit();
    return;
  }
  let isDone = false;
  if (event.key === "Escape" && target.closest("#inspector")) (card(by("designer").dataset.selected) ?? here())?.focus();
  else if (target.matches("a.step-card")) {
    goesIn.is = event.key === "Enter";
    isDone = onCard(event);
  } else if (target.matches(".slot-add")) isDone = onSlot(event);
  else if (event.key === "Escape" && target.closest("#flow-pane")) isDone = clear();
  if (isDone) event.preventDefault();
});
