// @ts-check
// The outbox: what was written stays in this browser until the server has it, apart for each account, so that neither a
// reload nor a dead line loses a word. And the drawer that it is kept in, as drafts are.

import { makeArticle } from "./message.js";

/**
 * @typedef {import("./message.js").Message} Message
 * @typedef {{text: string, key: string, at: number, refused?: string}} Letter
 * `key` makes sending it again safe; `refused` is why the server did not take it: it waits for its author then.
 */

const LIMIT_MS = 20_000; // then the answer is not waited for
const BACKOFF_MS = 1000; // after the first failure, doubled by each further one,
const MOST_MS = 30_000; // up to this; the pause is a random part of it
const STALE_MS = 24 * 3600 * 1000; // what could not be sent for a day may no longer be meant

/** A browser may be told to keep nothing, and throws: then everything is in this tab's memory only. */
class Drawer {
  /** @type {Map<string, string>} */
  #memory = new Map();

  /** @param {string} name */
  get(name) {
    try {
      return localStorage.getItem(name) ?? this.#memory.get(name) ?? "";
    } catch {
      return this.#memory.get(name) ?? "";
    }
  }

  /**
   * @param {string} name
   * @param {string} text Nothing is kept of an empty one.
   */
  put(name, text) {
    this.#memory.delete(name);
    try {
      if (text) localStorage.setItem(name, text);
      else localStorage.removeItem(name);
    } catch {
      if (text) this.#memory.set(name, text);
    }
  }

  /** @param {string} start */
  names(start) {
    const names = new Set(this.#memory.keys());
    try {
      for (const name of Object.keys(localStorage)) names.add(name);
    } catch {}
    return [...names].filter((name) => name.startsWith(start)).sort();
  }
}

export const drawer = new Drawer();

/** What was written and is not yet on the server, oldest first; sent one by one, by one tab of the browser at a time. */
export class Outbox {
  #list;
  #url;
  #as;
  #author;
  #told;
  #failures = 0;
  #isSending = false;
  #isClosed = false;
  #isLate = false;
  /** @type {[string, HTMLElement][]} The words that are shown as on their way, and where. */
  #shown = [];
  #wake = () => {};

  /**
   * @param {HTMLElement} list
   * @param {string} url
   * @param {string} as The username, or nothing for a guest: what one writes is never sent as another.
   * @param {string} author
   * @param {{sent(message: Message): void, refused(letter: Letter, status: number): boolean,
   *   back(letter: Letter): void}} told `refused` says whether the words are back with their author.
   */
  constructor(list, url, as, author, told) {
    this.#list = list;
    this.#url = url;
    this.#as = as;
    this.#author = author;
    this.#told = told;
    addEventListener("storage", ({ key }) => (key ?? this.#prefix).startsWith(this.#prefix) && this.#show());
    addEventListener("online", () => this.wake());
    this.#show();
    this.#send();
  }

  /** @param {string} text */
  add(text) {
    const at = Date.now();
    this.#keep({ text, key: newKey(), at });
    this.#send();
  }

  /** The server can be reached: what waits need wait no longer. */
  wake() {
    this.#failures = 0;
    this.#wake();
    this.#send();
  }

  close() {
    this.#isClosed = true;
    this.#wake();
  }

  /**
   * Hides what has come back by the poll before the answer to its sending did.
   * @param {{body?: string, deleted?: true}[]} messages
   */
  arrived(messages) {
    for (const [text, article] of this.#shown) {
      if (messages.some(({ body }) => body === text.trimEnd())) article.hidden = true;
    }
  }

  get #prefix() {
    return `outbox/${this.#as}/`;
  }

  /** @returns {Letter[]} */
  get #letters() {
    return drawer.names(this.#prefix).flatMap((name) => read(drawer.get(name)));
  }

  /** @param {Letter} letter */
  #name(letter) {
    return `${this.#prefix}${letter.at}-${letter.key}`;
  }

  /** @param {Letter} letter */
  #keep(letter) {
    drawer.put(this.#name(letter), JSON.stringify(letter));
    this.#show();
  }

  /** @param {Letter} letter */
  #drop(letter) {
    drawer.put(this.#name(letter), "");
    this.#show();
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

  get #next() {
    return this.#letters.find(({ refused }) => !refused);
  }

  async #sendAll() {
    for (let letter; (letter = this.#next) && !this.#isClosed; ) {
      if (letter.at < Date.now() - STALE_MS) {
        this.#keep({ ...letter, refused: "This could not be sent when you wrote it." });
        continue;
      }
      try {
        const message = await deliver(this.#url, letter, this.#as);
        [this.#failures, this.#isLate] = [0, false];
        this.#told.sent(message);
        this.#drop(letter);
      } catch (error) {
        if (error instanceof Refused) this.#refuse({ ...letter, refused: error.message }, error.status);
        else await this.#rest(error instanceof Later ? error.pause : 0);
      }
    }
  }

  /**
   * @param {Letter} letter
   * @param {number} status
   */
  #refuse(letter, status) {
    if (this.#told.refused(letter, status)) this.#drop(letter);
    else this.#keep(letter);
  }

  /** @param {number} asked Milliseconds that the server asks for. */
  #rest(asked) {
    this.#isLate = true;
    this.#show();
    const pause = asked + Math.random() * Math.min(MOST_MS, BACKOFF_MS * 2 ** this.#failures++);
    return new Promise((resolve) => {
      setTimeout(resolve, pause);
      this.#wake = () => asked || resolve(null);
    });
  }

  #show() {
    this.#shown = this.#letters.reverse().map((letter) => [letter.text, this.#article(letter)]);
    this.#list.replaceChildren(...this.#shown.map(([, article]) => article));
  }

  /** @param {Letter} letter */
  #article(letter) {
    const author = this.#author ? { id: 0, name: this.#author } : null;
    const created_at = new Date(letter.at).toISOString();
    const article = makeArticle({ id: 0, body: letter.text, author, created_at, edited_at: null });
    article.removeAttribute("id");
    article.querySelector(".permalink")?.removeAttribute("href");
    article.classList.add(letter.refused ? "refused" : this.#isLate ? "late" : "pending");
    const state = article.appendChild(document.createElement("p"));
    state.className = "state";
    state.append(letter.refused ?? (this.#isLate ? "Not sent yet. Trying again…" : "Sending…"));
    if (letter.refused) {
      state.append(button("Edit", () => (this.#drop(letter), this.#told.back(letter))));
      state.append(button("Discard", () => this.#drop(letter)));
    }
    return article;
  }
}

/**
 * @param {string} json
 * @returns {Letter[]} One; none if somebody else wrote there.
 */
function read(json) {
  try {
    const { text, key, at, refused } = JSON.parse(json);
    return typeof text === "string" && typeof key === "string" && at > 0 ? [{ text, key, at, refused }] : [];
  } catch {
    return [];
  }
}

/** The server does not want it, as it is. Its words are for people. */
class Refused extends Error {
  /**
   * @param {string} words
   * @param {number} status
   */
  constructor(words, status) {
    super(words);
    this.status = status;
  }
}

/** The server can't take it now. */
class Later extends Error {
  /** @param {number} pause Milliseconds. */
  constructor(pause) {
    super("later");
    this.pause = pause;
  }
}

/**
 * @param {string} url
 * @param {Letter} letter
 * @param {string} as
 * @returns {Promise<Message>}
 */
async function deliver(url, { text, key }, as) {
  const response = await fetch(url, {
    method: "POST",
    headers: { Accept: "application/json" },
    body: new URLSearchParams({ s: text, key, as }),
    signal: AbortSignal.timeout(LIMIT_MS),
  });
  const reply = await response.json().catch(() => null); // something in between may speak HTML
  if (response.ok && typeof reply?.id === "number") return reply;
  const isFinal = response.status >= 400 && response.status < 500 && ![408, 429].includes(response.status);
  if (isFinal && reply?.error) throw new Refused(reply.error.message, response.status);
  throw new Later(1000 * (Number(response.headers.get("Retry-After")) || 0));
}

/**
 * Runs it while no other tab of this browser does. What one has just dropped another may still see for a moment, and send
 * again: the keys make that harmless.
 * @param {string} name
 * @param {() => Promise<void>} run
 */
function alone(name, run) {
  return navigator.locks ? navigator.locks.request(name, run) : run();
}

/**
 * @param {string} words
 * @param {() => void} press
 */
function button(words, press) {
  const element = document.createElement("button");
  element.type = "button";
  element.className = "small";
  element.textContent = words;
  element.addEventListener("click", press);
  return element;
}

/** 32 random characters. crypto.randomUUID is not there on plain http. */
function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
