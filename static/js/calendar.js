// The month beside a date field: the server draws it, in the reader's week, digits and calendars; here it is opened and walked through.
const { htmx } = window;
const DAY_MS = 86400000;
const isRtl = () => document.documentElement.dir === "rtl";
const fieldOf = (panel) => document.getElementById(panel.dataset.calendar);
const iso = (day) => day.toISOString().slice(0, 10);

async function load(panel, { month = "", focus = "" }) {
  const asked = new URLSearchParams({ month, focus, chosen: fieldOf(panel).value });
  await htmx.ajax("GET", `${panel.dataset.calendarUrl}?${asked}`, { target: panel, swap: "innerHTML" });
  panel.querySelector("[data-day][tabindex='0']")?.focus();
}

function choose(panel, day) {
  const field = fieldOf(panel);
  field.value = day;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.dispatchEvent(new Event("change", { bubbles: true }));
  panel.hidePopover();
  field.focus();
}

// Left and right go where they point; up and down by weeks; Page Up and Down by months, or years with Shift.
function reached(event, from) {
  const day = new Date(`${from}T00:00:00Z`);
  const onward = isRtl() ? -1 : 1;
  const steps = { ArrowLeft: -onward, ArrowRight: onward, ArrowUp: -7, ArrowDown: 7 }[event.key];
  if (steps) return iso(new Date(day.getTime() + steps * DAY_MS));
  const months = { PageUp: -1, PageDown: 1 }[event.key] * (event.shiftKey ? 12 : 1);
  if (!months) return null;
  const last = new Date(Date.UTC(day.getUTCFullYear(), day.getUTCMonth() + months + 1, 0)).getUTCDate();
  return iso(new Date(Date.UTC(day.getUTCFullYear(), day.getUTCMonth() + months, Math.min(day.getUTCDate(), last))));
}

function walk(panel, to) {
  const month = to.slice(0, 7);
  if (panel.querySelector("[data-calendar-month]").dataset.calendarMonth !== month) {
    load(panel, { month, focus: to });
    return;
  }
  panel.querySelector("[data-day][tabindex='0']")?.setAttribute("tabindex", "-1");
  const day = panel.querySelector(`[data-day="${to}"]`);
  day.tabIndex = 0;
  day.focus();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-calendar] button");
  const panel = button?.closest("[data-calendar]");
  if (!panel) return;
  if (button.dataset.day) choose(panel, button.dataset.day);
  else if (button.dataset.month) load(panel, { month: button.dataset.month });
});

document.addEventListener("keydown", (event) => {
  const day = event.target.closest?.("[data-calendar] [data-day]");
  const to = day && reached(event, day.dataset.day);
  if (!to) return;
  event.preventDefault();
  walk(day.closest("[data-calendar]"), to);
});

// `toggle` does not bubble.
document.addEventListener(
  "toggle",
  (event) => {
    if (event.newState === "open" && event.target.matches("[data-calendar]")) load(event.target, {});
  },
  true,
);

function offer(root) {
  root.querySelectorAll("[data-calendar-button]").forEach((button) => {
    button.hidden = false;
  });
}

offer(document);
document.addEventListener("htmx:after:swap", () => offer(document));
