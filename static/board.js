// @ts-check
// What is shown: the messages by id, newest first, never too many; where the older ones begin; and what is held back
// while their reader is further down.

import { changeArticle, dayOf, drawDays, makeArticle, onNewDay, writeTimes } from "./message.js";
import { ask, Backoff, Failure } from "./poller.js";

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
const LIMIT_MS = 30_000; // then older messages are asked for again
const ABOUT_TO_CLICK_MS = 1000; // since the pointer was last moved over the messages

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
  #hasAllLines = true;
  /** Whether the newest message is where its reader sees it, so that a newer one moves nothing they read. */
  #isAtTop = true;
  /** @type {Map<number, Message>} New ones, for when their reader comes back up. */
  #held = new Map();
  /** @type {Promise<boolean> | null} */
  #loading = null;
  #backoff = new Backoff();
  #endPause = () => {};
  #pointedAt = -ABOUT_TO_CLICK_MS;
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
    steadily(section, () => this.#writeDays());
    onNewDay(() => steadily(section, () => this.#writeDays()));
    for (const name of ["pointermove", "pointerdown"]) {
      section.addEventListener(name, () => (this.#pointedAt = performance.now()), { passive: true });
    }
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
    steadily(this.#section, () => this.#show(reply));
  }

  /** @param {Reply} reply */
  #show(reply) {
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
  }

  /** The server can be reached: what failed is tried again. */
  wake() {
    this.#endPause();
  }

  /**
   * What is read at the moment, and where it stands; nothing at the top.
   * @param {EventTarget | null} target What was clicked, if that is on a message.
   */
  place(target) {
    const clicked = target instanceof Element && target.closest(".messages article");
    const article = scrollY > 0 && (clicked || firstInView(this.#articles));
    return article ? { id: idOf(article), top: article.getBoundingClientRect().top } : null;
  }

  /**
   * The newest message that is not newer than this, once as much of the past as it takes is here.
   * @param {number} id
   */
  async find(id) {
    while (!this.#article(id) && this.#oldest > id && (await this.#loadOlder()));
    return this.#article(id) ?? this.#newestBefore(id);
  }

  /** Leaves nothing to be read. */
  clear() {
    this.#begin(0);
  }

  /** Shows what was held back; and lets go of what nobody who is up here reads. */
  release() {
    const messages = [...this.#held.values()];
    this.#held.clear();
    steadily(this.#section, () => {
      this.#insert(messages, true);
      this.#drawLines();
    });
  }

  /**
   * @param {Message[]} messages New ones, oldest first.
   * @param {boolean} isReset
   */
  #bring(messages, isReset) {
    const isAboutToClick = performance.now() - this.#pointedAt < ABOUT_TO_CLICK_MS;
    if (isReset || (this.#isAtTop && !isAboutToClick)) this.#insert(messages, !isReset);
    else for (const message of messages) this.#held.set(message.id, message);
    while (this.#held.size > MOST) this.#held.delete(this.#held.keys().next().value ?? 0); // #trim would drop it, too
    if (isReset || !messages.length) return;
    if (this.#isAtTop && isAboutToClick) this.#releaseSoon();
    this.#reader.news(messages, this.#isAtTop && messages.length <= FEW);
    this.#look();
  }

  /** What one is about to click does not move away: news come when the pointer rests. */
  #releaseSoon() {
    const pause = ABOUT_TO_CLICK_MS - (performance.now() - this.#pointedAt);
    if (pause > 0) setTimeout(() => this.#releaseSoon(), pause);
    else if (this.#isAtTop) this.release();
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
    if (isAtTop) this.#releaseSoon();
    this.#look();
  }

  #look() {
    if (this.#isAtTop && document.visibilityState === "visible") this.#reader.seen();
  }

  #writeDays() {
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
    if (before) return changeArticle(before, article);
    const next = this.#newestBefore(message.id);
    this.#section.insertBefore(article, next);
    if (!next || dayOf(next) !== dayOf(article)) this.#hasAllLines = false;
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

  /** Goes on into the past, as the link would, which is there meanwhile. */
  async #load() {
    if (!(await this.#loadOlder())) return;
    this.#nearEnd.unobserve(this.#older); // a tall window may need more at once
    this.#nearEnd.observe(this.#older);
  }

  /** @returns {Promise<boolean>} Whether there may be more to load; after a failure, when it is time to try again. */
  #loadOlder() {
    if (this.#older.hidden || this.#articles.length >= MOST_READ) return Promise.resolve(false);
    this.#loading ??= this.#askOlder().finally(() => (this.#loading = null));
    return this.#loading;
  }

  async #askOlder() {
    try {
      this.#addOlder(this.#oldest, await askOlder(this.#oldest));
      this.#backoff.reset();
    } catch (error) {
      await this.#rest(error instanceof Failure ? error.pause : 0);
    }
    return true;
  }

  /** @param {number} asked Milliseconds that the server asks for. */
  #rest(asked) {
    return new Promise((resolve) => {
      setTimeout(resolve, asked + this.#backoff.next());
      this.#endPause = asked ? () => {} : () => resolve(null);
    });
  }

  /**
   * @param {number} before
   * @param {{messages: Message[], older: boolean}} past
   */
  #addOlder(before, { messages, older }) {
    if (before !== this.#oldest) return; // a reset came in between
    this.#oldest = 0;
    this.#section.ariaLive = "off";
    for (const message of messages.reverse()) this.#put(message);
    this.#drawLines();
    this.#olderThan(older && messages.length ? messages[messages.length - 1].id : 0);
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

/**
 * @param {number} before
 * @returns {Promise<{messages: Message[], older: boolean}>}
 */
function askOlder(before) {
  return ask(`/api/v1/messages?before=${before}&limit=${PAGE}`, ({ messages }) => Array.isArray(messages), LIMIT_MS);
}

/** @param {HTMLCollectionOf<HTMLElement>} articles */
function firstInView(articles) {
  for (const article of articles) if (article.getBoundingClientRect().bottom > 0) return article;
  return null;
}

/**
 * Changes what is shown, but not where it is read: Safari does not see to that by itself, as other browsers do.
 * @param {HTMLElement} section
 * @param {() => void} change
 */
function steadily(section, change) {
  const isNeeded = scrollY > 0 && !CSS.supports("overflow-anchor", "auto");
  const shown = isNeeded ? [...section.getElementsByTagName("article")].filter((one) => one.getBoundingClientRect().bottom > 0) : [];
  const tops = shown.slice(0, FEW).map((one) => one.getBoundingClientRect().top);
  change();
  const at = shown.slice(0, FEW).findIndex((one) => one.isConnected);
  if (at >= 0) scrollBy(0, shown[at].getBoundingClientRect().top - tops[at]);
}
