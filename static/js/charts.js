// Charts by keyboard and pointer: arrows walk the points as they lie on the screen, the line below says what each one is.
// Everything is in the page's tables without this.

const KEYS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };

// Plots run from left to right in both languages, so right is always the next point.
function wanted(key, at, count, columns) {
  if (key === "Home") return 0;
  if (key === "End") return count - 1;
  const [across, down] = KEYS[key] ?? [0, 0];
  if (across && columns > 1 && Math.floor((at + across) / columns) !== Math.floor(at / columns)) return at;
  return at + (columns === 1 ? 0 : across) + down * columns;
}

document.addEventListener("keydown", (event) => {
  const point = event.target.closest?.("[data-point]");
  if (!point || !(event.key in KEYS || event.key === "Home" || event.key === "End") || event.altKey || event.ctrlKey || event.metaKey) return;
  const chart = point.closest("[data-chart]");
  const points = [...chart.querySelectorAll("[data-point]")];
  const columns = Number(chart.querySelector("[data-columns]")?.dataset.columns ?? 0);
  const next = points[wanted(event.key, points.indexOf(point), points.length, columns)];
  event.preventDefault();
  if (!next) return;
  if (point.hasAttribute("tabindex")) point.setAttribute("tabindex", "-1");
  if (next.hasAttribute("tabindex")) next.setAttribute("tabindex", "0");
  next.focus();
});

function tell(event) {
  const point = event.target.closest?.("[data-point]");
  const line = event.target.closest?.("[data-chart]")?.querySelector("[data-readout]");
  if (!line) return;
  const shown = point ?? line.closest("[data-chart]").querySelector("[data-point]:focus");
  line.dataset.summary ??= line.textContent;
  line.textContent = shown ? shown.getAttribute("aria-label") : line.dataset.summary;
}

document.addEventListener("focusin", tell);
document.addEventListener("pointerover", tell);
for (const leaving of ["focusout", "pointerout"]) {
  document.addEventListener(leaving, (event) => {
    const line = event.target.closest?.("[data-chart]")?.querySelector("[data-readout]");
    if (line?.dataset.summary) line.textContent = line.dataset.summary;
  });
}

// A morph keeps the line and changes its text: what was remembered of the period before must not come back.
document.addEventListener("htmx:after:swap", () => {
  for (const line of document.querySelectorAll("[data-readout]")) delete line.dataset.summary;
});
