// @ts-check
// What is shown: the messages by id, newest first, never too many; and where the older ones begin.

import { makeArticle } from "./message.js";
import { day, writeTimes } from "./time.js";

/**
 * @typedef {import("./message.js").Message} Message
 * @typedef {import("./message.js").Deleted} Deleted
 * @typedef {{messages: (Message | Deleted)[], cursor: string, more?: boolean, reset?: boolean,
 *   retry_ms?: number}} Reply
 */

const MOST = 500; // articles; a page that is open all day must not grow all day
const PAGE = 50; // messages in a reset, if there are as many: see board/recent.py
const GLOW_MS = 2500; // a little longer than the animation of .fresh in board.css

export class Board {
  #section;
  #older;
  /** Messages with a lower id are not shown: they are what the link to older messages leads to. */
  #oldest;
  #day = day();

  /**
   * @param {HTMLElement} section
   * @param {HTMLElement} older The paragraph with the link to older messages.
   */
  constructor(section, older) {
    this.#section = section;
    this.#older = older;
    this.#oldest = older.hidden ? 0 : Number(new URL(this.#link.href).searchParams.get("before"));
    section.replaceChildren(...section.children); // without the white space that a template leaves
    writeTimes(section);
  }

  /** @param {number} id */
  has(id) {
    return this.#article(id) !== null;
  }

  /**
   * Brings what is shown up to date. Done twice, it changes nothing.
   * @param {Reply} reply
   */
  show(reply) {
    if (reply.reset) this.#clear(reply.messages);
    for (const message of reply.messages) {
      if (message.deleted) this.#article(message.id)?.remove();
      else this.#put(message, !reply.reset);
    }
    this.#trim();
    this.#turnDay();
  }

  /** After midnight, what was said today was said yesterday. */
  #turnDay() {
    if (this.#day === day()) return;
    this.#day = day();
    writeTimes(this.#section);
  }

  /**
   * @param {Message} message
   * @param {boolean} isNews
   */
  #put(message, isNews) {
    const before = this.#article(message.id);
    if (!before && message.id < this.#oldest) return; // an edit of what is not shown here
    const article = makeArticle(message);
    if (before) before.replaceWith(article);
    else this.#section.insertBefore(article, this.#newestBefore(message.id));
    if (isNews) glow(article);
  }

  /** @param {(Message | Deleted)[]} messages All that there will be. */
  #clear(messages) {
    this.#section.replaceChildren();
    this.#olderThan(messages.length < PAGE ? 0 : messages[0].id);
  }

  #trim() {
    if (this.#section.childElementCount <= MOST) return;
    while (this.#section.childElementCount > MOST) this.#section.lastElementChild?.remove();
    this.#olderThan(idOf(/** @type {Element} */ (this.#section.lastElementChild)));
  }

  /** @param {number} id 0 if there are none. */
  #olderThan(id) {
    this.#oldest = id;
    this.#older.hidden = id === 0;
    this.#link.href = `/?before=${id}`;
  }

  /** @param {number} id */
  #newestBefore(id) {
    for (const article of this.#section.children) if (idOf(article) < id) return article;
    return null;
  }

  /** @param {number} id */
  #article(id) {
    return document.getElementById(`m${id}`);
  }

  get #link() {
    return /** @type {HTMLAnchorElement} */ (this.#older.querySelector("a"));
  }
}

/** @param {Element} article */
function idOf(article) {
  return Number(article.id.slice(1));
}

/**
 * A gentle sign that this is new, which leaves no trace. By a timer: a hidden page never hears of an animation's end.
 * @param {Element} article
 */
function glow(article) {
  article.classList.add("fresh");
  setTimeout(() => article.classList.remove("fresh"), GLOW_MS);
}
