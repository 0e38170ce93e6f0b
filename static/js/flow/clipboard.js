// Copying and pasting steps: the server keeps what was copied; the clipboard of the device gets it as a text where it may.
import { act, by, here, isTyping } from "./cards.js";
import { about, change } from "./choose.js";

const isOurs = (target) => target === document.body || Boolean(target.closest?.("#flow"));
const cardOf = (target) => target.closest?.("a.step-card") ?? here();

export async function copy(element) {
  await change(about(element), "copy");
  element.focus();
}

export async function paste(slot, text = "") {
  const [parent, lane, after] = slot.dataset.place.split("|");
  await act("paste", { parent, lane, after, text });
}

document.addEventListener("copy", (event) => {
  if (!by("designer") || !isOurs(event.target) || isTyping(event.target) || !window.getSelection().isCollapsed) return;
  const element = cardOf(event.target);
  if (!element) return;
  event.preventDefault();
  copy(element);
});

document.addEventListener("paste", (event) => {
  if (!by("designer") || !isOurs(event.target) || isTyping(event.target)) return;
  const slot = event.target.closest?.(".slot-add") ?? cardOf(event.target)?.closest("li").querySelector(":scope > .slot > .slot-add");
  if (!slot) return;
  event.preventDefault();
  const text = event.clipboardData.getData("text/plain").trim();
  const isKept = by("designer").dataset.copied !== "0";
  paste(slot, text.startsWith("{") || !isKept ? text || "-" : "");
});

document.addEventListener("htmx:after:swap", () => {
  const clip = by("clip");
  if (!clip || clip.dataset.taken) return;
  clip.dataset.taken = "yes";
  navigator.clipboard?.writeText(clip.value).catch(() => {});
});

