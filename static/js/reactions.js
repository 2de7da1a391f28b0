// Reactions to messages: the counts below each as they change; for members, each is a button. And a row of eight, to add one.
// The counts come with the message, as all see them; which of them are one's own is asked for apart. Loaded where a message
// has reactions, or when a member wants to react.

import { Failure, ask } from "./poller.js";
import { addSheet } from "./shared.js";
import { n, t } from "./words.js";

/**
 * @typedef {import("./message.js").Message} Message
 * @typedef {import("./poller.js").Json} Json
 */

/** @type {{[emoji: string]: string}} As board/reactions.py has them. */
export const NAMES = {
  "👍": t("thumbs up"),
  "❤️": t("heart"),
  "😂": t("laugh"),
  "🎉": t("hooray"),
  "😮": t("surprise"),
  "😢": t("tear"),
  "🙏": t("thanks"),
  "👀": t("eyes"),
};
/** @type {{[emoji: string]: (count: number) => string}} */
const COUNTED = {
  "👍": (count) => n("%(n)s thumbs up", "%(n)s thumbs up", count),
  "❤️": (count) => n("%(n)s heart", "%(n)s hearts", count),
  "😂": (count) => n("%(n)s laugh", "%(n)s laughs", count),
  "🎉": (count) => n("%(n)s hooray", "%(n)s hoorays", count),
  "😮": (count) => n("%(n)s surprise", "%(n)s surprises", count),
  "😢": (count) => n("%(n)s tear", "%(n)s tears", count),
  "🙏": (count) => n("%(n)s thanks", "%(n)s thanks", count),
  "👀": (count) => n("%(n)s eyes", "%(n)s eyes", count),
};
const AT_ONCE = 100; // messages in one request
const LIMIT_MS = 30_000;
const FAILED = t("That didn't work. Please try again.");

const { as } = document.getElementById("messages")?.dataset ?? {};
const by = as ? `?as=${encodeURIComponent(as)}` : "";
const isMember = document.querySelector('nav [href="/account"]') !== null;
/** @type {Map<number, Set<string>>} One's own, of the messages that were asked for. */
const own = new Map();
/** @type {Set<number>} */
const wanted = new Set();
let asking = Promise.resolve();
/** @type {(() => void) | null} */
let closeOpen = null;

export const styled = addSheet("reactions");
drawAll();
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState !== "visible" || !isMember) return;
  for (const id of own.keys()) {
    if (document.getElementById(`m${id}`))
      want(id); // another tab or device may have changed it
    else own.delete(id);
  }
});

/**
 * Shows the reactions to a message, if it is on the page.
 * @param {Message} message
 */
export function show(message) {
  const article = document.getElementById(`m${message.id}`);
  if (!article) return;
  const list = article.querySelector(".reactions");
  if (!message.reactions) {
    keepFocus(article, () => {
      list?.remove();
      article.querySelector(".toggles")?.remove();
    });
    return;
  }
  const counts = list ?? article.appendChild(document.createElement("p"));
  counts.className = "reactions";
  const chips = Object.entries(message.reactions).flatMap(([emoji, count]) => [makeChip(emoji, count), " "]);
  counts.replaceChildren(...chips);
  draw(article);
}

/**
 * Opens the row of reactions in a message, for a member to add one or to take it back.
 * @param {HTMLElement} article
 * @param {HTMLElement} button What opened it, and gets the focus back.
 */
export function openPicker(article, button) {
  const wasOpen = article.querySelector(".picker");
  closeOpen?.();
  if (wasOpen) return;
  const row = document.createElement("div");
  row.className = "picker";
  const close = () => {
    const hadFocus = row.contains(document.activeElement);
    row.remove();
    button.setAttribute("aria-expanded", "false");
    document.removeEventListener("click", clicked);
    closeOpen = null;
    // The tools may have gone with the row.
    const opener = button.isConnected ? button : article.querySelector(".permalink");
    if (hadFocus) /** @type {HTMLElement | null} */ (opener)?.focus({ preventScroll: true });
  };
  /** @param {Event} event */
  const clicked = ({ target }) =>
    target instanceof Node && !row.contains(target) && !button.contains(target) && close();
  row.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    close();
  });
  document.addEventListener("click", clicked);
  closeOpen = close;
  button.setAttribute("aria-expanded", "true");
  article.querySelector(".body")?.after(row);
  fill(row, article, close);
  /** @type {HTMLElement} */ (row.firstElementChild).focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

/**
 * Makes a row of all reactions to a message, in the message or in the sheet of its tools.
 * @param {HTMLElement} row
 * @param {HTMLElement} article
 * @param {() => void} close Called before a reaction is added or taken back.
 */
export function fill(row, article, close) {
  row.dataset.of = article.id;
  row.setAttribute("role", "group");
  row.setAttribute("aria-label", t("React"));
  for (const [emoji, name] of Object.entries(NAMES)) {
    const choice = row.appendChild(makeButton(emoji, name, isOwn(article, emoji)));
    choice.addEventListener("click", () => {
      close();
      toggle(article, emoji);
    });
  }
  if (!own.has(idOf(article))) want(idOf(article));
}

/**
 * @param {string} emoji
 * @param {number} count
 */
function makeChip(emoji, count) {
  const chip = document.createElement("span");
  chip.setAttribute("role", "img");
  chip.setAttribute("aria-label", COUNTED[emoji]?.(count) ?? `${count} ${emoji}`);
  chip.textContent = `${emoji} ${count}`;
  return chip;
}

/** Draws the buttons of all messages that have reactions. */
function drawAll() {
  for (const list of document.querySelectorAll("article > .reactions")) {
    draw(/** @type {HTMLElement} */ (list.parentElement));
  }
}

/**
 * Makes a member's buttons say what the counts say, which they hide. A button stays the same element, with its focus.
 * @param {HTMLElement} article
 */
function draw(article) {
  const list = article.querySelector(".reactions");
  if (!list || !isMember) return;
  if (!own.has(idOf(article))) want(idOf(article));
  const toggles = article.querySelector(".toggles") ?? makeToggles(article, list);
  const before = /** @type {HTMLElement[]} */ ([...toggles.children]);
  const after = [...list.children].map((chip) => {
    const text = chip.textContent ?? "";
    const emoji = text.split(" ")[0];
    const button = before.find((one) => one.dataset.emoji === emoji) ?? makeToggle(article, emoji);
    button.textContent = text;
    button.setAttribute("aria-label", chip.getAttribute("aria-label") ?? "");
    button.setAttribute("aria-pressed", String(isOwn(article, emoji)));
    return button;
  });
  keepFocus(article, () => before.filter((button) => !after.includes(button)).forEach((button) => button.remove()));
  after.forEach((button, place) => {
    if (toggles.children[place] !== button) toggles.insertBefore(button, toggles.children[place] ?? null);
  });
}

/**
 * Removes buttons. If one had the focus, the message's link gets it.
 * @param {HTMLElement} article
 * @param {() => void} remove
 */
function keepFocus(article, remove) {
  const focused = document.activeElement;
  remove();
  if (focused?.isConnected) return;
  /** @type {HTMLElement | null} */ (article.querySelector(".permalink"))?.focus({ preventScroll: true });
}

/**
 * @param {HTMLElement} article
 * @param {Element} list
 */
function makeToggles(article, list) {
  const toggles = document.createElement("div");
  toggles.className = "toggles";
  toggles.setAttribute("role", "group");
  toggles.setAttribute("aria-label", t("Reactions"));
  article.insertBefore(toggles, list);
  return toggles;
}

/**
 * @param {HTMLElement} article
 * @param {string} emoji
 */
function makeToggle(article, emoji) {
  const button = makeButton(emoji, "", false);
  button.addEventListener("click", () => toggle(article, emoji));
  return button;
}

/**
 * @param {string} emoji
 * @param {string} name
 * @param {boolean} isPressed
 */
function makeButton(emoji, name, isPressed) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "chip";
  button.dataset.emoji = emoji;
  button.textContent = emoji;
  button.setAttribute("aria-label", name);
  button.setAttribute("aria-pressed", String(isPressed));
  return button;
}

/**
 * Adds one's reaction, or takes it back. The button shows it at once; the count follows with the message's change.
 * @param {HTMLElement} article
 * @param {string} emoji
 */
export async function toggle(article, emoji) {
  const id = idOf(article);
  if (!own.has(id)) {
    want(id);
    await asking;
  }
  const method = isOwn(article, emoji) ? "DELETE" : "PUT";
  const set = (/** @type {boolean} */ isMine) => {
    const others = [...(own.get(id) ?? [])].filter((one) => one !== emoji);
    own.set(id, new Set(isMine ? [...others, emoji] : others));
    mark(id);
  };
  set(method === "PUT");
  say(article, "");
  try {
    const url = `/api/v1/messages/${id}/reactions/${encodeURIComponent(emoji)}${by}`;
    const message = await ask(url, isMessage, LIMIT_MS, { method });
    set(method === "PUT"); // the list of one's own may have come in between
    if (!article.closest("[data-cursor]")) show(message); // else a poll brings it, in order
  } catch (error) {
    set(method === "DELETE");
    say(article, error instanceof Failure && error.isOurs ? error.message : FAILED);
  }
}

/**
 * Says below a message why something wasn't done.
 * @param {HTMLElement} article
 * @param {string} words
 */
function say(article, words) {
  let line = /** @type {HTMLElement | null} */ (article.querySelector(".refusal"));
  if (!line) {
    if (!words) return;
    line = document.createElement("p");
    line.className = "refusal";
    line.setAttribute("role", "status");
    article.append(line);
  }
  line.textContent = words;
}

/** @param {number} id */
function want(id) {
  if (!wanted.size) asking = Promise.resolve().then(askOwn); // once for all that are wanted in this step
  wanted.add(id);
}

/** Asks which reactions to the messages on the page are one's own. What fails is asked again with the next change. */
async function askOwn() {
  const all = [...wanted];
  wanted.clear();
  for (let at = 0; at < all.length; at += AT_ONCE) {
    const ids = all.slice(at, at + AT_ONCE);
    try {
      const { messages } = await ask(`/api/v1/reactions?ids=${ids}`, isOwnList, LIMIT_MS);
      const found = new Map(messages.map(({ id, reactions }) => [id, reactions]));
      for (const id of ids) own.set(id, new Set(found.get(id)));
      ids.forEach(mark);
    } catch {
      return;
    }
  }
}

/**
 * Presses the buttons of a message that are one's own.
 * @param {number} id
 */
function mark(id) {
  const article = document.getElementById(`m${id}`);
  if (!article) return;
  const buttons = document.querySelectorAll(`#m${id} [data-emoji], [data-of="m${id}"] [data-emoji]`);
  for (const button of /** @type {NodeListOf<HTMLElement>} */ (buttons)) {
    button.setAttribute("aria-pressed", String(isOwn(article, button.dataset.emoji ?? "")));
  }
}

/**
 * @param {HTMLElement} article
 * @param {string} emoji
 */
function isOwn(article, emoji) {
  return own.get(idOf(article))?.has(emoji) ?? false;
}

/** @param {Element} article */
function idOf(article) {
  return Number(article.id.slice(1));
}

/**
 * @param {Json} reply
 * @returns {reply is Json & Message}
 */
function isMessage(reply) {
  return typeof reply.id === "number" && typeof reply.body === "string";
}

/**
 * @param {Json} reply
 * @returns {reply is {messages: {id: number, reactions: string[]}[]}}
 */
function isOwnList(reply) {
  return Array.isArray(reply.messages);
}
