// The page of one message, live: the message and those around it follow each change, replies that come stand below it, and
// its form posts as the board's does. On a site of several boards, several.js starts this.

import { Composer } from "./composer.js";
import { changeArticle, makeArticle } from "./message.js";
import { isOldestFirst, keptOrder, turnAround } from "./order.js";
import { drawer as store } from "./outbox.js";
import { ask, Backoff, boardsTime, Failure, Tabs } from "./poller.js";
import { addSheet, load, Sign } from "./shared.js";
import { t } from "./words.js";

/**
 * @typedef {import("./message.js").Message} Message
 * @typedef {import("./message.js").Deleted} Deleted
 * @typedef {import("./board.js").Reply} Reply
 */

const LIMIT_MS = 30_000;
const MOST = 50; // replies that are shown below; all are on the board
const MOST_ASKED = 100; // messages in one request
const PAUSE_MS = 1000; // until tools that could not be had are asked for again, as in main.js
const TOUCHES = ["pointermove", "focusin", "click"];

const part = (/** @type {string | number} */ id) =>
  /** @type {HTMLElement | null} */ (document.getElementById(`${id}`));
const list = /** @type {HTMLElement} */ (part("messages"));
const { cursor = "", wait = "25", of, me, as = "" } = list.dataset;
const home = () => list.dataset.home ?? "/"; // it changes with the board's address
const form = /** @type {HTMLFormElement | null} */ (part("composer")); // not everybody may write
const replies = /** @type {HTMLElement} */ (part("replies"));
const sign = new Sign(/** @type {HTMLElement} */ (part("sign")));
const openedAt = boardsTime();
const backoff = new Backoff();
const made = Number(cursor.split("-")[1]); // the last change before this page; a message's id is the number of its first
/** @type {Set<string>} What was sent from here: another tab may post it, and this one hears of it by a poll. */
const waiting = new Set();
const said = wordsOf(part(`m${of}`)); // its first words are in the title, too
let newest = 0; // of the messages that a poll has brought
let isStopped = false;
let isPausing = false;
/** @type {ReturnType<typeof setTimeout> | undefined} Until the messages on the page are asked for again. */
let asking;

turnAround(store.get(keptOrder));
placeReplies();
form?.addEventListener("submit", () => waiting.add(form.querySelector("textarea")?.value.trim() ?? ""));
const tabs = new Tabs(cursor, Number(wait), { show, lost: () => sign.lost(), back, stopped, home: home() });
const composer =
  form && new Composer(form, /** @type {HTMLElement} */ (part("outbox")), sent, (words) => tabs.stop(words), nothing);
if (as) tabs.tell({ signedIn: true });
for (const name of TOUCHES) list.addEventListener(name, touched);
offerOwn();

/** New replies, and those that wait, come below the form, or above it where the oldest message is first. */
function placeReplies() {
  const outbox = /** @type {HTMLElement} */ (part("outbox"));
  if (isOldestFirst()) (form ?? outbox).before(replies, outbox);
  else (part("posted") ?? replies).after(outbox, replies);
}

/** @param {Reply} reply */
function show(reply) {
  if (reply.reset) return void readAgain();
  composer?.arrived(reply.messages);
  take(reply);
  notify(reply.messages.filter((one) => !one.deleted));
}

/** @param {Reply} reply */
function take(reply) {
  for (const message of reply.messages) {
    const isNew = !message.deleted && String(message.reply_to) === of && message.id > made;
    if (message.deleted) remove(message.id);
    else if (isNew || part(`m${message.id}`)) put(message);
  }
  if (list.querySelector(".quote")) {
    Promise.all([import("./board.js"), import("./quotes.js")]).then(([{ Board }]) => Board.heard?.(reply), nothing);
  }
}

/**
 * What has changed is not known: asks what the messages on the page are by now, and those that they quote. If nobody answers,
 * they are asked for again.
 */
async function readAgain() {
  clearTimeout(asking);
  const shown = [...document.querySelectorAll("article[id]")].map((one) => one.id.slice(1));
  const quoted = [...list.querySelectorAll("article[data-reply-to]")].map((one) => one.getAttribute("data-reply-to"));
  const ids = [...new Set([...shown, ...quoted])].slice(0, MOST_ASKED);
  if (!ids.length || isStopped) return;
  try {
    const { messages } = await ask(`${list.dataset.history ?? "/api/v1/messages"}?ids=${ids}`, isNamed, LIMIT_MS);
    backoff.reset();
    const gone = ids.map(Number).filter((id) => !messages.some((one) => one.id === id)); // taken away with all by its author
    const all = [...messages, ...gone.map((id) => ({ id, deleted: /** @type {const} */ (true) }))];
    if (!isStopped) take({ messages: all, cursor: "", reset: true });
  } catch (error) {
    const { status, pause, isOurs } = error instanceof Failure ? error : new Failure(String(error));
    if (isOurs && status < 500 && !pause) return; // asked again, it would say the same
    clearTimeout(asking);
    asking = setTimeout(readAgain, pause + backoff.next());
  }
}

/**
 * As in quotes.js.
 * @param {import("./poller.js").Json} reply
 * @returns {reply is {messages: (Message | Deleted)[]}}
 */
function isNamed(reply) {
  return Array.isArray(reply.messages) && !("cursor" in reply);
}

/** @param {Message} message */
function put(message) {
  const before = part(`m${message.id}`);
  const article = makeArticle({ ...message, reply_to: undefined }); // the line of a quote stays as it is
  if (before) changeArticle(before, article);
  else if (replies.childElementCount < MOST) replies[isOldestFirst() ? "append" : "prepend"](article);
  if (String(message.id) === of) {
    if (wordsOf(part(`m${of}`)) !== said) forget();
    changeForms(message);
  } else if (!before && waiting.has(message.body) && isMine(message)) tell(message);
}

/** @param {HTMLElement | null} article */
function wordsOf(article) {
  return article?.querySelector(".body")?.textContent;
}

/** @param {Message} message */
function isMine({ author, guest_name = "" }) {
  return me ? String(author?.id) === me : !author && guest_name === store.get("guest_name");
}

/**
 * The forms for this message go on from what it is now, unless their words were changed here.
 * @param {Message} message
 */
async function changeForms(message) {
  const [box, began] = ["textarea", "[name=began_from]"].map((one) => part("edit")?.querySelector(one));
  if (box instanceof HTMLTextAreaElement && began instanceof HTMLInputElement && box.value === box.defaultValue) {
    box.value = box.defaultValue = message.body;
    began.value = message.edited_at ?? message.created_at;
  }
  const row = part("reactions");
  if (!row) return;
  const found = await import("./reactions.js").catch(nothing);
  found?.show(message); // at the message itself; the row has the same counts
  for (const button of row.querySelectorAll("button")) {
    const emoji = button.textContent?.split(" ")[0] ?? "";
    const article = part(`m${of}`);
    const [count, own] = [
      article?.querySelectorAll(".reactions span"),
      article?.querySelectorAll(".toggles button"),
    ].map((all) => [...(all ?? [])].find((one) => one.textContent?.split(" ")[0] === emoji));
    button.textContent = count?.textContent ?? emoji;
    button.setAttribute("aria-label", count?.getAttribute("aria-label") ?? found?.NAMES?.[emoji] ?? emoji);
    if (!own) continue;
    button.name = own.getAttribute("aria-pressed") === "true" ? "remove" : "add";
    button.setAttribute("aria-pressed", String(button.name === "remove"));
  }
}

/** @param {number} id */
function remove(id) {
  const article = part(`m${id}`);
  article?.nextElementSibling?.classList.remove("next"); // it may have gone on what is deleted
  if (String(id) === of) end(article);
  else article?.remove();
}

/**
 * The message is deleted. What was written to it may be posted without it.
 * @param {HTMLElement | null} article
 */
function end(article) {
  const note = document.createElement("p");
  [note.className, note.textContent, note.tabIndex] = ["note", t("This message was deleted."), -1];
  note.setAttribute("role", "status");
  const hadFocus =
    document.activeElement !== document.body && document.activeElement !== form?.querySelector("textarea");
  article?.replaceWith(note);
  const change = /** @type {HTMLFormElement | null} */ (part("edit"));
  const box = change?.querySelector("textarea");
  if (box && box.value === box.defaultValue) change?.remove();
  else if (box) box.defaultValue = box.value; // these words are its author's still, and can be posted as a new message
  for (const one of document.querySelectorAll(".tools > :not(#edit, #composer, #outbox, #replies, #posted)"))
    one.remove();
  forget();
  if (form?.querySelector("textarea")?.value) standAlone(form);
  else form?.remove();
  if (hadFocus && document.activeElement === document.body) note.focus({ preventScroll: true });
}

/** @param {HTMLFormElement} form Its words are a draft of the board from now on, and say so. */
function standAlone(form) {
  if (composer?.release) composer.release();
  else delete form.dataset.replyTo; // a composer of the last release
  const [label, button] = ["label", "button"].map((kind) => /** @type {HTMLElement} */ (form.querySelector(kind)));
  [label.textContent, button.textContent] = [t("Your message"), t("Post")];
  form.querySelector("textarea")?.setAttribute("placeholder", t("Write something…"));
  const note = document.createElement("p");
  [note.className, note.textContent] = ["replying", t("Your words will be a new message, not a reply.")];
  form.prepend(note);
}

/** The title has the first words that the message had when this page was made. */
function forget() {
  document.title = document.querySelector(".brand span")?.textContent ?? "";
  for (const one of document.querySelectorAll("meta[name=description], meta[property]")) one.remove();
}

/**
 * @param {Message} message Also one that was written on another page, and waited.
 * @param {import("./outbox.js").Pending} [pending] That of the last release tells none.
 */
function sent(message, pending) {
  tabs.wake();
  const text = pending?.text.trim() ?? message.body;
  const isReply = String(message.reply_to) === of;
  if (isReply) put(message);
  if (isReply || waiting.has(text)) tell(message);
  waiting.delete(text);
}

/**
 * Says that a message was posted, and where it is.
 * @param {Message} message
 */
function tell(message) {
  waiting.delete(message.body);
  const [link, board] = ["a", "a"].map((kind) => document.createElement(kind));
  [link.textContent, board.textContent] = [t("See your message"), t("Go to the board")];
  link.setAttribute("href", `/m/${message.id}`);
  board.setAttribute("href", home());
  part("posted")?.replaceChildren(t("Posted."), " ", link, " · ", board);
}

/**
 * While nobody looks. On a site of several boards, several.js does so for the other tabs.
 * @param {Message[]} messages
 */
function notify(messages) {
  const news = messages.filter((one) => one.id > newest && Date.parse(one.created_at) > openedAt);
  newest = Math.max(newest, ...messages.map((one) => one.id));
  if (!news.length || !document.hidden || !tabs.isPolling || !store.get("notify")) return;
  import("./notify.js")
    .then(({ Notifications }) => new Notifications(document.createElement("button")).show(news[news.length - 1], news))
    .catch(nothing);
}

// --- the connection

function back() {
  sign.back();
  composer?.wake();
}

/**
 * The reader may no longer read this.
 * @param {string} words
 */
function stopped(words) {
  isStopped = true;
  composer?.close();
  // The form stays, with its words; of what others wrote, nothing does.
  const box = part("edit")?.querySelector("textarea");
  const kept = `.tools, #composer, #outbox, .elsewhere${box && box.value !== box.defaultValue ? ", #edit" : ""}`;
  const parts = document.querySelectorAll("#messages > *, .tools > *, main > :is(.ways-on, .older, .note)");
  for (const one of parts) if (!one.matches(kept)) one.remove();
  forget();
  sign.stopped(words, `/signin?next=/m/${of}`);
}

// --- the tools at a message

/** @param {Event} event */
async function touched(event) {
  const { type, target } = event;
  const dots =
    type === "click" &&
    matchMedia("(hover: none)").matches &&
    target instanceof Element &&
    target.closest(".permalink");
  if (type === "click" ? !dots : isPausing) return;
  if (dots) event.preventDefault();
  isPausing = true; // if the server is away, it is not asked at each move
  setTimeout(() => (isPausing = false), PAUSE_MS);
  const tools = await loadTools();
  if (!tools) return dots && location.assign(/** @type {HTMLAnchorElement} */ (dots).href);
  for (const name of TOUCHES) list.removeEventListener(name, touched); // from now on, tools.js listens
  tools.begin({ show: take }, event);
}

/**
 * Loads the tools and their styles. If the server is away, nothing happens, and the next use tries again.
 * @returns {Promise<typeof import("./tools.js") | undefined>}
 */
async function loadTools() {
  const [tools] = await Promise.all([load("tools"), addSheet("later")]);
  return /** @type {typeof import("./tools.js") | undefined} */ (tools);
}

/** A guest's own message can be changed here for some minutes, in the browser that wrote it. */
function offerOwn() {
  const [, until] = store.get(`own/${of}`).split(" "); // as outbox.js has put it
  const left = Date.parse(until) - boardsTime();
  if (me || !(left > 0)) return;
  const note = document.createElement("p");
  note.className = "note";
  note.append(t("Yours?"), " ");
  const isOpen = list.dataset.archived === undefined; // else nothing is changed, as tools.js knows, too
  for (const [name, label] of [...(isOpen ? [["edit", t("Edit")]] : []), ["delete", t("Delete")]]) {
    const button = document.createElement("button");
    [button.type, button.className, button.textContent] = ["button", "small", label];
    button.addEventListener("click", async () => {
      const [tools, article] = [await loadTools(), part(`m${of}`)];
      if (article) tools?.use({ show: take }, name, article, button);
    });
    note.append(button, " ");
  }
  document.querySelector(".tools")?.prepend(note);
  setTimeout(() => note.remove(), left);
}

function nothing() {}
