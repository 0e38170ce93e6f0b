// Lanes that are folded away stay so in this browser; what is looked for inside them opens them.
import { by, cards, here, rove } from "./cards.js";

const key = () => `folded:${by("designer").dataset.url.split("/")[2]}`;

function folded() {
  try {
    return new Set(JSON.parse(localStorage.getItem(key())) ?? []);
  } catch {
    return new Set();
  }
}

function restore() {
  if (!by("designer")) return;
  const closed = folded();
  for (const each of document.querySelectorAll("#flow .branch")) each.open = !closed.has(each.id);
  const { selected } = by("designer").dataset;
  const chosen = selected && by(`step-${selected}`);
  if (chosen) unfold(chosen);
  rove();
}

export function unfold(element) {
  for (let each = element.closest(".branch"); each; each = each.parentElement.closest(".branch")) each.open = true;
}

// Left to the order of the events: the state is written where a person folds, and not where a page is put together.
document.addEventListener("click", (event) => {
  const branch = event.target.closest("#flow .branch > summary")?.parentElement;
  if (!branch) return;
  const closed = folded();
  if (branch.open) closed.add(branch.id);
  else closed.delete(branch.id);
  localStorage.setItem(key(), JSON.stringify([...closed]));
  requestAnimationFrame(() => {
    if (!cards().includes(here())) rove();
  });
});
document.addEventListener("htmx:after:swap", restore);
restore();
