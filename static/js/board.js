// What the page shows: the messages by id, newest first or oldest first, up to a limit; the link to older ones; and the new
// ones that are held back while the reader is elsewhere.

import { changeArticle, dayOf, drawDays, makeArticle, onNewDay, writeTimes } from "./message.js";
import { isOldestFirst, toNewest } from "./order.js";
import { ask, Backoff, Failure } from "./poller.js";

/**
 * @typedef {import("./message.js").Message} Message
 * @typedef {import("./message.js").Deleted} Deleted
 * @typedef {{messages: (Message | Deleted)[], cursor: string, more?: boolean, reset?: boolean,
 *   older?: boolean, pinned?: Message, watching?: number, retry_ms?: number, others?: number, list?: true,
 *   boards?: {[slug: string]: [number, number | null]}}} Reply `boards` has other boards with something new: the newest
 * message and its author.
 * @typedef {{news(messages: Message[], isReadOut: boolean): void, seen(): void}} Reader
 */

const MOST = 500; // articles, because a page that is open all day must not grow all day
const MOST_READ = 1500; // articles of someone who scrolls back; after these, the link leads further
const PAGE = 50; // messages in one request
const FEW = 3; // messages that a screen reader reads out one by one; if there are more, it says how many
const MOST_GLOWING = 10; // if many messages arrive, more would not help anybody
const GLOW_MS = 2500; // a little longer than the animation of .fresh in live.css
const AHEAD = "800px"; // how far from the end older messages are requested
const LIMIT_MS = 30_000; // then older messages are requested again
// Between two messages of a run:
const RUN_MS = 5 * 60_000;
const ABOUT_TO_CLICK_MS = 1000; // since the pointer was last moved over the messages

export class Board {
  /** @type {((reply: Reply) => void) | undefined} Where there are replies, quotes.js hears of changes that are shown. */
  static heard;
  #section;
  /** The articles in it: a live collection. */
  #articles;
  #older;
  #top;
  #reader;
  /** Messages with a lower id are not shown: the link to older messages leads to them. */
  #oldest;
  /** The highest id that a poll has brought: messages above it are new. */
  #highest;
  #hasAllLines = true;
  /** Whether the newest is at the end. It stays so as long as the page is open. */
  #isOldestFirst = isOldestFirst();
  /** Whether the reader sees the newest message, so that a newer one moves nothing that they read. */
  #isAtTop = true;
  /** @type {Map<number, Message>} New messages, for when the reader comes back up. */
  #held = new Map();
  /** @type {Promise<boolean> | null} */
  #loading = null;
  #backoff = new Backoff();
  #endPause = () => {};
  #pointedAt = -ABOUT_TO_CLICK_MS;
  // While the page opens, main.js has all of it hidden; then it is not yet where it will be.
  #nearEnd = observer(
    (entry) => entry.isIntersecting && getComputedStyle(this.#older).visibility === "visible" && this.#load(),
    { rootMargin: AHEAD },
  );

  /**
   * @param {HTMLElement} section
   * @param {HTMLElement} older The paragraph with the link to older messages.
   * @param {HTMLElement} top The element just above the newest message; where the oldest is first, below it.
   * @param {Reader} reader
   */
  constructor(section, older, top, reader) {
    this.#section = section;
    this.#older = older;
    this.#top = top;
    this.#reader = reader;
    this.#oldest = older.hidden ? 0 : Number(new URL(this.#link.href).searchParams.get("before"));
    this.#articles = /** @type {HTMLCollectionOf<HTMLElement>} */ (section.getElementsByTagName("article"));
    // The white space that a template leaves. Articles stay where they are, so that none is painted twice.
    for (const node of [...section.childNodes]) if (node instanceof Text) node.remove();
    const newest = this.#articles[this.#isOldestFirst ? this.#articles.length - 1 : 0];
    this.#highest = newest ? idOf(newest) : 0;
    steadily(section, () => this.#writeDays());
    for (const article of this.#articles) joinRun(article); // the page may have been turned
    onNewDay(() => steadily(section, () => this.#writeDays()));
    for (const name of ["pointermove", "pointerdown"]) {
      section.addEventListener(name, () => (this.#pointedAt = performance.now()), { passive: true });
    }
    this.#nearEnd.observe(older);
    const isSeen = (/** @type {IntersectionObserverEntry} */ { boundingClientRect: { top }, rootBounds }) =>
      this.#isOldestFirst ? top <= (rootBounds?.bottom ?? innerHeight) : top >= (rootBounds?.top ?? 0);
    observer((entry) => this.#moved(isSeen(entry)), {
      rootMargin: `-${covered()}px 0px 0px`,
    }).observe(top);
    document.addEventListener("visibilitychange", () => this.#look());
  }

  /** Keeps the newest in view of those who see it, where it is at the end. */
  #follow() {
    if (this.#isOldestFirst && this.#isAtTop) toNewest();
  }

  /** @param {number} id */
  hasHeardOf(id) {
    return id <= this.#highest;
  }

  /**
   * Brings the page up to date. Showing a reply again changes nothing.
   * @param {Reply} reply
   */
  show(reply) {
    if (reply.reset) this.#begin(reply.older ? reply.messages[0].id : 0);
    steadily(this.#section, () => this.#show(reply));
    Board.heard?.(reply);
    if (reply.messages.length) this.#follow();
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

  /** Repeats at once what has failed, because the server can be reached, and looks whether older messages are needed. */
  wake() {
    this.#endPause();
    this.#lookForEnd();
  }

  #lookForEnd() {
    this.#nearEnd.unobserve(this.#older);
    this.#nearEnd.observe(this.#older);
  }

  /**
   * Returns which message is being read and where it is; nothing at the top of the page.
   * @param {EventTarget | null} target What was clicked: counts if it is on a message.
   */
  place(target) {
    const clicked = target instanceof Element && target.closest(".messages article");
    const isElsewhere = this.#isOldestFirst ? this.#top.getBoundingClientRect().top > innerHeight : scrollY > 0;
    const article = isElsewhere && (clicked || firstInView(this.#articles));
    return article ? { id: idOf(article), top: article.getBoundingClientRect().top } : null;
  }

  /**
   * Loads older messages up to this one. Returns the newest message that is not newer than it, if it was loaded.
   * @param {number} id
   * @param {number} [most] Requests.
   */
  async find(id, most = Infinity) {
    while (!this.#article(id) && this.#oldest > id && most-- > 0 && (await this.#loadOlder()));
    return this.#article(id) ?? this.#newestBefore(id);
  }

  /** Removes all messages. */
  clear() {
    this.#begin(0);
  }

  /** Shows the messages that were held back, and removes the oldest of too many. */
  release() {
    const messages = [...this.#held.values()];
    this.#held.clear();
    steadily(this.#section, () => {
      this.#insert(messages, true);
      this.#drawLines();
    });
    if (messages.length) this.#follow();
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

  /** Shows news only when the pointer rests, so that nothing moves away that the reader is about to click. */
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

  /** Draws a line above each day. A new message rarely needs one. */
  #drawLines() {
    if (!this.#hasAllLines) drawDays(this.#section);
    this.#hasAllLines = true;
  }

  /**
   * Shows a message that was just posted from this page, also if a poll has brought it and it is held back.
   * @param {Message} message
   */
  put(message) {
    this.#held.delete(message.id);
    this.#put(message);
    this.#drawLines();
    this.#follow();
  }

  /**
   * Shows a new or changed message in its place.
   * @param {Message} message
   * @returns {HTMLElement | null} Nothing if it is not shown on this page.
   */
  #put(message) {
    if (this.#held.has(message.id)) this.#held.set(message.id, message);
    const before = this.#article(message.id);
    if (this.#held.has(message.id) || (!before && message.id < this.#oldest)) return null; // not shown here
    const article = makeArticle(message);
    if (before) return changeArticle(before, article);
    const older = this.#newestBefore(message.id);
    const next = !this.#isOldestFirst ? older : older ? older.nextElementSibling : (this.#articles[0] ?? null);
    this.#section.insertBefore(article, next);
    joinRun(article);
    joinRun(next);
    if (!older || dayOf(older) !== dayOf(article)) this.#hasAllLines = false;
    return article;
  }

  /** @param {number} id */
  #has(id) {
    return this.#held.has(id) || this.#article(id) !== null;
  }

  /** @param {number} id */
  #remove(id) {
    this.#held.delete(id);
    const article = this.#article(id);
    const below = article?.nextElementSibling;
    article?.remove();
    joinRun(below);
    this.#hasAllLines = false; // it may have been the only one below its line
  }

  /** @param {number} oldest The id where the link to older messages continues, or 0. */
  #begin(oldest) {
    this.#held.clear();
    this.#highest = 0;
    this.#section.replaceChildren();
    this.#olderThan(oldest);
  }

  #trim() {
    if (!this.#isAtTop || this.#articles.length <= MOST) return;
    while (this.#articles.length > MOST) {
      if (this.#isOldestFirst) this.#section.firstElementChild?.remove();
      else this.#section.lastElementChild?.remove();
    }
    this.#hasAllLines = !this.#isOldestFirst; // the first may have had one
    this.#olderThan(idOf(this.#articles[this.#isOldestFirst ? 0 : MOST - 1]));
  }

  /** Loads older messages, as the link would. The link stays there while they load. */
  async #load() {
    if (await this.#loadOlder()) this.#lookForEnd(); // a tall window may need more at once
  }

  /** @returns {Promise<boolean>} Whether there may be more to load. After a failure, resolves when it is time to try again. */
  #loadOlder() {
    if (this.#older.hidden || this.#articles.length >= MOST_READ) return Promise.resolve(false);
    this.#loading ??= this.#askOlder().finally(() => (this.#loading = null));
    return this.#loading;
  }

  async #askOlder() {
    try {
      const url = `${this.#section.dataset.history ?? "/api/v1/messages"}?before=${this.#oldest}&limit=${PAGE}`;
      this.#addOlder(this.#oldest, await ask(url, isPast, LIMIT_MS));
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
    const change = () => {
      for (const message of messages.reverse()) this.#put(message);
      this.#drawLines();
      this.#olderThan(older && messages.length ? messages[messages.length - 1].id : 0);
    };
    steadily(this.#section, change, (this.#isOldestFirst && scrollY === 0) || undefined); // there, no browser does it
  }

  /** @param {number} id 0 if there are none. */
  #olderThan(id) {
    this.#oldest = id;
    this.#older.hidden = id === 0;
    this.#link.href = `?before=${id}`;
  }

  /** @param {number} id */
  #newestBefore(id) {
    const all = this.#isOldestFirst ? [...this.#articles].reverse() : this.#articles;
    for (const article of all) if (idOf(article) < id) return article;
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

/**
 * An observer of one element. A busy browser tells several looks at it in one call, oldest first: only the last is still so.
 * @param {(entry: IntersectionObserverEntry) => void} tell
 * @param {IntersectionObserverInit} options
 */
function observer(tell, options = {}) {
  return new IntersectionObserver((entries) => tell(entries[entries.length - 1]), options);
}

/** @param {Element} article */
function idOf(article) {
  return Number(article.id.slice(1));
}

/**
 * Marks an article that goes on the run above it, as handlers/messages/articles.py does.
 * @param {Element | null | undefined} article
 */
function joinRun(article) {
  const [one, above] = [article, article?.previousElementSibling].map((shown) => ({
    by: shown?.getAttribute("data-by"),
    at: Date.parse(shown?.querySelector("time")?.dateTime ?? ""),
  }));
  const isNext = one.by && one.by === above.by && Math.abs(one.at - above.at) <= RUN_MS;
  article?.classList.toggle("next", Boolean(isNext));
}

/**
 * Marks a new message for a moment. Uses a timer, because a hidden page gets no event at the end of an animation.
 * @param {Element} article
 */
function glow(article) {
  if (document.getElementsByClassName("fresh").length >= MOST_GLOWING) return;
  article.classList.add("fresh");
  setTimeout(() => article.classList.remove("fresh"), GLOW_MS);
}

/**
 * @param {import("./poller.js").Json} reply
 * @returns {reply is {messages: Message[], older: boolean}}
 */
function isPast(reply) {
  return Array.isArray(reply.messages);
}

/** How much of the window's top is covered by what stays in view: see static/css/header.css. */
function covered() {
  return (
    parseFloat(getComputedStyle(/** @type {Element} */ (document.getElementById("messages"))).scrollMarginTop) || 0
  );
}

/** @param {HTMLCollectionOf<HTMLElement>} articles */
function firstInView(articles) {
  const top = covered();
  for (const article of articles) if (article.getBoundingClientRect().bottom > top) return article;
  return null;
}

/**
 * Makes a change without moving what is being read. Other browsers do so by themselves, Safari does not.
 * @param {HTMLElement} section
 * @param {() => void} change
 */
function steadily(section, change, isNeeded = scrollY > 0 && !CSS.supports("overflow-anchor", "auto")) {
  const shown = isNeeded
    ? [...section.getElementsByTagName("article")].filter((one) => one.getBoundingClientRect().bottom > 0)
    : [];
  const tops = shown.slice(0, FEW).map((one) => one.getBoundingClientRect().top);
  change();
  const at = shown.slice(0, FEW).findIndex((one) => one.isConnected);
  if (at >= 0) scrollBy(0, shown[at].getBoundingClientRect().top - tops[at]);
}
