// Small conveniences of the shell: toasts, copying, the look, dialogs, demo accounts.
import { announce } from "./live.js";

const TOAST_MS = 12000;
const BUSY_MS = 5000;
const THEME_S = 31536000;

// Toasts wait while they are pointed at, hold the focus, or the page is in the background.
function watchToast(toast) {
  let left = TOAST_MS;
  const tick = setInterval(() => {
    if (!toast.isConnected) clearInterval(tick);
    if (document.hidden || toast.matches(":hover, :focus-within")) return;
    left -= 500;
    if (left <= 0) toast.remove();
  }, 500);
}

const toasts = document.getElementById("toasts");
if (toasts) {
  const words = [...toasts.querySelectorAll("[data-toast]")].map((toast) => toast.querySelector("p").textContent);
  if (words.length > 0) setTimeout(() => announce(words.join(" ")), 400);
  toasts.querySelectorAll("[data-toast]").forEach(watchToast);
  new MutationObserver((changes) => {
    for (const node of changes.flatMap((change) => [...change.addedNodes])) {
      if (node instanceof Element && node.matches("[data-toast]")) {
        watchToast(node);
        announce(node.querySelector("p").textContent);
      }
    }
  }).observe(toasts, { childList: true });
}

async function copy(button) {
  await navigator.clipboard.writeText(button.dataset.copy);
  const icon = button.querySelector("use");
  const before = icon.getAttribute("href");
  icon.setAttribute("href", before.replace(/#.*$/, "#check"));
  announce(button.dataset.copied);
  setTimeout(() => icon.setAttribute("href", before), 2000);
}

// A secret is shown only as long as it is typed: leaving the page or sending the form hides it again.
function reveal(button) {
  const field = document.getElementById(button.dataset.reveal);
  const isShown = field.type === "text";
  field.type = isShown ? "password" : "text";
  button.setAttribute("aria-pressed", String(!isShown));
}

function fillCode(button) {
  const field = document.getElementById("f-code");
  field.value = button.dataset.fillCode;
  field.form.querySelector("button[type='submit']").focus();
}

function fillDemo(button) {
  const { form } = document.getElementById("f-email");
  form.elements.email.value = button.dataset.fillEmail;
  form.elements.password.value = button.dataset.fillPassword;
  form.querySelector("button[type='submit']").focus();
}

// The look is kept in a cookie, not in local storage: the server writes it into the page, so nothing flashes.
function chosenTheme() {
  return document.cookie.match(/(?:^|; )theme=(light|dark)/)?.[1] ?? "system";
}

function chooseTheme(value) {
  const secure = window.location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `theme=${value}; Path=/; Max-Age=${value === "system" ? 0 : THEME_S}; SameSite=Lax${secure}`;
  if (value === "system") document.documentElement.removeAttribute("data-theme");
  else document.documentElement.dataset.theme = value;
  markTheme();
}

function markTheme() {
  const chosen = chosenTheme();
  document.querySelectorAll("[data-theme-choice]").forEach((button) => {
    button.setAttribute("aria-pressed", String(button.dataset.themeChoice === chosen));
  });
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.hasAttribute("data-copy")) copy(button);
  else if (button.hasAttribute("data-toast-close")) button.closest("[data-toast]").remove();
  else if (button.hasAttribute("data-theme-choice")) chooseTheme(button.dataset.themeChoice);
  else if (button.hasAttribute("data-reveal")) reveal(button);
  else if (button.hasAttribute("data-fill-email")) fillDemo(button);
  else if (button.hasAttribute("data-fill-code")) fillCode(button);
  else if (!("command" in button) && button.hasAttribute("commandfor")) actOnDialog(button);
});

// Browsers that do not know `command` yet.
function actOnDialog(button) {
  const dialog = document.getElementById(button.getAttribute("commandfor"));
  if (button.getAttribute("command") === "close") dialog?.close();
  else dialog?.showModal();
}

// The same button twice must not send the same form twice.
document.addEventListener("submit", (event) => {
  if (event.defaultPrevented || event.target.method === "dialog") return;
  if (event.submitter?.getAttribute("aria-busy") === "true") event.preventDefault();
  event.submitter?.setAttribute("aria-busy", "true");
  setTimeout(() => event.submitter?.removeAttribute("aria-busy"), BUSY_MS);
});
window.addEventListener("pageshow", () => {
  document.querySelectorAll("[aria-busy='true']").forEach((each) => each.removeAttribute("aria-busy"));
});

document.querySelectorAll("[data-theme-switch], [data-reveal]").forEach((each) => {
  each.hidden = false;
});
markTheme();
