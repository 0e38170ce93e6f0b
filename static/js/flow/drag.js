// Dragging a card to a "+", with a mouse at once and with a finger after a moment. "Move to…" does the same.
import { announce, by, card, digits, keyOf, move, say } from "./cards.js";
import { about, change, hasChosen } from "./choose.js";

const LONG_MS = 350;
const SLACK = 8;
const EDGE = 72;
let drag = null;
let wasDragged = false;

function begin(event, element) {
  drag = { element, id: event.pointerId, x: event.clientX, y: event.clientY, isOn: false, over: null, timer: 0 };
  if (event.pointerType !== "mouse") drag.timer = setTimeout(lift, LONG_MS);
}

function lift() {
  drag.isOn = true;
  wasDragged = true;
  const { element } = drag;
  drag.keys = hasChosen() && about(element).includes(keyOf(element)) ? about(element) : [keyOf(element)];
  for (const key of drag.keys) card(key).classList.add("is-dragged");
  by("flow").classList.add("is-dragging");
  drag.ghost = element.cloneNode(true);
  drag.ghost.removeAttribute("id");
  drag.ghost.setAttribute("aria-hidden", "true");
  drag.ghost.className = "step-card drag-ghost";
  by("flow").append(drag.ghost);
  if (drag.keys.length > 1) drag.ghost.dataset.number = digits(drag.keys.length);
  navigator.vibrate?.(10);
  follow();
  requestAnimationFrame(scrollAtEdge);
}

// The place of the picture under the pointer: a sheet of our own, because no element may carry a style.
const sheet = new CSSStyleSheet();
document.adoptedStyleSheets.push(sheet);
function follow() {
  sheet.replaceSync(`.drag-ghost { left: ${drag.x}px; top: ${drag.y}px }`);
  const slot = document.elementsFromPoint(drag.x, drag.y).map((each) => each.closest(".slot")).find(Boolean) ?? null;
  const fits = slot && !drag.keys.some((key) => card(key).closest("li").contains(slot)) ? slot : null;
  if (fits === drag.over) return;
  drag.over?.classList.remove("is-over");
  fits?.classList.add("is-over");
  drag.over = fits;
}

function scrollAtEdge() {
  if (!drag?.isOn) return;
  const below = window.innerHeight - drag.y;
  const by_ = drag.y < EDGE ? drag.y - EDGE : below < EDGE ? EDGE - below : 0;
  if (by_ !== 0) {
    window.scrollBy(0, by_ / 5);
    follow();
  }
  requestAnimationFrame(scrollAtEdge);
}

function end() {
  if (!drag) return;
  clearTimeout(drag.timer);
  drag.ghost?.remove();
  by("flow")?.classList.remove("is-dragging");
  document.querySelectorAll(".is-over, .is-dragged").forEach((each) => each.classList.remove("is-over", "is-dragged"));
  drag = null;
}

document.addEventListener("pointerdown", (event) => {
  const element = event.target.closest?.("#flow a.step-card:not(.is-start)");
  wasDragged = false;
  if (!element || event.button !== 0 || !event.isPrimary) return;
  begin(event, element);
});

document.addEventListener("pointermove", (event) => {
  if (!drag || event.pointerId !== drag.id) return;
  const away = Math.hypot(event.clientX - drag.x, event.clientY - drag.y);
  if (!drag.isOn) {
    if (away < SLACK) return;
    if (event.pointerType === "mouse") lift();
    else {
      end(); // the finger scrolls
      return;
    }
  }
  [drag.x, drag.y] = [event.clientX, event.clientY];
  follow();
});

document.addEventListener("pointerup", (event) => {
  if (!drag || event.pointerId !== drag.id) return;
  const { isOn, over, keys, element } = drag;
  end();
  if (!isOn || !over) return;
  const { place } = over.querySelector(".slot-add").dataset;
  if (keys.length > 1) change(keys, "to", { place });
  else move(keyOf(element), { direction: "to", place });
});

document.addEventListener("pointercancel", end);
// While a card is in the hand, the finger does not scroll the page.
document.addEventListener(
  "touchmove",
  (event) => {
    if (drag?.isOn) event.preventDefault();
  },
  { passive: false },
);
document.addEventListener(
  "keydown",
  (event) => {
    if (event.key !== "Escape" || !drag?.isOn) return;
    event.preventDefault();
    event.stopPropagation();
    end();
    announce(say("kept"));
  },
  true,
);
// The browser's own dragging of links, its menu of a long press, and the click after a drop are not meant.
document.addEventListener("dragstart", (event) => {
  if (event.target.closest?.("#flow a.step-card")) event.preventDefault();
});
document.addEventListener("contextmenu", (event) => {
  if (drag && event.target.closest?.("#flow a.step-card")) event.preventDefault();
});
document.addEventListener(
  "click",
  (event) => {
    if (!wasDragged) return;
    wasDragged = false;
    event.preventDefault();
    event.stopPropagation();
  },
  true,
);
