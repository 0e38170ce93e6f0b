// The whole flow at a glance: the server knows nothing of the window, so the step that fits is tried out here.
import { by } from "./cards.js";

const STEPS = [100, 80, 60];

function fitting() {
  const flow = by("flow");
  const { className } = flow;
  const shows = (step) => {
    flow.className = `flow zoom-${step}`;
    const pane = by("flow-pane");
    return flow.getBoundingClientRect().bottom + window.scrollY <= window.innerHeight && pane.scrollWidth <= pane.clientWidth;
  };
  const step = STEPS.find(shows) ?? STEPS.at(-1);
  flow.className = className;
  return step;
}

document.addEventListener("htmx:config:request", (event) => {
  const { ctx } = event.detail;
  if (ctx.sourceElement?.id === "zoom-fit") ctx.request.action = ctx.request.action.replace("zoom=fit", `zoom=${fitting()}`);
});
