// The designer's hands, each in a file of its own. Every one of them is also a link or a form: the page works without all of it.
import "./flow/bidi.js";
import "./flow/save.js";
import "./flow/values.js";
import "./flow/complete.js";
import "./flow/choose.js";
import "./flow/clipboard.js";
import "./flow/pick.js";
import "./flow/find.js";
import "./flow/zoom.js";
import "./flow/branches.js";
import "./flow/drag.js";
import "./flow/keys.js";
import { rove, show } from "./flow/cards.js";

if (document.getElementById("designer")) {
  rove();
  show();
}
