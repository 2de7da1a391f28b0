// What this browser keeps about boards, by their slugs: how far its reader has read, and which are muted.

import { drawer as store } from "./outbox.js";

const MARKS = "read-marks/"; // and the username, or nothing for a guest
const MUTED = "muted-boards";
const MOST = 500; // boards of which something is kept

/**
 * Read marks. A guest's begin with the first look at the list, and say what is new. A member's are on the server: here is
 * what was seen in this browser, as the server may not know yet.
 */
export class Marks {
  #as;
  /** @type {Map<string, number>} What was seen on this page. */
  #seen = new Map();

  /** @param {string} as The username, or nothing for a guest. */
  constructor(as) {
    this.#as = as;
  }

  /** @returns {Map<string, number>} By slug. */
  get all() {
    return new Map(Object.entries(parsed(store.get(MARKS + this.#as)) ?? {}));
  }

  /**
   * @param {string} slug
   * @param {number} id The newest message that the reader has seen there.
   */
  see(slug, id) {
    this.#seen.set(slug, Math.max(id, this.#seen.get(slug) ?? 0, this.all.get(slug) ?? 0));
    if (this.#as || this.all.size) this.#keep(this.#seen); // else the first look at the list does
  }

  /**
   * Begins a guest's marks: what was there at the first look is not new. Of a board that came later, all is.
   * @param {import("./rail.js").Listed[]} boards
   */
  begin(boards) {
    const known = this.all;
    const fresh = boards.filter(({ slug }) => !known.has(slug));
    /** @type {[string, number][]} */
    const begun = fresh.map(({ slug, newest }) => [slug, known.size ? 0 : (newest ?? 0)]);
    if (fresh.length) this.#keep([...begun, ...this.#seen]);
  }

  /**
   * Gives the server what a guest had not read in this browser, of boards where the member who has signed in since has no
   * mark and nothing new.
   * @param {import("./rail.js").Listed[]} boards
   * @returns {Promise<boolean>} Whether there was anything.
   */
  async adopt(boards) {
    const guests = new Marks("").all;
    if (!guests.size) return false;
    store.put(MARKS, "");
    const unread = boards.filter(
      ({ slug, newest, read, unread }) =>
        read == null && !unread && (guests.get(slug) ?? Infinity) < (newest ?? 0) && !this.all.has(slug),
    );
    const sent = await Promise.all(unread.map(({ slug }) => this.send(slug, guests.get(slug) ?? 0)));
    return sent.includes(true);
  }

  /**
   * Sends how far a member has read on a board.
   * @param {string} slug
   * @param {number} id
   * @returns {Promise<boolean>} Whether the server has taken it.
   */
  send(slug, id) {
    const headers = { "Content-Type": "application/json", Accept: "application/json" };
    const body = JSON.stringify({ id, as: this.#as });
    const options = { method: "PUT", headers, body, keepalive: true }; // so that it is sent when the page is left
    return fetch(`/api/v1/boards/${slug}/read`, options).then(
      ({ ok }) => ok,
      () => false,
    );
  }

  /**
   * @param {string} old
   * @param {string | undefined} slug Undefined if the board is gone.
   */
  rename(old, slug) {
    const marks = this.all;
    const id = marks.get(old);
    if (id === undefined || !marks.delete(old)) return;
    this.#seen.delete(old);
    store.put(MARKS + this.#as, JSON.stringify(Object.fromEntries(marks)));
    if (slug) this.#keep([[slug, id]]);
  }

  /** @param {Iterable<[string, number]>} more */
  #keep(more) {
    const marks = [...this.all, ...more];
    store.put(MARKS + this.#as, JSON.stringify(Object.fromEntries(new Map(marks.slice(-MOST)))));
  }
}

/** The boards that are muted in this browser, for all who use it. */
export const muted = {
  /** @returns {string[]} */
  get all() {
    const found = parsed(store.get(MUTED));
    return Array.isArray(found) ? found.map(String) : [];
  },

  /** @param {string[]} slugs */
  put(slugs) {
    store.put(MUTED, slugs.length ? JSON.stringify(slugs.slice(-MOST)) : "");
  },

  /**
   * @param {string} old
   * @param {string | undefined} slug Undefined if the board is gone.
   */
  rename(old, slug) {
    if (this.all.includes(old)) this.put(this.all.flatMap((one) => (one === old ? (slug ?? []) : one)));
  },
};

/** @param {string} json What the browser kept. */
export function parsed(json) {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}
