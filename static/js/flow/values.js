// Values for the fields of a step: put where the cursor stands, found in the picker, worked out with samples while one types.
import { isolate, placeIn } from "./bidi.js";
import { announce, by } from "./cards.js";

const { htmx } = window;

// The button must not take the focus away from where the value goes.
let lastField = null;
document.addEventListener("focusin", (event) => {
  if (event.target.matches("[data-takes]")) lastField = event.target;
});
document.addEventListener("mousedown", (event) => {
  if (event.target.closest("[data-insert]")) event.preventDefault();
});
document.addEventListener("click", (event) => {
  const go = event.target.closest("[data-go]");
  if (go) {
    const field = by(go.dataset.go);
    if (!field) return;
    const place = placeIn(field.value, +go.dataset.place, true);
    field.focus();
    field.setSelectionRange(place, place);
    return;
  }
  const button = event.target.closest("[data-insert]");
  if (!button) return;
  const form = button.closest("form");
  const field = form.contains(lastField) ? lastField : form.querySelector("[data-takes]");
  if (!field) return;
  const path = button.dataset.insert;
  const before = field.value.slice(0, field.selectionStart);
  const isInside = field.dataset.takes !== "template" || before.lastIndexOf("${") > before.lastIndexOf("}");
  const text = isInside ? path : `\${ ${path} }`;
  field.focus();
  field.setRangeText(text, field.selectionStart, field.selectionEnd, "end");
  announce(text);
  isolate(field);
  field.dispatchEvent(new Event("change", { bubbles: true }));
});

// One request when the typing rests; the answer is a line below the field.
let timer = 0;
document.addEventListener("input", (event) => {
  const field = event.target;
  const spot = field.matches("[data-takes]") && by(`pv-${field.id}`);
  if (!spot) return;
  clearTimeout(timer);
  timer = setTimeout(() => {
    if (!field.isConnected) return;
    const { url, selected } = by("designer").dataset;
    const values = { preview_id: field.id, preview_field: field.name, preview_text: field.value };
    htmx.ajax("POST", `${url}/steps/${selected}/preview`, { source: spot, target: spot, swap: "outerMorph", values });
  }, 500);
});

// Finding in the picker: what fits stays, unfolded; an emptied field shows all again.
const plain = (text) => text.toLowerCase().replace(/[\u064b-\u0652\u0640]/g, "").replace(/[أإآ]/g, "ا").replace(/ة/g, "ه").replace(/ى/g, "ي");
function find(search) {
  const picker = search.closest(".picker");
  const wanted = plain(search.value.trim());
  const fits = (item) => plain(item.dataset.words).includes(wanted);
  for (const item of [...picker.querySelectorAll(".pick")].reverse()) {
    item.hidden = !fits(item) && !item.querySelector(".pick:not([hidden])");
    const inside = item.querySelector("details");
    if (inside && wanted) inside.open = Boolean(item.querySelector(".pick:not([hidden])"));
  }
  for (const group of picker.querySelectorAll(".pick-group")) {
    group.hidden = !group.querySelector(".pick:not([hidden])");
    if (wanted && !group.hidden) group.open = true;
  }
  picker.querySelector("[data-pick-none]").hidden = Boolean(picker.querySelector(".pick-group:not([hidden])"));
}
document.addEventListener("input", (event) => {
  if (event.target.matches("[data-pick-search]")) find(event.target);
});
// An answer of the server brings all of them back.
document.addEventListener("htmx:after:swap", () => {
  const search = document.querySelector("[data-pick-search]");
  if (search?.value) find(search);
});
document.addEventListener("keydown", (event) => {
  const picker = event.target.closest?.(".picker");
  if (!picker) return;
  const isSearch = event.target.matches("[data-pick-search]");
  if (event.key === "Enter" && isSearch) event.preventDefault();
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const all = [...picker.querySelectorAll("[data-pick-search], .pick-group > summary, .pick-inside > summary, [data-insert]")].filter((each) => each.checkVisibility());
  event.preventDefault();
  all[all.indexOf(event.target) + (event.key === "ArrowDown" ? 1 : -1)]?.focus();
});
