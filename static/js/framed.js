// The board's page in a frame on another site: the messages live, and a guest's form. It has no account, no notifications and
// no moderation: who clicks here may see something else than this page.

import { Board } from "./board.js";
import { Composer } from "./composer.js";
import { isOldestFirst, toNewest } from "./order.js";
import { button, drawer as store } from "./outbox.js";
import { ask, boardsTime, Failure, Tabs } from "./poller.js";
import { addSheet, load, Sign } from "./shared.js";
import { n, t } from "./words.js";

const OVERDUE_MS = 2000; // as in main.js
/** @param {string} id */
const part = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

// No poll, post or change that this page asks for has a cookie, also where the browser would send one. All of them go through
// ask(), which looks fetch up at each call; a test reads the scripts for another way.
const { fetch } = window;
window.fetch = (url, options) => fetch(url, { ...options, credentials: "omit" });

const list = part("messages");
const { cursor = "", wait = "25", watching = "0", from = "" } = list.dataset;
let unread = 0;
const sign = new Sign(part("sign"));
const board = new Board(list, part("older"), part("newest"), { news, seen: () => count(0) });
const form = /** @type {HTMLFormElement | null} */ (part("composer"));
// Other pages of the site have other boards, and accounts: what their tabs hear is not for this one.
const own = `longboard/embed${location.pathname}`;
const page = { show, lost: () => sign.lost(), back, stopped, ask: askAsGuest, lock: own, channel: own };
const tabs = new Tabs(cursor, Number(wait), page);
const composer = form && new Composer(form, part("outbox"), sent, (words) => tabs.stop(words), toNewest);

sayWatching(Number(watching));
offerOwn();
part("news").addEventListener("click", () => {
  board.release();
  toNewest();
});
if (isOldestFirst()) {
  // Until it is at its end, order.css hides the page, for a second at most.
  const opening = /** @type {Promise<typeof import("./opening.js") | undefined>} */ (load("opening"));
  opening
    .then((script) => script?.open(false))
    .finally(() => {
      /** @type {HTMLElement} */ (list.parentElement).style.cssText = "animation:none"; // as main.js does
      board.wake();
    });
}

/**
 * A board that is closed to guests while the page is open is gone, as one that never was.
 * @type {typeof ask}
 */
async function askAsGuest(...request) {
  try {
    return await ask(...request);
  } catch (error) {
    if (!(error instanceof Failure && error.isOurs && error.status === 404)) throw error;
    throw new Failure(t("This board is not open to everyone."), 401, 0, true);
  }
}

/** @param {import("./board.js").Reply} reply */
function show(reply) {
  if (reply.watching !== undefined) sayWatching(reply.watching);
  composer?.arrived(reply.messages);
  board.show(reply);
  offerOwn();
}

/** @param {number} number */
function sayWatching(number) {
  part("watching").textContent = number > 1 ? n("%(n)s watching", "%(n)s watching", number) : "";
}

/**
 * @param {import("./message.js").Message[]} messages
 * @param {boolean} isReadOut
 */
function news(messages, isReadOut) {
  count(unread + messages.length);
  if (!isReadOut) part("spoken").textContent = n("%(n)s new message", "%(n)s new messages", messages.length);
}

/** @param {number} number */
function count(number) {
  unread = number;
  part("news").textContent = n("%(n)s new", "%(n)s new", number);
  part("news").hidden = !number;
}

function back() {
  sign.back();
  board.wake();
  composer?.wake();
}

/** @param {import("./message.js").Message} message */
function sent(message) {
  board.put(message);
  offerOwn();
  tabs.wake();
  setTimeout(() => board.hasHeardOf(message.id) || tabs.pollNow(), OVERDUE_MS);
}

/** @param {string} words */
function stopped(words) {
  composer?.close();
  board.clear();
  for (const one of document.querySelectorAll(".empty")) one.remove();
  sign.stopped(words);
}

/** A guest's own messages can be changed for some minutes, where this browser keeps by what: see outbox.js. */
function offerOwn() {
  for (const name of store.names("own/")) {
    const article = part(`m${name.slice(4)}`);
    const left = Date.parse(store.get(name).split(" ")[1]) - boardsTime();
    if (!article || !(left > 0) || article.querySelector(".state")) continue;
    const state = article.appendChild(document.createElement("p"));
    state.className = "state";
    const acts = list.dataset.archived === undefined ? [["edit", t("Edit")]] : [];
    for (const [act, label] of [...acts, ["delete", t("Delete")]]) {
      const pressed = async () => {
        const [tools] = await Promise.all([load("tools"), addSheet("later")]);
        /** @type {typeof import("./tools.js") | undefined} */ (tools)?.use(board, act, article, one);
      };
      const one = state.appendChild(button(label, pressed));
    }
    setTimeout(() => state.remove(), left);
  }
}

// --- the page around the frame

/** @type {string | undefined} The origin of the page that has greeted, if it may show this one. */
let host;
addEventListener("message", ({ source, origin, data }) => {
  if (source !== parent || parent === window || !from.split(" ").includes(origin)) return;
  if (data?.longboard !== "hello") return;
  host = origin;
  tell();
});
new ResizeObserver(tell).observe(document.documentElement);

function tell() {
  const { height } = document.documentElement.getBoundingClientRect();
  if (host) parent.postMessage({ longboard: { height, title: document.title } }, host);
}
