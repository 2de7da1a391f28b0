// The outbox: messages stay in this browser until the server has them, apart for each account and board, so that neither a
// reload nor a dead connection loses a word. And the local store in which they are kept, as drafts are.

import { makeArticle } from "./message.js";
import { isOldestFirst } from "./order.js";
import { ask, Backoff, boardsTime, Failure, GIVEN_UP } from "./poller.js";
import { t } from "./words.js";

/**
 * @typedef {import("./message.js").Message} Message
 * @typedef {{key: string, first: string}} Origin Of a message that was taken back: its key, and the first words sent with it.
 * @typedef {{text: string, key: string, first?: string, at: number, url?: string, replyTo?: string, isLate?: boolean,
 *   refused?: string, name?: string}} Pending
 * `key` makes sending it again safe, also with other words, if `first` has the first ones. `at` is the board's time.
 * `replyTo` is the id of the message that it replies to. `name` is what a guest is called. A guest's key is also the secret by
 * which it is the guest's own: the server stores neither.
 * `url` is where it is for: any page of the site sends it there. `isLate` is true after a try that failed. `refused` is why the server did not take it; then it waits for its author.
 */

const LIMIT_MS = 30_000; // for an answer; the server waits as long for the words of a message
const MOST_MS = 30_000; // the longest pause between two tries
const STALE_MS = 24 * 3600 * 1000; // the author may no longer want to post what could not be sent for a day
const STRIKES = 2; // failed tries of a message, while the board is there, after which others go before it
const LONGEST = 5000; // characters of a message that are shown
const POSTED = t("The board has this already, as you first wrote it. If you post again, there are two messages.");
const PASSING = [408, 425, 429]; // refusals that mean: not now

/** Texts by name, in localStorage. A browser that may keep nothing throws; then they are in this tab's memory only. */
class LocalStore {
  /** @type {Map<string, string>} */
  #memory = new Map();

  /** @param {string} name */
  get(name) {
    try {
      return this.#memory.get(name) ?? localStorage.getItem(name) ?? ""; // what had no room is newer
    } catch {
      return "";
    }
  }

  /**
   * @param {string} name
   * @param {string} text If it is empty, the name is removed.
   * @returns {boolean} Whether there was room.
   */
  put(name, text) {
    this.#memory.delete(name);
    try {
      if (text) localStorage.setItem(name, text);
      else localStorage.removeItem(name);
    } catch (error) {
      if (text) this.#memory.set(name, text);
      return !/quota/i.test(/** @type {Error} */ (error).name);
    }
    return true;
  }

  /** @param {string} start */
  names(start) {
    const names = new Set(this.#memory.keys());
    try {
      for (const name of Object.keys(localStorage)) names.add(name);
    } catch {} // refused: all names are in memory
    return [...names].filter((name) => name.startsWith(start)).sort();
  }
}

const store = new LocalStore();
export { store as drawer }; // its name in the last release, whose modules may be on one page with ours during an update

/** Messages that are not yet on the server, oldest first. They are sent one by one, by one tab of the browser at a time. */
export class Outbox {
  #list;
  #url;
  #as;
  /** How the names begin under which a guest's messages are kept, and this author's. */
  #guests;
  #prefix;
  #author;
  #limit;
  #callbacks;
  #backoff = new Backoff(MOST_MS);
  #isSending = false;
  #isClosed = false;
  /** @type {AbortController | null} Of the request that is on its way; the name of its message is `#onItsWay`. */
  #request = null;
  #onItsWay = "";
  /** @type {Map<string, number>} By key: how often a message failed while the board was there. */
  #strikes = new Map();
  /** @type {[string, HTMLElement][]} The words that are shown as on their way, and their articles. */
  #shown = [];
  #state = "";
  #wake = () => {};

  /**
   * @param {HTMLElement} list
   * @param {string} url
   * @param {string} as The username, or nothing for a guest. What one account writes is never sent as another.
   * @param {string} author
   * @param {number} limit Characters that a message may have.
   * @param {{sent(message: Message, pending: Pending): void, refused(pending: Pending, isSignedOut: boolean): boolean,
   *   back(pending: Pending): boolean}} callbacks The last two return whether the words are back with their author.
   * @param {string} board How the names of what is kept for a board begin; the first board's begin with nothing.
   */
  constructor(list, url, as, author, limit, callbacks, board = "") {
    this.#list = list;
    this.#url = url;
    this.#as = as;
    this.#guests = `${board}outbox//`;
    this.#prefix = `${board}outbox/${as}/`;
    this.#author = author;
    this.#limit = limit;
    this.#callbacks = callbacks;
    addEventListener("storage", ({ key }) => (key ?? this.#prefix).startsWith(this.#prefix) && this.#show());
    addEventListener("online", () => this.wake());
    this.#show();
    this.#send();
    if (as) alone(`${this.#guests}sending`, () => this.#adopt(), { ifAvailable: true });
  }

  /**
   * @param {string} text
   * @param {Origin | null} origin Of the message that this one was before. The board may have that one, though no answer came.
   * @param {string} [replyTo]
   */
  add(text, origin, replyTo) {
    const name = this.#as ? "" : store.get("guest_name"); // as composer.js has put it
    this.#put({ text, key: newKey(), ...origin, at: boardsTime(), url: this.#url, replyTo, name });
    this.#send();
  }

  /**
   * Returns why the server would surely refuse the text, or "". The server counts what remains after tidying, and the count
   * here is never higher. Very long texts are not even read to their end, by the server or by what is in between.
   * @param {string} text
   */
  tooLong(text) {
    const lines = text.trim().replace(/^[\s\p{DI}\u2800]+$/gmu, ""); // only a few empty ones are kept
    const least = [...lines.replace(/[\p{M}\p{C}]/gu, "")].length;
    if (least > this.#limit) {
      return t("A message may have %(most)s characters; this one has %(n)s.", {
        most: this.#limit,
        n: [...text.trim()].length,
      });
    }
    const size = String(new URLSearchParams({ s: text })).length;
    return size > 12 * this.#limit ? t("This is far more than a message may hold.") : "";
  }

  /** Sends what waits, because the server can be reached. */
  wake() {
    this.#backoff.reset();
    this.#wake();
    this.#send();
  }

  close() {
    this.#isClosed = true;
    this.#wake();
  }

  /**
   * Hides messages that a poll has brought before the answer to sending them came.
   * @param {{body?: string, deleted?: true}[]} messages
   */
  arrived(messages) {
    for (const [text, article] of this.#shown) {
      if (messages.some(({ body }) => body === text.trimEnd())) article.hidden = true;
    }
  }

  get #all() {
    return pendingOf(this.#prefix);
  }

  /** @param {Pending} pending */
  #name(pending) {
    return `${this.#prefix}${pending.at}-${pending.key}`;
  }

  /** @param {Pending} pending */
  #put(pending) {
    store.put(this.#name(pending), JSON.stringify(pending));
    this.#show();
  }

  /**
   * Keeps a changed message, unless its author has taken it back.
   * @param {Pending} pending
   */
  #keep(pending) {
    if (store.get(this.#name(pending))) this.#put(pending);
  }

  /** @param {Pending} pending */
  #drop(pending) {
    store.put(this.#name(pending), "");
    this.#show();
  }

  /** Shows a guest's messages, which no tab is sending any more, to the account that has signed in. Does not send them. */
  #adopt() {
    for (const pending of pendingOf(this.#guests)) {
      store.put(`${this.#guests}${pending.at}-${pending.key}`, "");
      this.#put({ ...pending, key: newKey(), refused: t("You wrote this before you signed in.") });
    }
  }

  async #send() {
    if (this.#isSending || this.#isClosed) return;
    this.#isSending = true;
    try {
      if (this.#next) await alone(`${this.#prefix}sending`, () => this.#sendAll());
    } finally {
      this.#isSending = false;
    }
  }

  /** The oldest message, except those with which something seems to be wrong: the others need not wait for them. */
  get #next() {
    /** @param {Pending} pending */
    const strikes = ({ key }) => {
      const count = this.#strikes.get(key) ?? 0;
      return count < STRIKES ? 0 : count;
    };
    const waiting = this.#all.filter(({ refused }) => !refused);
    return waiting.sort((one, other) => strikes(one) - strikes(other))[0];
  }

  async #sendAll() {
    for (let pending; (pending = this.#next) && !this.#isClosed;) {
      try {
        const message = await this.#post(pending);
        this.#backoff.reset();
        if (message.editable_until) store.put(`own/${message.id}`, `${pending.key} ${message.editable_until}`);
        this.#callbacks.sent(message, pending);
        this.#drop(pending);
      } catch (error) {
        if (error === GIVEN_UP) continue; // its author has taken it back
        const failure = error instanceof Failure ? error : new Failure(String(error));
        if (isFinal(failure)) this.#refuse(pending, failure);
        else await this.#putOff(pending, failure);
      }
    }
  }

  /**
   * @param {Pending} pending
   * @returns {Promise<Message>}
   */
  async #post(pending) {
    const { text, key, first, at, replyTo, name } = pending;
    const words = this.tooLong(text);
    if (words) throw new Failure(words, 413, 0, true);
    const isStale = () => boardsTime() - at > STALE_MS;
    if (isStale()) await knock(); // this computer's clock may have been wrong; the board's counts
    if (isStale()) throw new Failure(t("This could not be sent when you wrote it."), 0, 0, true);
    const body = new URLSearchParams({ s: text, key, as: this.#as });
    if (first && !this.tooLong(first)) body.set("first", first);
    if (replyTo) body.set("reply_to", replyTo);
    if (name) body.set("guest_name", name);
    const headers = { Accept: "application/json", ...(this.#as ? {} : { "Guest-Secret": key }) };
    this.#onItsWay = this.#name(pending);
    try {
      this.#request = new AbortController();
      return await ask(this.#url, isMessage, LIMIT_MS, { method: "POST", body, headers }, this.#request);
    } finally {
      this.#request = null;
    }
  }

  /**
   * @param {Pending} pending
   * @param {Failure} failure
   */
  #refuse(pending, { message, status, isOurs, code }) {
    const refused = isOurs
      ? message
      : t("Something on the way to the board has refused this (%(status)s).", { status });
    pending = { ...pending, refused };
    if (code === "key_reused") pending = { ...pending, refused: POSTED, isLate: false, first: undefined };
    if (code === "no_such_message") pending.replyTo = "";
    if (!store.get(this.#name(pending))) return; // its author has taken it back
    if (status && this.#callbacks.refused(pending, isOurs && status === 401)) this.#drop(pending);
    else this.#keep(pending);
  }

  /**
   * @param {Pending} pending
   * @param {Failure} failure
   */
  async #putOff(pending, { status, pause, isOurs }) {
    this.#keep({ ...pending, isLate: true });
    const isBusy = isOurs && status !== 500; // the board asks everyone to come later
    if (!isBusy && this.#all.length > 1) {
      // Is it the connection, or this message?
      const isThere = await knock().then(
        () => 1,
        () => 0,
      );
      this.#strikes.set(pending.key, (this.#strikes.get(pending.key) ?? 0) + isThere);
    }
    await new Promise((resolve) => {
      setTimeout(resolve, pause + this.#backoff.next());
      this.#wake = () => pause || resolve(null);
    });
  }

  #show() {
    if (this.#request && !store.get(this.#onItsWay)) this.#request.abort();
    const { replyTo: of } = this.#list.dataset; // on the page of a message, only replies to it are shown
    const sorted = isOldestFirst() ? this.#all : this.#all.reverse();
    const all = sorted.filter(({ replyTo }) => !of || replyTo === of || replyTo === "");
    const state = JSON.stringify(all);
    if (state === this.#state) return; // so that a button keeps the focus
    this.#state = state;
    const isLate = all.some((pending) => pending.isLate);
    this.#shown = all.map((pending) => [pending.text, this.#article(pending, isLate)]);
    this.#list.replaceChildren(...this.#shown.map(([, article]) => article));
  }

  /**
   * @param {Pending} pending
   * @param {boolean} isLate
   */
  #article(pending, isLate) {
    const { text, at, refused, name, replyTo } = pending;
    const reply_to = this.#list.dataset.replyTo ? undefined : Number(replyTo) || undefined; // that page shows it above
    const me = Number(document.getElementById("messages")?.dataset.me ?? 0);
    const author = this.#author ? { id: me, name: this.#author } : null;
    const body = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
    const created_at = new Date(at).toISOString();
    const article = makeArticle({ id: 0, body, author, created_at, edited_at: null, guest_name: name, reply_to });
    article.dataset.name = this.#name(pending); // for letters.js
    article.classList.add(refused ? "refused" : isLate ? "late" : "pending");
    const state = article.appendChild(document.createElement("p"));
    state.className = "state";
    state.append(refused ?? (isLate ? t("Not sent yet. Trying again…") : t("Sending…")));
    if (refused || isLate) {
      state.append(button(t("Edit"), () => this.#callbacks.back(pending) && this.#drop(pending)));
      state.append(button(t("Discard"), () => this.#drop(pending)));
    }
    return article;
  }
}

/**
 * A message is found again by its name alone, which has its time and key: it could not be dropped by others.
 * @param {string} prefix
 * @returns {Pending[]}
 */
function pendingOf(prefix) {
  return store.names(prefix).flatMap((name) => {
    const [, at, key] = /^(\d+)-(.+)$/.exec(name.slice(prefix.length)) ?? [];
    return key ? read(store.get(name)).map((pending) => ({ ...pending, at: Number(at), key })) : [];
  });
}

/**
 * @param {string} json
 * @returns {Pending[]} One, or none if this is not a message.
 */
function read(json) {
  try {
    const pending = /** @type {Pending} */ (JSON.parse(json));
    const isPending = typeof pending.text === "string" && typeof pending.key === "string" && pending.at > 0;
    return isPending ? [pending] : [];
  } catch {
    return [];
  }
}

/**
 * Whether sending it again would change nothing. An older server may not know of boards yet (not_found). A proxy in between may refuse, too, and only this one message.
 * @param {Failure} failure
 */
function isFinal({ status, isOurs, code }) {
  return (isOurs || status >= 400) && status < 500 && !PASSING.includes(status) && code !== "not_found";
}

/**
 * @param {import("./poller.js").Json} reply
 * @returns {reply is Message}
 */
function isMessage(reply) {
  return typeof reply.id === "number";
}

/** Checks whether the board is there. Rejects with a Failure if not. */
function knock() {
  return ask("/api/v1/messages?before=1&limit=1", hasMessages, LIMIT_MS);
}

/**
 * @param {import("./poller.js").Json} reply
 * @returns {reply is {messages: Message[]}}
 */
function hasMessages(reply) {
  return Array.isArray(reply.messages);
}

/**
 * Calls `run` while no other tab of this browser does, or at once if the browser has no locks for us. What one tab has just
 * dropped, another may still see for a moment and send again. The keys make that harmless.
 * @param {string} name
 * @param {() => void | Promise<void>} run
 * @param {LockOptions} options
 */
async function alone(name, run, options = {}) {
  let isOurTurn = false;
  try {
    await navigator.locks.request(name, options, async (lock) => {
      isOurTurn = true;
      if (lock) await run();
    });
  } catch (error) {
    if (isOurTurn) throw error;
    await run();
  }
}

/**
 * @param {string} words
 * @param {() => void} press
 */
export function button(words, press) {
  const element = document.createElement("button");
  element.type = "button";
  element.className = "small";
  element.textContent = words;
  element.addEventListener("click", press);
  return element;
}

/** Returns 32 random characters. crypto.randomUUID does not exist on plain http. */
function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
