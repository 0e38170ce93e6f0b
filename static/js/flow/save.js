// Saving as you go: each change of a field is one edit, kept in order by the queue of #designer.
import { announce, by } from "./cards.js";

document.addEventListener("change", (event) => {
  const form = event.target.closest("[data-step-form]");
  if (form && event.target.name && !form.hasAttribute("data-no-autosave")) form.dispatchEvent(new Event("autosave"));
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

// Across a swap: what was unfolded stays so, an unsaved form gives way to another answer.
let unfolded = [];
document.addEventListener("htmx:before:swap", (event) => {
  const { ctx } = event.detail;
  if (ctx.target !== by("designer")) return;
  const isReorder = ctx.sourceEvent?.submitter?.name === "do";
  const open = [...document.querySelectorAll("details[open][id]:not(.branch)")].map((each) => each.id);
  unfolded = open.filter((id) => !(isReorder && id.startsWith("input-")));
  if (!ctx.sourceElement?.matches?.("[data-step-form]")) document.querySelectorAll("[data-step-form]").forEach((form) => form.reset());
});
document.addEventListener("htmx:after:swap", () => {
  for (const id of unfolded) {
    const details = by(id);
    if (details) details.open = true;
  }
});
