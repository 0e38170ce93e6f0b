// What every page runs: htmx with its guard, live pages, and the shell's small conveniences. Pages work without all of it.
import "htmx.org/dist/htmx.esm.js";
import "htmx.org/dist/ext/hx-csp.js";
import "./live.js";
import "./drafts.js";
import "./checks.js";
import "./calendar.js";
import "./forms.js";
import "./session.js";
import "./palette.js";
import "./shell.js";
import "./table.js";
