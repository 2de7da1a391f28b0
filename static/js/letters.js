// What was written for other boards than this page's. Messages that wait are sent from any page of the site, each to the
// address that it is for. Words for a board that is gone, or on which their author may no longer write, are shown here, so
// that they can be copied.

import { button, drawer as store, Outbox } from "./outbox.js";
import { parsed } from "./marks.js";
import { boardsTime, Failure } from "./poller.js";
import { whereIs } from "./rail.js";
import { t } from "./words.js";

/**
 * @typedef {{slug: string, name: string, isGone?: true, isSeen?: true}} Place A board, as it was when something was written
 * there; whether it is gone, and its author has seen that the words are here.
 */

const PATIENCE_MS = 2000; // most messages are sent by then, and nothing need be said of them
const WRITTEN = /^(boards\/\w+\/|)(?:draft\/([^/]*)(?:\/to\/\d+)?$|outbox\/([^/]*)\/)/; // the names of a draft and of a waiting message

export class Letters {
  #as;
  #own;
  /** @type {Place} */
  #place;
  #limit;
  #isClosed = false;
  /** @type {Map<string, Outbox>} */
  #outboxes = new Map();
  #section = document.createElement("section");
  /** @type {Map<string, Place>} By how the names of what is kept for a board begin: those that are gone, for this reader. */
  #gone = new Map();
  /** @type {Map<string, [string, string][]>} By the same: what was discarded on this page, by name. */
  #discarded = new Map();

  /**
   * @param {DOMStringMap} page
   * @param {Place} place This page's board.
   */
  constructor({ as = "", key = "", limit }, place) {
    this.#as = as;
    this.#own = key;
    this.#place = place;
    this.#section.className = "elsewhere";
    this.#section.setAttribute("aria-label", t("For other boards"));
    const own = /** @type {HTMLElement} */ (document.getElementById("outbox"));
    own.before(this.#section);
    if (document.getElementById("composer"))
      new MutationObserver(() => this.#offer(own)).observe(own, { childList: true });
    this.#limit = Number(limit);
    this.#send();
    addEventListener("storage", ({ key: name }) => name?.includes("outbox/") && this.#send());
    document.addEventListener("visibilitychange", () => this.#remember());
    addEventListener("pagehide", () => this.#remember());
  }

  /**
   * Looks whether something was written for a board that is not in the list any more.
   * @param {Set<string>} slugs Of all boards that the reader may read.
   */
  async find(slugs) {
    for (const [board, place] of this.#written) {
      if (board === this.#own || !place) continue;
      const isListed = slugs.has(place.slug);
      if (isListed) this.#gone.delete(board);
      if (isListed || this.#gone.has(board)) continue;
      const found = place.isGone ? null : await whereIs(place.slug);
      if (found && !(found instanceof Failure))
        this.#keep(board, { slug: found.slug, name: found.name }); // it only has another address
      else if (!found || found.code === "no_such_board") this.#gone.set(board, place);
    }
    this.#show();
  }

  /** Sends nothing any more, because its author has been signed out. */
  close() {
    this.#isClosed = true;
    for (const outbox of this.#outboxes.values()) outbox.close();
    this.#section.remove();
  }

  /** Shows what was written for this page's board, which is gone. @returns {boolean} Whether there is anything. */
  lose() {
    this.#gone.set(this.#own, this.#place);
    this.#place = { ...this.#place, isGone: true, isSeen: true };
    this.#remember();
    this.#show();
    return this.#words(this.#own).length > 0;
  }

  /** @param {Place} place What this page's board is called now. */
  rename(place) {
    this.#place = { ...this.#place, ...place };
  }

  /** Keeps which board it is, while something is kept for it. */
  #remember() {
    if (!this.#own) return; // the first board is never gone
    const isKept = this.#words(this.#own).length > 0;
    this.#keep(this.#own, isKept ? this.#place : null);
  }

  /**
   * @param {string} board
   * @param {Place | null} place
   */
  #keep(board, place) {
    store.put(`${board}place/${this.#as}`, place ? JSON.stringify(place) : "");
  }

  /** Sends what waits, and says so if that takes long. */
  #send() {
    const show = () => setTimeout(() => this.#show()); // then the message is out of the outbox
    const callbacks = { sent: show, refused: () => (show(), false), back: () => false };
    for (const [board, { url }] of this.#isClosed ? [] : this.#letters) {
      const list = document.createElement("div");
      if (!this.#outboxes.has(board))
        this.#outboxes.set(board, new Outbox(list, url, this.#as, "", this.#limit, callbacks, board));
    }
    setTimeout(show, PATIENCE_MS);
  }

  /** Where something of this author is kept, by how the names begin. @returns {Map<string, Place | null>} */
  get #written() {
    const found = store.names("").flatMap((name) => {
      const [, board, draft, letter] = name.match(WRITTEN) ?? [];
      return (draft ?? letter) === this.#as ? [board] : [];
    });
    return new Map(found.map((board) => [board, parsed(store.get(`${board}place/${this.#as}`))]));
  }

  /** The messages that wait, by how the names begin: where they are for, and whether one was refused. */
  get #letters() {
    /** @type {Map<string, {url: string, isRefused: boolean}>} */
    const found = new Map();
    for (const board of this.#written.keys()) {
      const all = store.names(`${board}outbox/${this.#as}/`).map((name) => parsed(store.get(name)));
      if (!all.length || board === this.#own) continue;
      const url = String(all[0]?.url ?? `${location.origin}/add`); // a letter of the last release has none
      if (url.startsWith(`${location.origin}/`)) found.set(board, { url, isRefused: all.some((one) => one?.refused) });
    }
    return found;
  }

  /**
   * Returns all that this author has written there and not posted.
   * @param {string} board
   * @returns {string[]}
   */
  #words(board) {
    const letters = store
      .names(`${board}outbox/${this.#as}/`)
      .map((name) => String(parsed(store.get(name))?.text ?? ""));
    return [...letters, ...this.#drafts(board).map((name) => store.get(name))].filter(Boolean);
  }

  /** @param {string} board @returns {string[]} The names of what this author has written there and not sent. */
  #drafts(board) {
    const draft = `${board}draft/${this.#as}`;
    return [draft, ...store.names(`${draft}/to/`).filter((name) => /\d$/.test(name))];
  }

  #show() {
    const parts = [...this.#gone].map(([board, place]) =>
      this.#kept(
        board,
        !place.isSeen,
        around(t("You wrote this for %(board)s, which you can't read any more"), bdi(place.name)),
      ),
    );
    const isClosed = !document.getElementById("composer"); // to this author: no form has the words
    if (isClosed && !this.#gone.has(this.#own)) {
      parts.push(this.#kept(this.#own, true, [t("You wrote this here, and it is not posted")]));
    }
    const waiting = [...this.#letters].filter(([board]) => !this.#gone.has(board));
    const lines = waiting.map(([board, letter]) => this.#waiting(board, letter));
    this.#section.replaceChildren(...parts.flat(), ...lines);
    if (document.hidden) return;
    for (const [board, place] of this.#gone) {
      if (this.#words(board).length) this.#keep(board, { ...place, isGone: true, isSeen: true });
    }
  }

  /**
   * @param {string} board
   * @param {{url: string, isRefused: boolean}} letter
   */
  #waiting(board, { url, isRefused }) {
    const line = document.createElement("p");
    const link = document.createElement("a");
    const first = document.querySelector("#boards [data-slug=first] bdi")?.textContent;
    link.href = url.replace(/add$/, "");
    link.append(bdi((board ? parsed(store.get(`${board}place/${this.#as}`))?.name : first) ?? t("another board")));
    const says = isRefused
      ? t("What you wrote for %(board)s was not taken.")
      : t("What you wrote for %(board)s is not sent yet.");
    line.append(...around(says, link));
    return line;
  }

  /**
   * Shows what was written for a board, as long as there is anything; or that it was discarded here.
   * @param {string} board
   * @param {boolean} isOpen
   * @param {(string | Node)[]} says What is said of it.
   */
  #kept(board, isOpen, says) {
    if (this.#discarded.has(board)) return [this.#undo(board)];
    const words = this.#words(board);
    if (!words.length) return [];
    const before = this.#part(board);
    const kept = document.createElement("details");
    kept.dataset.board = board;
    kept.open = before instanceof HTMLDetailsElement ? before.open : isOpen;
    const line = document.createElement("summary");
    line.append(...says);
    const quotes = words.map((text) => {
      const quote = document.createElement("blockquote");
      [quote.dir, quote.textContent] = ["auto", text];
      return quote;
    });
    kept.append(
      line,
      ...quotes,
      button(t("Discard"), () => this.#discard(board)),
    );
    return [kept];
  }

  /** @param {string} board @returns {HTMLElement | undefined} What is shown of it. */
  #part(board) {
    return /** @type {HTMLElement[]} */ ([...this.#section.children]).find((one) => one.dataset.board === board);
  }

  /** @param {string} board */
  #undo(board) {
    const line = document.createElement("p");
    line.dataset.board = board;
    line.setAttribute("role", "status");
    line.append(
      t("What you wrote is discarded.") + " ",
      button(t("Undo"), () => this.#giveBack(board)),
    );
    return line;
  }

  /** @param {string} board */
  #discard(board) {
    const names = this.#drafts(board).flatMap((draft) => [draft, `${draft}/origin`, `${draft}/reply`]);
    names.push(`${board}place/${this.#as}`, ...store.names(`${board}outbox/${this.#as}/`));
    this.#discarded.set(
      board,
      names.map((name) => [name, store.get(name)]),
    );
    for (const name of names) store.put(name, "");
    this.#show();
    this.#part(board)?.querySelector("button")?.focus();
  }

  /** @param {string} board */
  #giveBack(board) {
    for (const [name, text] of this.#discarded.get(board) ?? []) store.put(name, text);
    this.#discarded.delete(board);
    this.#show();
    this.#part(board)?.querySelector("summary")?.focus();
  }

  /**
   * Lets letters be sent again that this board has refused: it may take them by now, as when it was archived then. So what
   * it said is quoted.
   * @param {HTMLElement} outbox
   */
  #offer(outbox) {
    const letters = /** @type {NodeListOf<HTMLElement>} */ (outbox.querySelectorAll(".refused[data-name]"));
    for (const letter of letters) {
      const { name = "" } = letter.dataset; // as outbox.js has put it
      const why = letter.querySelector(".state")?.firstChild;
      why?.replaceWith(t("It was not taken: “%(why)s”", { why: why.textContent ?? "" }));
      letter.querySelector("button")?.before(button(t("Send again"), () => this.#again(name)));
    }
  }

  /** @param {string} name Of a letter that was refused. */
  #again(name) {
    const { refused, ...letter } = parsed(store.get(name)) ?? {};
    if (!refused) return; // another tab has it
    const at = boardsTime();
    store.put(name, "");
    store.put(`${this.#own}outbox/${this.#as}/${at}-${letter.key}`, JSON.stringify({ ...letter, at }));
    dispatchEvent(new StorageEvent("storage", { key: name }));
    dispatchEvent(new Event("online")); // the outbox looks what it can send
  }
}

/**
 * Puts a node at its place in a sentence: translations have it elsewhere.
 * @param {string} sentence With %(board)s.
 * @param {Node} node
 */
function around(sentence, node) {
  const [before, after = ""] = sentence.split("%(board)s");
  return [before, node, after];
}

/** @param {string} name */
function bdi(name) {
  const element = document.createElement("bdi");
  element.textContent = name;
  return element;
}
