import { announce } from "./live.js";

// Choosing rows of a list: the whole page, all that match, how many. Without this the boxes and the form still work.

function watchList(form) {
  const page = document.querySelector("[data-select-page]");
  const every = form.querySelector("[data-select-all]");
  const count = form.querySelector("[data-bulk-count]");
  const rows = () => [...document.querySelectorAll("[data-select-row]")];

  function show() {
    const boxes = rows();
    const chosen = boxes.filter((box) => box.checked).length;
    const isAll = Boolean(every?.checked);
    page.checked = boxes.length > 0 && chosen === boxes.length;
    page.indeterminate = chosen > 0 && chosen < boxes.length;
    count.hidden = chosen === 0 || isAll;
    form.querySelector("[data-bulk-number]").textContent = String(chosen);
    form.classList.toggle("is-live", chosen > 0 || isAll);
    form.classList.toggle("is-idle", chosen === 0 && !isAll);
    form.hidden = chosen === 0 && !isAll && !every;
  }

  page.hidden = false;
  page.addEventListener("change", () => {
    rows().forEach((box) => {
      box.checked = page.checked;
    });
    show();
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-select-row], [data-select-all]")) show();
  });
  // The browser restores ticked boxes when one comes back to the page.
  window.addEventListener("pageshow", show);
  show();
}

const bulk = document.querySelector("[data-bulk]");
if (bulk) watchList(bulk);

// Columns change places in the open menu, without a request; "Show these" sends them in their order.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-columns] button[name]");
  const row = button?.closest("[data-column]");
  if (!row) return;
  event.preventDefault();
  const isMovable = (each) => each?.matches("[data-column]");
  const other = button.name === "up" ? row.previousElementSibling : row.nextElementSibling;
  if (isMovable(other)) other[button.name === "up" ? "before" : "after"](row);
  button.focus();
  const all = [...row.parentElement.querySelectorAll("[data-column]")];
  const facts = { column: row.dataset.column, place: all.indexOf(row) + 2, total: all.length + 1 };
  announce(row.parentElement.dataset.said.replace(/\{(\w+)\}/g, (_all, name) => facts[name]));
});

// Filters close like a menu: Escape, or a click beside them.
document.addEventListener("keydown", (event) => {
  const open = event.key === "Escape" && document.querySelector(".list-filters[open]");
  if (!open) return;
  open.open = false;
  open.querySelector("summary").focus();
});
document.addEventListener("click", (event) => {
  const open = document.querySelector(".list-filters[open]");
  if (open && !open.contains(event.target)) open.open = false;
});
