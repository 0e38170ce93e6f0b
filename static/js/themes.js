// The theme editor: the browser's own picker beside each field of a colour. Without a script the field alone does it.
const pickers = () => document.querySelectorAll("[data-color-of]");

function show() {
  for (const picker of pickers()) picker.hidden = false;
}

document.addEventListener("input", (event) => {
  const picker = event.target.closest("[data-color-of]");
  if (picker) document.getElementById(picker.dataset.colorOf).value = picker.value;
  else if (/^#[\da-f]{6}$/i.test(event.target.value)) {
    const beside = document.querySelector(`[data-color-of="${CSS.escape(event.target.id)}"]`);
    if (beside) beside.value = event.target.value;
  }
});
document.addEventListener("htmx:after:swap", show);
show();
