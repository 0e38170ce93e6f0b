// Finding a step by its name or kind, and the way through a list under a search field.
import { by, card, cards, keyOf } from "./cards.js";
import { unfold } from "./branches.js";

// Arabic in its usual spellings is one word to search for.
const LETTERS = { أ: "ا", إ: "ا", آ: "ا", ى: "ي", ة: "ه", ؤ: "و", ئ: "ي" };
export function fold(text) {
  return text.normalize("NFKC").toLowerCase().replace(/[\u064B-\u065F\u0670\u0640]/g, "").replace(/[أإآىةؤئ]/g, (each) => LETTERS[each]);
}

export function find() {
  const text = by("find-step-text");
  text.value = "";
  listFound("");
  by("find-step").showModal();
  text.focus();
}

function listFound(text) {
  const list = document.querySelector("[data-found]");
  const wanted = fold(text.trim());
  const found = [...document.querySelectorAll("#flow a.step-card")].filter((each) => fold(each.textContent).includes(wanted));
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

// A search field with a list under it: the arrows go through both, Enter takes the first.
export function inList(event) {
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

document.addEventListener("input", (event) => {
  if (event.target.id === "find-step-text") listFound(event.target.value);
});

document.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  const found = event.target.closest("[data-goto]");
  if (!found) return;
  event.preventDefault();
  by("find-step").close();
  const target = card(found.dataset.goto);
  if (!target) return;
  unfold(target);
  target.focus();
  target.scrollIntoView({ block: "center" });
});
