// The page of a run: arrows between its steps, into the inspector and back, and what was unfolded stays so while it goes on.
const by = (id) => document.getElementById(id);
const steps = () => [...document.querySelectorAll("#flow a.step-card")];

function beside(card, sign) {
  const from = card.getBoundingClientRect();
  let best = null;
  let least = Infinity;
  for (const each of steps()) {
    const to = each.getBoundingClientRect();
    const away = sign > 0 ? to.left - from.right : from.left - to.right;
    const cost = away + 2 * Math.abs(to.top - from.top);
    if (away > -8 && each !== card && cost < least) [best, least] = [each, cost];
  }
  return best;
}

function next(card, key) {
  const all = card.matches(".gantt-row") ? [...document.querySelectorAll(".gantt-row")] : steps();
  const at = all.indexOf(card);
  if (key === "ArrowDown") return all[at + 1];
  if (key === "ArrowUp") return all[at - 1];
  if (key === "Home") return all[0];
  if (key === "End") return all.at(-1);
  if (card.matches(".gantt-row")) return null;
  return key === "ArrowLeft" ? beside(card, -1) : key === "ArrowRight" ? beside(card, 1) : null;
}

// Enter on a card or a bar goes on into the inspector; a click leaves the focus where it is.
let goesIn = false;
let closes = false;
let cameFrom = "";

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const card = event.target.closest("a.step-card, .gantt-row");
  if (card) {
    if (event.key === "Enter") goesIn = true;
    const wanted = next(card, event.key);
    if (!wanted) return;
    event.preventDefault();
    wanted.focus();
  } else if (event.key === "Escape" && event.target.closest("#inspector")) {
    (by(cameFrom) ?? by(`step-${by("run-live").dataset.selected}`))?.focus();
  }
});

document.addEventListener("click", (event) => {
  const card = event.target.closest("a.step-card, .gantt-row");
  if (card) cameFrom = card.id;
  closes = Boolean(event.target.closest("#close-inspector"));
});

// What somebody folded or unfolded is theirs: the answers of the server know nothing of it.
const folds = new Map();
document.addEventListener("toggle", (event) => {
  if (event.target.id && event.target.closest("#run-live")) folds.set(event.target.id, event.target.open);
}, true);

// An answer to an earlier address must not put another step into the inspector than the address names now.
const stepOf = (address) => new URL(address, window.location.href).search;
document.addEventListener("htmx:before:swap", (event) => {
  const { ctx } = event.detail;
  if (ctx.sourceElement === document.body && ctx.request?.action && stepOf(ctx.request.action) !== window.location.search) event.preventDefault();
});

document.addEventListener("htmx:after:swap", (event) => {
  for (const [id, open] of folds) {
    const fold = by(id);
    if (fold && fold.open !== open) fold.open = open;
  }
  if (event.detail.ctx.sourceElement?.matches?.("a.step-card, .gantt-row")) {
    if (goesIn) by("inspector-title")?.focus();
    goesIn = false;
  }
  if (closes && !by("inspector")) {
    by(cameFrom)?.focus();
    closes = false;
  }
  show();
});

// The step that is opened stays in sight, on a phone above the sheet that its details are.
let shown = "";
function show() {
  const selected = by("run-live")?.dataset.selected ?? "";
  if (selected && selected !== shown && !cameFrom.startsWith("bar-")) by(`step-${selected}`)?.scrollIntoView({ block: "nearest" });
  shown = selected;
}

show();
