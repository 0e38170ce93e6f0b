// The picker of kinds, at the "+" that was pressed. Where a place is wanted for steps, the same "+" gives it.
import { by } from "./cards.js";
import { fold } from "./find.js";
import { isPlacing, place } from "./choose.js";

export function pick(slot) {
  const picker = by("kind-picker");
  const [parent, lane, after] = slot.dataset.place.split("|");
  for (const form of picker.querySelectorAll("form")) {
    Object.entries({ parent, lane, after }).forEach(([name, value]) => {
      form.elements[name].value = value;
    });
  }
  picker.querySelector(".paste-here").hidden = by("designer").dataset.copied === "0";
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

document.addEventListener("input", (event) => {
  if (event.target.matches("[data-kind-search]")) filterKinds(by("kind-picker"), event.target.value);
});

document.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  const slot = event.target.closest(".slot-add");
  if (!slot) return;
  event.preventDefault();
  if (isPlacing()) place(slot);
  else pick(slot);
});
