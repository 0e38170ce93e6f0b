// What fields do beyond typing: numbers beside the lines of code, what a folded choice holds, and the bar that says that a long form is not saved yet.
import { isChanged } from "./drafts.js";

function number(editor) {
  const [lines, field] = editor.children;
  const count = field.value.split("\n").length;
  lines.textContent = Array.from({ length: count }, (_each, at) => at + 1).join("\n");
  lines.hidden = false;
  lines.scrollTop = field.scrollTop;
}

function watch(form) {
  const bar = form?.querySelector("[data-save-bar]");
  if (!bar) return;
  const is = [...form.elements].some((each) => each.name && each.type !== "hidden" && isChanged(each));
  bar.classList.toggle("is-due", is);
  bar.querySelector(".save-state").hidden = !is;
}

// The line of a folded choice names what is chosen; without this it tells so with the next page.
function say(choice) {
  const line = choice.querySelector(".multiselect-said");
  const chosen = [...choice.querySelectorAll(":checked")].map((each) => each.labels[0].firstElementChild.cloneNode(true));
  line.replaceChildren(...(chosen.length ? chosen.flatMap((each, at) => (at ? [line.dataset.comma, each] : [each])) : [line.dataset.none]));
}

document.addEventListener("input", (event) => {
  const editor = event.target.closest("[data-code-editor]");
  if (editor) number(editor);
  watch(event.target.form);
});
document.addEventListener("change", (event) => {
  const choice = event.target.closest("[data-multiselect]");
  if (choice) say(choice);
  watch(event.target.form);
});
document.addEventListener(
  "scroll",
  (event) => {
    const editor = event.target.closest?.("[data-code-editor]");
    if (editor) number(editor);
  },
  true,
);

function begin() {
  document.querySelectorAll("[data-code-editor]").forEach(number);
  document.querySelectorAll("[data-multiselect]").forEach(say);
  document.querySelectorAll("[data-save-bar]").forEach((each) => watch(each.closest("form")));
}

begin();
document.addEventListener("htmx:after:swap", begin);
// The browser brings back what was typed when one returns to the page.
window.addEventListener("pageshow", begin);
