// What replies are to: a line above the words of each, with the author and the first words of its message. These are taken
// from the page or asked for, and follow each change of that message. A page without replies does not load this.

import { Board } from "./board.js";
import { makeArticle } from "./message.js";
import { ask, Backoff, Failure } from "./poller.js";
import { addSheet } from "./shared.js";
import { t } from "./words.js";

/**
 * @typedef {import("./message.js").Message} Message
 * @typedef {import("./message.js").Deleted} Deleted
 * @typedef {{names: Element[], body: string} | null} Quoted `names` are the elements with the author's name and what stands
 *   beside it. Nothing if that message was deleted.
 */

const MOST = 100; // messages in one request
const LONGEST = 120; // characters of the line: it is cut where it does not fit
const LIMIT_MS = 30_000;
const MOST_READ = 1000; // characters of a message in which these are looked for

const list = /** @type {HTMLElement} */ (document.getElementById("messages"));
const waiting = document.getElementById("outbox"); // where nobody can write, there is none
const backoff = new Backoff();
let isAsking = false;
let mayAskAt = 0;
/** How often the page has begun again: what was asked for before may be out of date. */
let begun = 0;
/** @type {Map<number, Quoted>} What changed while a request is on its way. Its answer may be from before that. */
const changed = new Map();

/** Without its markers, once it is known what these are. A server of the last release doesn't know that. */
let words = (/** @type {string} */ body) => body;
const start = () => {
  fill();
  const observer = new MutationObserver(fill);
  for (const one of [list, waiting]) if (one) observer.observe(one, { childList: true });
};

addSheet("quotes");
import("./markup.js").then(({ pieces, plain }) => (words = (body) => plain(pieces(body)))).then(start, start);
list.addEventListener("click", go);
Board.heard = ({ messages, reset }) => {
  if (reset) {
    begun++;
    for (const line of waiting?.querySelectorAll(".quote") ?? []) line.remove();
    fill();
  }
  for (const message of messages) {
    if (isAsking) changed.set(message.id, quotedOf(message));
    if (repliesTo(message.id).length) quote(message.id, quotedOf(message));
  }
};

/**
 * Leads to a message that is on this page without leaving it.
 * @param {MouseEvent} event
 */
function go(event) {
  const link = event.target instanceof Element ? event.target.closest(".quote a") : null;
  const id = link && /\/m\/(\d+)$/.exec(link.getAttribute("href") ?? "")?.[1];
  if (!id || !document.getElementById(`m${id}`) || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  if (location.hash === `#m${id}`) history.replaceState(history.state, "", location.pathname + location.search);
  location.hash = `m${id}`;
}

/**
 * Writes the lines that are missing. A reply that has left the outbox since hands over its line.
 * @param {MutationRecord[]} records
 */
function fill(records = []) {
  const left = records.flatMap(({ target, removedNodes }) => (target === waiting ? [...removedNodes] : []));
  for (const article of missing()) {
    const id = idOf(article);
    const quoted = onPage(id);
    const line = [...left, ...repliesTo(id)].flatMap((one) => lineIn(one, id))[0];
    if (quoted) write(article, makeLine(id, quoted));
    else if (line) write(article, line.cloneNode(true));
  }
  askForRest();
}

/**
 * @param {Element} article
 * @param {Node} line
 */
function write(article, line) {
  article.querySelector(".quote")?.remove();
  article.querySelector(".body")?.before(line);
}

/**
 * @param {Node} reply
 * @param {number} id
 * @returns {Element[]} Its line, if it replies to this message and has one.
 */
function lineIn(reply, id) {
  if (!(reply instanceof HTMLElement) || idOf(reply) !== id) return [];
  return [...reply.querySelectorAll(".quote:not(.place)")];
}

/** @returns {HTMLElement[]} The replies without a line, or with only the place for it: see handlers/messages/quotes.py. */
function missing() {
  return replies("").filter((article) => !article.querySelector(".quote:not(.place)"));
}

/** @param {HTMLElement} article */
function idOf({ dataset }) {
  return Number(dataset.replyTo);
}

/**
 * @param {number} id
 * @returns {Quoted} What this page says of the message.
 */
function onPage(id) {
  const article = document.getElementById(`m${id}`);
  const body = article?.querySelector(".body");
  // What has markup is asked for, so that the line is the same everywhere.
  if (!article || !body || body.firstElementChild) return null;
  return { names: namesAt(article), body: body.textContent ?? "" };
}

/**
 * @param {Message | Deleted} message
 * @returns {Quoted}
 */
function quotedOf(message) {
  if (message.deleted) return null;
  const { author, guest_name, created_at, body } = message;
  return { names: namesAt(makeArticle({ id: 0, body: "", author, guest_name, created_at, edited_at: null })), body };
}

/**
 * @param {Element} article
 * @returns {Element[]} Copies of the names in its header, for other places.
 */
function namesAt(article) {
  const names = [...article.querySelectorAll("header bdi")].map((one) => /** @type {Element} */ (one.cloneNode(true)));
  names[0]?.removeAttribute("class"); // a page of the last release may have none
  return names;
}

/**
 * Writes the lines of all replies to a message.
 * @param {number} id
 * @param {Quoted} quoted
 */
function quote(id, quoted) {
  for (const article of repliesTo(id)) write(article, makeLine(id, quoted));
}

/** @param {number} id */
function repliesTo(id) {
  return replies(`="${id}"`);
}

/**
 * @param {string} which What the attribute is.
 * @returns {HTMLElement[]} Those of the list and those that wait to be sent.
 */
function replies(which) {
  return [...document.querySelectorAll(`:is(#messages, #outbox) article[data-reply-to${which}]`)].map(
    (one) => /** @type {HTMLElement} */ (one),
  );
}

/**
 * Makes the same line as templates/quote.html.
 * @param {number} id
 * @param {Quoted} quoted
 */
function makeLine(id, quoted) {
  const line = document.createElement("p");
  line.className = "quote";
  if (!quoted) {
    line.textContent = t("In reply to a deleted message");
    return line;
  }
  const link = line.appendChild(document.createElement("a"));
  const [label, words] = ["span", "span"].map((kind) => document.createElement(kind));
  link.href = `/m/${id}`;
  [label.className, label.textContent] = ["unseen", t("In reply to") + " "];
  [words.dir, words.lang, words.textContent] = ["auto", "", beginning(quoted.body)];
  link.append(label);
  for (const name of quoted.names) link.append(name.cloneNode(true), " ");
  link.append(words);
  return line;
}

/** @param {string} body */
function beginning(body) {
  const start = [...body].slice(0, MOST_READ).join("");
  const signs = [...words(start).trim().split(/\s+/).join(" ")];
  if (signs.length <= LONGEST) return signs.join("");
  const shown = signs.slice(0, LONGEST - 1).join("");
  return `${shown.trim()}…`;
}

/** Asks for messages that are not on this page, many at once. */
async function askForRest() {
  const ids = [...new Set(missing().map(idOf))].slice(0, MOST);
  if (isAsking || !ids.length || performance.now() < mayAskAt) return;
  const began = begun;
  isAsking = true;
  try {
    const url = `${list.dataset.history ?? "/api/v1/messages"}?ids=${ids}`;
    const { messages } = await ask(url, isNamed, LIMIT_MS);
    backoff.reset();
    const found = new Map(messages.map((message) => [message.id, quotedOf(message)]));
    for (const id of begun === began ? ids : []) quote(id, (changed.has(id) ? changed : found).get(id) ?? null);
  } catch (error) {
    const pause = (error instanceof Failure ? error.pause : 0) + backoff.next();
    mayAskAt = performance.now() + pause;
    setTimeout(fill, pause + 1);
  }
  isAsking = false;
  changed.clear();
  askForRest();
}

/**
 * A server of the last release doesn't know this request, and gives the newest messages, with a cursor.
 * @param {import("./poller.js").Json} reply
 * @returns {reply is {messages: (Message | Deleted)[]}}
 */
function isNamed(reply) {
  return Array.isArray(reply.messages) && !("cursor" in reply);
}
