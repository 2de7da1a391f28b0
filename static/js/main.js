// The board's page: finds its parts and wires them together. And the quiet signs on it: that the connection is lost, that
// something is new, that the reader must sign in again.

import { Board } from "./board.js";
import { Composer } from "./composer.js";
import { isOldestFirst, keptOrder, toNewest, turnTo } from "./order.js";
import { button, drawer as store } from "./outbox.js";
import { Tabs } from "./poller.js";
import { addSheet, load, Sign } from "./shared.js";
import { n, t } from "./words.js";

/**
 * @typedef {import("./message.js").Message} Message
 * @typedef {{keys: typeof import("./keys.js"), notify: typeof import("./notify.js"), place: typeof import("./place.js"),
 *   since: typeof import("./since.js"), opening: typeof import("./opening.js"), tools: typeof import("./tools.js"), complete: typeof import("./complete.js")}} Lazy
 */

const OVERDUE_MS = 2000;
const LATE_MS = 1000; // for what a page waits for before it is shown: as in order.css
const KEPT_EVERY_MS = 400; // Safari allows 100 calls of replaceState in 30 s
// Until a screen reader is told how many messages are new, and until tools that could not be had are asked for again:
const PAUSE_MS = 1000;
// After these, the tools at a message are needed:
const TOUCHES = ["pointermove", "focusin", "click"];

/** @type {Promise<unknown> | undefined} */
let styled;
/** @type {Promise<typeof import("./pin.js")> | undefined} */
let pin;
// The timer since the tools were asked for:
let asking = 0;

/** How many messages came since the reader last saw the newest: in the title, the icon, and on the button that leads there. */
class Unread {
  #title = document.title;
  #icon = /** @type {HTMLLinkElement} */ (document.querySelector("link[rel=icon]"));
  #quiet = this.#icon.href;
  #button;
  #spoken;
  #count = 0;
  #isFar = false;
  #unspoken = 0;

  /**
   * @param {HTMLElement} button
   * @param {HTMLElement} spoken For screen readers.
   */
  constructor(button, spoken) {
    this.#button = button;
    this.#spoken = spoken;
  }

  /** @param {number} count */
  add(count) {
    this.#count += count;
    this.#write();
  }

  /** @param {boolean} isFar Whether the newest is more than a window away: the button leads there, also without news. */
  far(isFar) {
    this.#isFar = isFar;
    this.#write();
  }

  seen() {
    if (!this.#count) return;
    this.#count = 0;
    this.#write();
  }

  /**
   * Says once how many came, because reading out each would take a minute.
   * @param {number} count
   */
  speak(count) {
    if (!this.#unspoken) setTimeout(() => this.#speak(), PAUSE_MS);
    this.#unspoken += count;
  }

  #speak() {
    this.#spoken.textContent = n("%(n)s new message", "%(n)s new messages", this.#unspoken);
    this.#unspoken = 0;
  }

  #write() {
    const count = this.#count;
    document.title = count ? `(${count}) ${this.#title}` : this.#title;
    // The same bubble with a dot on it.
    const dot = encodeURIComponent('<circle cx="25" cy="7" r="7" fill="#d2452d"/></svg>');
    this.#icon.href = count ? this.#quiet.replace(/%3C\/svg%3E\s*$/i, dot) : this.#quiet;
    this.#button.textContent = count ? n("%(n)s new", "%(n)s new", count) : t("Jump to newest");
    this.#button.hidden = !count && !this.#isFar;
    this.#button.classList.toggle("calm", !count);
  }
}

/** @param {string} id */
const part = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

const list = part("messages");
const { cursor = "", wait = "25", watching = "0", slug, as = "" } = list.dataset;
// Each reader may turn the order of a board, for this browser. A page is turned here, before anything of it is used.
const main = /** @type {HTMLElement} */ (list.parentElement);
const boardsOrder = isOldestFirst() ? "oldest" : "newest";
const knowsOrder = "heard" in Board; // that of the last release puts new messages at the top
const isTurned = turnTo(knowsOrder ? store.get(keptOrder) : "newest");
const kept = `last-read/${as}`; // where there are several boards, reading.js does this by read marks
const last = Number(store.get(kept));
if (!slug && last && newest() > last) lazy("since", ({ draw }) => draw(last));
const sign = new Sign(part("sign"));
const unread = new Unread(part("news"), part("spoken"));
const board = new Board(list, part("older"), part("newest"), { news, seen });
const form = /** @type {HTMLFormElement | null} */ (document.getElementById("composer")); // not everybody has it: see form.html
const tabs = new Tabs(cursor, Number(wait), { show, lost: () => sign.lost(), back, stopped });
form?.addEventListener("submit", () => {
  const place = board.place(null); // before the composer leads to where the message is shown
  if (place) lazy("place", ({ offerBack }) => offerBack?.(board, place)); // one of the last release has none
});
const composer = form && new Composer(form, part("outbox"), sent, (words) => tabs.stop(words), toNewest);
if (form?.querySelector("input[name=as]:not([value=''])")) tabs.tell({ signedIn: true });

const replies = `${form?.dataset.board ?? ""}draft/${as}/to/`;
if (form && store.names(replies).length) {
  import("./strays.js")
    .then(({ join }) => join(form, list.dataset.history ?? "/api/v1/messages", replies))
    .catch(() => {}); // the next page tries again
}

sayWatching(Number(watching));

new IntersectionObserver((entries) => unread.far(!entries[entries.length - 1].isIntersecting), {
  rootMargin: "100%",
}).observe(part("newest"));
part("news").addEventListener("click", () => {
  board.release();
  toNewest();
  /** @type {HTMLElement | null} */ (list.querySelector(`#m${newest()} .permalink`))?.focus({ preventScroll: true });
});

// Scripts that not everyone uses are loaded when they are used, so that the first view stays small.
document.addEventListener("keydown", pressed);
if (list.dataset.me) document.addEventListener("input", wrote);
part("help").hidden = !matchMedia("(hover: hover)").matches; // devices without hover have no keys
part("help").addEventListener("click", () => lazy("keys", ({ help }) => help()));
for (const name of TOUCHES) list.addEventListener(name, touched);
/** @type {import("./notify.js").Notifications | null} */
let notifications = null;
const bell = part("notify");
bell.hidden = !("Notification" in window) || Notification.permission === "denied";
bell.addEventListener("click", () => notify((notifications) => notifications.turn()));
if (!bell.hidden && store.get("notify")) notify(() => {});
const turner = button(isOldestFirst() ? t("Newest first") : t("Oldest first"), () => {
  const other = isOldestFirst() ? "newest" : "oldest";
  store.put(keptOrder, other === boardsOrder ? "" : other); // who goes back to the board's order follows it again
  location.replace(location.pathname); // not a reload, which keeps the place
});
turner.className = "plain";
part("watching").before(turner); // at the other end than “Notify me”: what says that there is something new is in the middle
addEventListener("hashchange", goToPlace);
if (isTurned || isOldestFirst()) {
  main.style.visibility = "hidden";
  const late = new Promise((done) => setTimeout(done, LATE_MS));
  Promise.race([late, lazy("opening", ({ open }) => open(isTurned))]).finally(() => {
    Object.assign(main.style, { visibility: "", animation: "none" }); // see order.css
    board.wake();
    keepPlace();
  });
} else keepPlace();

/** @param {KeyboardEvent} event */
function pressed(event) {
  const isWriting = event.target instanceof Element && event.target.matches("input, textarea, select");
  if (isWriting && event.key !== "Escape") return; // it is not one of our keys
  lazy("keys", ({ press }) => {
    document.removeEventListener("keydown", pressed); // keys.js listens from now on
    press(event);
  });
}

/** @param {Event} event */
async function touched(event) {
  const { type, target } = event;
  let dots;
  if (type === "click") {
    dots = target instanceof Element && matchMedia("(hover: none)").matches && target.closest("a.permalink");
    if (dots) event.preventDefault();
  } else if (asking) return;
  // If the server is away, it is not asked at each move.
  asking = setTimeout(() => (asking = 0), PAUSE_MS);
  const isThere = await lazy("tools", ({ begin }) => {
    for (const name of TOUCHES) list.removeEventListener(name, touched);
    // From now on, tools.js listens.
    begin(board, event);
    return true;
  });
  if (dots && !isThere) location.assign(/** @type {HTMLAnchorElement} */ (dots).href);
}

/** @param {Event} event */
function wrote(event) {
  if (event instanceof InputEvent && event.data === "@") lazy("complete", ({ complete }) => complete(event.target));
}

/** @param {(notifications: import("./notify.js").Notifications) => void} use */
function notify(use) {
  lazy("notify", ({ Notifications }) => use((notifications ??= new Notifications(bell))));
}

/** Restores the place of reading on coming back or after a reload, because browsers do not keep it for such a page. */
function keepPlace() {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** @param {EventTarget | null} target */
  const keep = (target) => {
    clearTimeout(timer);
    timer = undefined;
    try {
      history.replaceState({ ...history.state, place: board.place(target) }, "");
    } catch {} // Safari: too many calls
  };
  // Keeps the place during scrolling, not at the end, because what is kept in pagehide is lost in a reload.
  const scrolled = () => (timer ??= setTimeout(() => keep(null), KEPT_EVERY_MS));
  addEventListener("click", ({ target }) => keep(target), { capture: true }); // keeps the message with the link
  goToPlace().then(() => {
    scrolled(); // the reader may have scrolled by hand before it ended
    addEventListener("scroll", scrolled, { passive: true });
  });
}

/** @param {Event} [event] If the address has changed, as by the way back from what a quote leads to. */
async function goToPlace(event) {
  const { state } = history;
  if (event && state && !state.place)
    toNewest(); // where one was; with the oldest first, no browser goes back there
  else if (state ? state.place : location.hash)
    await lazy("place", ({ restore }) => restore(board, state?.place ?? {}));
}

/**
 * Loads a script and uses it. If the server is away, nothing happens, and the next use tries again.
 * @template {keyof Lazy} Name
 * @param {Name} name
 * @param {(module: Lazy[Name]) => unknown} use
 */
async function lazy(name, use) {
  const module = /** @type {Lazy[Name] | undefined} */ (await load(name));
  if (!module) return;
  // The styles of what these scripts show:
  if (!["place", "since", "opening"].includes(name))
    await (styled ??= addSheet("later").then((isThere) => isThere || (styled = undefined)));
  return use(module);
}

/** @param {import("./board.js").Reply} reply */
function show(reply) {
  if (reply.watching !== undefined) sayWatching(reply.watching);
  composer?.arrived(reply.messages);
  board.show(reply);
  if (pin || reply.pinned || document.getElementById("pinned") || reply.messages.some((one) => "pinned" in one)) {
    pin ??= import("./pin.js");
    pin.then(({ heard }) => heard(reply)).catch(() => (pin = undefined));
  }
}

function newest() {
  const all = list.getElementsByTagName("article");
  return Number(all[isOldestFirst() ? all.length - 1 : 0]?.id.slice(1) ?? 0);
}

/** The newest message is in view. */
function seen() {
  unread.seen();
  if (!slug && newest()) store.put(kept, String(newest()));
}

/** @param {number} count */
function sayWatching(count) {
  part("watching").textContent = count > 1 ? n("%(n)s watching", "%(n)s watching", count) : "";
}

/**
 * @param {Message[]} messages
 * @param {boolean} isReadOut Whether a screen reader says them by itself.
 */
function news(messages, isReadOut) {
  unread.add(messages.length);
  if (!isReadOut) unread.speak(messages.length);
  if (document.hidden && tabs.isPolling) notifications?.show(messages[messages.length - 1], messages);
}

function back() {
  sign.back();
  board.wake();
  composer?.wake();
}

/** @param {Message} message */
function sent(message) {
  if (!slug) store.put(kept, String(message.id)); // as the server notes it where there are several boards
  board.put(message);
  tabs.wake();
  // If the poll in flight has not brought it by then, that poll must be dead.
  setTimeout(() => board.hasHeardOf(message.id) || tabs.pollNow(), OVERDUE_MS);
}

/**
 * The reader is no longer signed in, so nothing is sent as from a guest, and no messages stay on the page.
 * @param {string} words
 */
function stopped(words) {
  composer?.close();
  board.clear();
  for (const one of document.querySelectorAll(".empty, #pinned")) one.remove(); // the board isn't empty, only not shown
  sign.stopped(words);
}
