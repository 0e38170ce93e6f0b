// Fragments: announcements, focus, CSRF, the loading thread; and run pages that follow a stream of hints.

const { htmx } = window;
const COALESCE_MS = 120;
const POLL_MS = 3000;
const RETRY_STREAM_MS = 10000;

export function announce(text) {
  const region = document.getElementById("live");
  if (!region || !text) return;
  region.textContent = "";
  // A change in the next frame is spoken even when the words are the same as before.
  requestAnimationFrame(() => {
    region.textContent = text;
  });
}

// After a swap: say the one announcement, move the focus to the one marked element.
function settle(root) {
  const marked = root.querySelectorAll("[data-announce]");
  marked.forEach((each) => each.remove());
  if (marked.length > 0) announce(marked[marked.length - 1].textContent.trim());
  const wanted = root.querySelector("[data-autofocus]");
  if (!wanted) return;
  wanted.removeAttribute("data-autofocus");
  if (wanted.matches("h1, h2, h3, div, section, li") && !wanted.hasAttribute("tabindex")) wanted.tabIndex = -1;
  wanted.focus();
}

document.addEventListener("htmx:config:request", (event) => {
  const token = document.querySelector("meta[name='csrf-token']");
  const { request } = event.detail.ctx;
  if (token && request.method !== "GET") request.headers["X-CSRFToken"] = token.content;
});

let focused = null;
document.addEventListener("htmx:before:swap", () => {
  focused = document.activeElement;
});

document.addEventListener("htmx:after:swap", (event) => {
  settle(document.body);
  // The pressed button is gone, and nobody else has taken the focus: the reader goes on at the title, not at the top of the page.
  setTimeout(() => {
    if (focused && !focused.isConnected && document.activeElement === document.body) {
      document.querySelector("main h1")?.focus({ preventScroll: true });
    }
  });
  // A page in place of a page: without a marked element the reader begins at its title.
  const isWhole = event.detail.ctx.target === document.body && event.detail.ctx.swap !== "none";
  if (isWhole && document.activeElement === document.body) document.querySelector("main h1")?.focus();
});

// A whole page (an error, usually) in answer to a request for a part: keep the part, say what happened.
document.addEventListener("htmx:after:request", (event) => {
  const { ctx } = event.detail;
  if (isPageOwn(ctx) && takesWriting(ctx)) event.preventDefault();
  if (ctx.target === document.body || !/^\s*<!doctype/i.test(ctx.text)) return;
  event.preventDefault();
  if (isPageOwn(ctx)) return;
  const title = ctx.text.match(/<title>([^<]*?)( · [^<]*)?<\/title>/)?.[1];
  showToast(decode(title) || document.body.dataset.broken);
});

// Requests of the page itself (following a run) stay silent: the connection sign speaks for them.
function isPageOwn(ctx) {
  return ctx?.sourceElement === document.body;
}

// What others did does not take away what somebody is writing, or has written: the part stays until it is sent.
function takesWriting(ctx) {
  return [...ctx.target.querySelectorAll("textarea, input:not([type=hidden])")].some(
    (field) => (field.value !== field.defaultValue || field.closest("[data-written]")) && !ctx.text.includes(`id="${field.id}"`),
  );
}

function decode(text = "") {
  return text.replace(/&#(\d+);/g, (_all, code) => String.fromCodePoint(code)).replace(/&amp;/g, "&");
}

export function showToast(text) {
  const toast = document.getElementById("toast-template").content.firstElementChild.cloneNode(true);
  toast.querySelector("p").textContent = text;
  document.getElementById("toasts").append(toast);
}

let pending = 0;
document.addEventListener("htmx:before:request", (event) => {
  if (isPageOwn(event.detail.ctx)) return;
  pending += 1;
  document.body.classList.add("is-loading");
});
document.addEventListener("htmx:finally:request", (event) => {
  if (isPageOwn(event.detail.ctx)) return;
  pending = Math.max(0, pending - 1);
  if (pending === 0) document.body.classList.remove("is-loading");
});

// A run page. The stream only says that something changed; the page then fetches its own block again and morphs it.
class Follower {
  constructor(block) {
    this.id = block.id;
    this.url = block.dataset.stream;
    this.isFetching = false;
    this.isStale = false;
    this.listen();
  }

  get block() {
    return document.getElementById(this.id);
  }

  get isFinal() {
    const { block } = this;
    return !block || block.hasAttribute("data-final") || Boolean(block.querySelector("[data-final]"));
  }

  listen() {
    if (this.stopIfFinal()) return;
    this.source = new EventSource(this.url);
    this.source.addEventListener("open", () => {
      this.show("live");
      clearInterval(this.poll);
      this.poll = null;
    });
    this.source.addEventListener("changed", () => this.refreshSoon());
    // The browser's own reconnecting hides for how long it is cut; polling keeps the page true meanwhile.
    this.source.addEventListener("error", () => this.pollInstead());
  }

  pollInstead() {
    this.source?.close();
    this.source = null;
    if (this.stopIfFinal() || this.poll) return;
    this.show("polling");
    this.poll = setInterval(() => this.refresh(), POLL_MS);
    this.refresh();
    this.retry = setTimeout(() => {
      clearInterval(this.poll);
      this.poll = null;
      this.listen();
    }, RETRY_STREAM_MS);
  }

  refreshSoon() {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.refresh();
    }, COALESCE_MS);
  }

  async refresh() {
    if (this.isFetching) {
      this.isStale = true;
      return;
    }
    this.isFetching = true;
    try {
      await htmx.ajax("GET", window.location.href, { target: `#${this.id}`, swap: "outerMorph" });
    } finally {
      this.isFetching = false;
    }
    if (this.stopIfFinal() || !this.isStale) return;
    this.isStale = false;
    this.refreshSoon();
  }

  stopIfFinal() {
    if (!this.isFinal) return false;
    this.stop();
    this.show("done");
    return true;
  }

  stop() {
    this.source?.close();
    clearInterval(this.poll);
    clearTimeout(this.retry);
    clearTimeout(this.timer);
    this.source = null;
    this.poll = null;
  }

  show(state) {
    const sign = document.querySelector("[data-connection]");
    if (!sign || sign.dataset.state === state) return;
    sign.dataset.state = state;
    sign.textContent = sign.dataset[state];
  }
}

let follower = null;

function follow() {
  const block = document.querySelector("[data-stream]");
  if (block) follower = new Follower(block);
}

// An open stream would keep the page out of the back/forward cache.
window.addEventListener("pagehide", () => follower?.stop());
window.addEventListener("pageshow", (event) => {
  if (event.persisted && follower) {
    follower.refresh();
    follower.listen();
  }
});

document.addEventListener("session:ended", () => follower?.stop());

settle(document.body);
follow();
