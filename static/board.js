// @ts-check
// What is shown: the messages by id, newest first, never too many; where the older ones begin; and what is held back
// while their reader is further down.

import { day, dayOf, drawDays, makeArticle, writeTimes } from "./message.js";

/**
 * @typedef {import("./message.js").Message} Message
 * @typedef {import("./message.js").Deleted} Deleted
 * @typedef {{messages: (Message | Deleted)[], cursor: string, more?: boolean, reset?: boolean,
 *   older?: boolean, watching?: number, retry_ms?: number}} Reply
 * @typedef {{news(messages: Message[], isReadOut: boolean): void, seen(): void}} Reader
 */

const MOST = 500; // articles; a page that is open all day must not grow all day
const MOST_READ = 1500; // articles of someone who scrolls into the past; further back it goes by link
const PAGE = 50; // messages that are asked for at once
const FEW = 3; // messages that a screen reader reads out one by one; of more it says how many
const MOST_GLOWING = 10; // in a flood, one more would tell nobody anything
const GLOW_MS = 2500; // a little longer than the animation of .fresh in board.css
const AHEAD = "800px"; // how far from the end older messages are asked for

export class Board {
  #section;
  /** Those in it, as they are at the moment. */
  #articles;
  #older;
  #reader;
  /** Messages with a lower id are not shown: they are what the link to older messages leads to. */
  #oldest;
  /** The highest id that a poll has brought: whatever is above is new. */
  #highest;
  #day = day();
  #hasAllLines = true;
  /** Whether the newest message is where its reader sees it, so that a newer one moves nothing they read. */
  #isAtTop = true;
  /** @type {Map<number, Message>} New ones, for when their reader comes back up. */
  #held = new Map();
  #isLoading = false;
  #nearEnd = new IntersectionObserver(([entry]) => entry.isIntersecting && this.#load(), { rootMargin: AHEAD });

  /**
   * @param {HTMLElement} section
   * @param {HTMLElement} older The paragraph with the link to older messages.
   * @param {HTMLElement} top What stands just above the newest message.
   * @param {Reader} reader
   */
  constructor(section, older, top, reader) {
    this.#section = section;
    this.#older = older;
    this.#reader = reader;
    this.#oldest = older.hidden ? 0 : Number(new URL(this.#link.href).searchParams.get("before"));
    this.#articles = /** @type {HTMLCollectionOf<HTMLElement>} */ (section.getElementsByTagName("article"));
    section.replaceChildren(...section.children); // without the white space that a template leaves
    this.#highest = this.#articles.length ? idOf(this.#articles[0]) : 0;
    writeTimes(section);
    drawDays(section);
    this.#nearEnd.observe(older);
    new IntersectionObserver(([entry]) => this.#moved(entry.boundingClientRect.top >= 0)).observe(top);
    document.addEventListener("visibilitychange", () => this.#look());
  }

  /** @param {number} id */
  hasHeardOf(id) {
    return id <= this.#highest;
  }

  /**
   * Brings what is shown up to date. Done twice, it changes nothing.
   * @param {Reply} reply
   */
  show(reply) {
    if (reply.reset) this.#begin(reply.older ? reply.messages[0].id : 0);
    /** @type {Message[]} */
    const news = [];
    for (const message of reply.messages) {
      if (message.deleted) this.#remove(message.id);
      else if (this.#has(message.id) || message.id < this.#highest) this.#put(message);
      else news.push(message);
      this.#highest = Math.max(this.#highest, message.id);
    }
    this.#bring(news, reply.reset ?? false);
    this.#drawLines();
    this.#turnDay();
  }

  /** Leaves nothing to be read. */
  clear() {
    this.#begin(0);
  }

  /** Shows what was held back; and lets go of what nobody who is up here reads. */
  release() {
    const messages = [...this.#held.values()];
    this.#held.clear();
    this.#insert(messages, true);
    this.#drawLines();
  }

  /**
   * @param {Message[]} messages New ones, oldest first.
   * @param {boolean} isReset
   */
  #bring(messages, isReset) {
    if (isReset || this.#isAtTop) this.#insert(messages, !isReset);
    else for (const message of messages) this.#held.set(message.id, message);
    while (this.#held.size > MOST) this.#held.delete(this.#held.keys().next().value ?? 0); // #trim would drop it, too
    if (isReset || !messages.length) return;
    this.#reader.news(messages, this.#isAtTop && messages.length <= FEW);
    this.#look();
  }

  /**
   * @param {Message[]} messages
   * @param {boolean} isNews
   */
  #insert(messages, isNews) {
    this.#section.ariaLive = isNews && messages.length <= FEW ? "polite" : "off";
    for (const message of messages) {
      const article = this.#put(message);
      if (article && isNews) glow(article);
    }
    this.#trim();
  }

  /** @param {boolean} isAtTop */
  #moved(isAtTop) {
    this.#isAtTop = isAtTop;
    if (isAtTop) this.release();
    this.#look();
  }

  #look() {
    if (this.#isAtTop && document.visibilityState === "visible") this.#reader.seen();
  }

  /** After midnight, what was said today was said yesterday. */
  #turnDay() {
    if (this.#day === day()) return;
    this.#day = day();
    writeTimes(this.#section);
    drawDays(this.#section);
  }

  /** Above each day; hardly ever does a new message need one. */
  #drawLines() {
    if (!this.#hasAllLines) drawDays(this.#section);
    this.#hasAllLines = true;
  }

  /**
   * Shows what its author knows to be posted.
   * @param {Message} message
   */
  put(message) {
    this.#put(message);
    this.#drawLines();
  }

  /**
   * Shows it where it belongs, new or changed.
   * @param {Message} message
   * @returns {HTMLElement | null} Nothing if that is not on this page.
   */
  #put(message) {
    if (this.#held.has(message.id)) this.#held.set(message.id, message);
    const before = this.#article(message.id);
    if (this.#held.has(message.id) || (!before && message.id < this.#oldest)) return null; // not shown here
    const article = makeArticle(message);
    const next = this.#newestBefore(message.id);
    if (before) before.replaceWith(article);
    else this.#section.insertBefore(article, next);
    if (!before && (!next || dayOf(next) !== dayOf(article))) this.#hasAllLines = false;
    return article;
  }

  /** @param {number} id */
  #has(id) {
    return this.#held.has(id) || this.#article(id) !== null;
  }

  /** @param {number} id */
  #remove(id) {
    this.#held.delete(id);
    this.#article(id)?.remove();
    this.#hasAllLines = false; // it may have been alone below its own
  }

  /** @param {number} oldest The id that the link to older messages goes on from, or 0. */
  #begin(oldest) {
    this.#held.clear();
    this.#highest = 0;
    this.#section.replaceChildren();
    this.#olderThan(oldest);
  }

  #trim() {
    if (!this.#isAtTop || this.#articles.length <= MOST) return;
    while (this.#articles.length > MOST) this.#section.lastElementChild?.remove();
    this.#olderThan(idOf(this.#articles[MOST - 1]));
  }

  /** Goes on into the past, as the link would. */
  async #load() {
    if (this.#isLoading || this.#older.hidden || this.#articles.length >= MOST_READ) return;
    this.#isLoading = true;
    try {
      const before = this.#oldest;
      const response = await fetch(`/api/v1/messages?before=${before}&limit=${PAGE}`);
      if (!response.ok) return;
      /** @type {{messages: Message[], older: boolean}} */
      const { messages, older } = await response.json();
      if (before !== this.#oldest) return; // a reset came in between
      this.#oldest = 0;
      this.#section.ariaLive = "off";
      for (const message of messages.reverse()) this.#put(message);
      this.#drawLines();
      this.#olderThan(older ? messages[messages.length - 1].id : 0);
    } catch {
      // The link is still there.
    } finally {
      this.#isLoading = false;
    }
    this.#nearEnd.unobserve(this.#older); // a tall window may need more at once
    this.#nearEnd.observe(this.#older);
  }

  /** @param {number} id 0 if there are none. */
  #olderThan(id) {
    this.#oldest = id;
    this.#older.hidden = id === 0;
    this.#link.href = `/?before=${id}`;
  }

  /** @param {number} id */
  #newestBefore(id) {
    for (const article of this.#articles) if (idOf(article) < id) return article;
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
  if (document.getElementsByClassName("fresh").length >= MOST_GLOWING) return;
  article.classList.add("fresh");
  setTimeout(() => article.classList.remove("fresh"), GLOW_MS);
}
