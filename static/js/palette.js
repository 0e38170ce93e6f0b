// The palette: Ctrl or ⌘ and K. The server finds and ranks; this is the keyboard of a combobox with its listbox. And `?`.
import { announce } from "./live.js";

const RECENT = "recent";
const LONGEST = 8;
const palette = document.getElementById("palette");
const field = document.getElementById("palette-text");
const list = document.getElementById("palette-list");
const shortcuts = document.getElementById("shortcuts");
const isTyping = (element) => element.matches("input:not([type='checkbox'], [type='radio']), textarea, select, [contenteditable]");
const keysAreOff = () => /(?:^|; )keys=off/.test(document.cookie);
const options = () => [...list.querySelectorAll("[role='option']")];

function recent() {
  try {
    return JSON.parse(localStorage.getItem(RECENT)) ?? [];
  } catch {
    return [];
  }
}

// Only addresses are kept; what they are called, and whether they may still be seen, the server says.
function remember() {
  const address = window.location.pathname.match(/^\/(workflows|runs|tables)\/[\da-f-]{36}/)?.[0];
  if (!address) return;
  localStorage.setItem(RECENT, JSON.stringify([address, ...recent().filter((each) => each !== address)].slice(0, LONGEST)));
}

function open() {
  if (palette.open) return;
  document.querySelectorAll("dialog[open]").forEach((each) => each.close());
  document.querySelectorAll(":popover-open").forEach((each) => each.hidePopover());
  field.value = "";
  field.form.elements.recent.value = recent().join(",");
  palette.showModal();
  field.focus();
  field.form.dispatchEvent(new Event("ask"));
}

function choose(option) {
  for (const each of options()) each.setAttribute("aria-selected", String(each === option));
  if (!option) {
    field.removeAttribute("aria-activedescendant");
    return;
  }
  field.setAttribute("aria-activedescendant", option.id);
  option.scrollIntoView({ block: "nearest" });
}

function move(by) {
  const all = options();
  const at = all.findIndex((each) => each.ariaSelected === "true");
  choose(all[(at + by + all.length) % all.length]);
}

// What a control of the page does is left to that control: it keeps the place, the form, the state.
function press(event) {
  const option = event.target.closest("[data-presses]");
  const control = option && document.querySelector(option.dataset.presses);
  if (!control) return;
  event.preventDefault();
  palette.close();
  announce(option.textContent.trim());
  control.click();
}

function openShortcuts() {
  document.querySelectorAll("dialog[open]").forEach((each) => each.close());
  shortcuts.showModal();
}

if (palette) {
  remember();
  document.addEventListener("keydown", (event) => {
    const isK = event.key.toLowerCase() === "k" || event.code === "KeyK";
    if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && isK) {
      event.preventDefault();
      open();
    } else if ((event.key === "?" || event.key === "؟") && !keysAreOff() && !isTyping(event.target) && !document.querySelector("dialog[open]")) {
      event.preventDefault();
      openShortcuts();
    }
  });
  document.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (event.target.closest("[data-palette-open='palette']")) {
      event.preventDefault();
      open();
    } else if (event.target.closest("[data-shortcuts-open]")) {
      event.preventDefault();
      openShortcuts();
    }
  });
  field.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "ArrowDown") move(1);
    else if (event.key === "ArrowUp") move(-1);
    else if (event.key === "Enter" && list.querySelector("[aria-selected='true']")) list.querySelector("[aria-selected='true']").click();
    else return;
    event.preventDefault();
  });
  list.addEventListener("click", press);
  list.addEventListener("mousemove", (event) => {
    const option = event.target.closest("[role='option']");
    if (option && option.ariaSelected !== "true") choose(option);
  });
  document.addEventListener("htmx:after:swap", () => {
    if (palette.open && !list.querySelector("[aria-selected='true']")) choose(options()[0]);
  });
  document.getElementById("palette-post").addEventListener("submit", (event) => {
    event.target.elements.next.value = window.location.pathname + window.location.search;
  });
  shortcuts.addEventListener("change", (event) => {
    if (event.target.matches("[data-single-keys]")) document.cookie = `keys=${event.target.checked ? "on" : "off"}; Path=/; Max-Age=31536000; SameSite=Lax`;
  });
  if (/Mac|iPhone|iPad/.test(navigator.platform)) document.querySelectorAll("[data-mac]").forEach((each) => (each.textContent = each.dataset.mac));
}
