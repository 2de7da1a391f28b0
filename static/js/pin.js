// The board's pinned message: a line at its top, which opens to show it whole. It follows each change of that message. A
// page whose board has none does not load this.

import { changeArticle, makeArticle } from "./message.js";
import { addSheet } from "./shared.js";
import { t } from "./words.js";

/**
 * @typedef {import("./message.js").Message} Message
 * @typedef {import("./board.js").Reply} Reply
 */

const LONGEST = 120; // characters of the line: it is cut where it does not fit
const MOST_READ = 1000; // characters of a message in which these are looked for
const ABOUT_TO_CLICK_MS = 1000; // since the pointer was last moved over the messages, as in board.js
const FADE_MS = 1000;

/** @type {typeof import("./markup.js") | undefined} Without it, as on a server of the last release, a body is plain. */
const markup = await import("./markup.js").catch(() => undefined);
const list = /** @type {HTMLElement} */ (document.getElementById("messages"));
let pointedAt = list.matches(":hover") ? performance.now() : -Infinity;
/** @type {Message | null | undefined} What the line will show when nothing is about to be clicked. */
let coming;

addSheet("pin");
for (const name of ["pointermove", "pointerdown"]) {
  list.addEventListener(name, () => (pointedAt = performance.now()), { passive: true });
}

/**
 * Takes what a reply says of the pinned message: a reset names it, and each message that has changed says whether it is
 * the one.
 * @param {Reply} reply
 */
export function heard({ messages, reset, pinned }) {
  if (reset) coming = pinned ?? null;
  const id = coming === undefined ? Number(shown()?.dataset.id) : coming?.id;
  if (messages.some((message) => message.id === id)) coming = null;
  for (const message of messages) if (!message.deleted && message.pinned) coming = message;
  bring();
}

function shown() {
  return document.getElementById("pinned");
}

/** Shows it, but moves nothing away that the reader is about to click: a line that comes or goes waits, as news do. */
function bring() {
  if (coming === undefined || document.querySelector("#sign[data-kind=stopped]")) return; // the reader may read no more
  const pause = ABOUT_TO_CLICK_MS - (performance.now() - pointedAt);
  if (pause > 0 && !coming !== !shown()) return void setTimeout(bring, pause);
  const message = coming;
  coming = undefined;
  show(message);
}

/** @param {Message | null} message */
function show(message) {
  const before = shown();
  const hadFocus = before?.contains(document.activeElement);
  if (!message) {
    before?.remove();
    if (hadFocus) focusNext();
    return;
  }
  const line = make(message);
  if (before?.dataset.id !== line.dataset.id) say();
  if (!before) return document.querySelector("main > h1, main > .board-head")?.after(line);
  change(before, line);
  if (hadFocus && !before.contains(document.activeElement)) before.querySelector("summary")?.focus(); // a link is gone
}

/** What had the focus is gone. Where it was, what comes next gets it. */
function focusNext() {
  const next = /** @type {HTMLElement | null} */ (document.querySelector("#composer textarea, #messages .permalink"));
  next?.focus({ preventScroll: true });
}

/**
 * What is open stays open, and what has the focus has it. Another message fades in.
 * @param {HTMLElement} before
 * @param {HTMLElement} line
 */
function change(before, line) {
  const [summary, link] = ["summary", "p a"].map((part) => [before, line].map((one) => one.querySelector(part)));
  summary[0]?.replaceChildren(...(summary[1]?.childNodes ?? []));
  link[0]?.setAttribute("href", link[1]?.getAttribute("href") ?? "");
  changeArticle(before, line);
  if (before.dataset.id !== line.dataset.id) before.animate?.({ opacity: [0, 1] }, FADE_MS);
  before.dataset.id = line.dataset.id;
}

function say() {
  const spoken = document.getElementById("spoken");
  if (spoken) spoken.textContent = t("A message was pinned.");
}

/**
 * Makes the same line as templates/pin.html.
 * @param {Message} message
 */
function make({ id, author, guest_name, created_at, body }) {
  const line = document.createElement("details");
  const [summary, whole, rest] = ["summary", "div", "p"].map((kind) => document.createElement(kind));
  const [label, words] = ["b", "span"].map((kind) => document.createElement(kind));
  [line.className, line.id, line.dataset.id, label.textContent] = ["pinned", "pinned", String(id), t("Pinned")];
  [words.dir, words.lang, words.textContent] = ["auto", "", beginning(body)];
  summary.append(label, " ");
  // The same names as at the message.
  const article = makeArticle({ id: 0, body: "", author, guest_name, created_at, edited_at: null });
  for (const name of article.querySelectorAll("header bdi")) {
    name.removeAttribute("class");
    summary.append(name, " ");
  }
  summary.append(words);
  [whole.className, whole.dir, whole.lang] = ["body", "auto", ""];
  whole.append(...(markup ? markup.nodes(body) : [body]));
  const link = rest.appendChild(document.createElement("a"));
  [link.href, link.textContent] = [`/m/${id}`, t("Go to the message")];
  line.append(summary, whole, rest);
  return line;
}

/** @param {string} body */
function beginning(body) {
  const start = [...body].slice(0, MOST_READ).join("");
  const plain = markup ? markup.plain(markup.pieces(start)) : start;
  const signs = [...plain.trim().split(/\s+/).join(" ")];
  const cut = signs.slice(0, LONGEST - 1).join("");
  return signs.length <= LONGEST ? signs.join("") : `${cut.trim()}…`;
}
