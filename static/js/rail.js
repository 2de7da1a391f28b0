// The list of boards beside the messages, or in a sheet on a phone: which have something new, and which mention the reader.

import { muted } from "./marks.js";
import { ask, Failure } from "./poller.js";
import { n, t } from "./words.js";

/**
 * @typedef {{slug: string, name: string, about: string, read_by: string, write_by: string, order: string, archived_at: string | null, newest: number | null,
 *   read?: number | null, unread?: number, mentions?: number}} Listed A board as the list has it. Guests get no counts.
 * @typedef {{newest: number, unread: number, isNew: boolean, isMentioned: boolean}} Standing `unread` is what the server has
 * counted for a member, and each message that was heard of since; guests have only `isNew`.
 * @typedef {{read: string, id: number} | {muted: true} | {boards: Listed[], more: boolean, me: number}} Change What the tabs of a
 * browser tell each other; `me` is for whom the list was read.
 */

const LIMIT_MS = 30_000; // for an answer
const OLD_MS = 60_000; // after which the list is read again when somebody looks
const SPREAD_MS = 3000; // when the list changes, all pages hear of it at once…
const SPREAD_EACH_MS = 10; // …and each more that watches lets them take longer
const MOST_UNREAD = 100; // as far as the server counts

/** @type {Standing} */
const NOTHING = { newest: 0, unread: 0, isNew: false, isMentioned: false };

export class Rail {
  #nav;
  #slug;
  #marks;
  /** The reader's account; 0 for a guest. */
  #me;
  /** @type {Map<string, Standing>} By slug. */
  #boards = new Map();
  #tabs;
  #tell;
  #listed;
  #isOver = false;
  /** @type {import("./edges.js").Edges | undefined} Loaded when there is something new. */
  #edges;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #reading;
  #readAt = -Infinity;
  /** Whether the list has been read, and whether it has all boards that the reader may read. */
  #isListed = false;
  #isWhole = false;

  /**
   * @param {HTMLElement} nav
   * @param {string} slug Of this page's board, if the page shows its newest messages.
   * @param {import("./marks.js").Marks} marks
   * @param {{isPolling: boolean}} tabs
   * @param {(change: Change) => void} tell Tells the other tabs.
   * @param {(boards: Listed[]) => void} listed Called with all boards that the reader may read.
   */
  constructor(nav, slug, marks, tabs, tell, listed) {
    this.#nav = nav;
    this.#slug = slug;
    this.#marks = marks;
    this.#tabs = tabs;
    this.#tell = tell;
    this.#listed = listed;
    this.#me = Number(nav.dataset.me);
    nav.addEventListener("toggle", () => (this.#reveal(), this.#look()));
    document.addEventListener("visibilitychange", () => this.#look());
    this.paint();
    this.#reveal();
    this.#readList();
  }

  get isMember() {
    return this.#me > 0;
  }

  /**
   * Takes what the poll of a tab has said.
   * @param {import("./several.js").Word} word
   * @param {boolean} hasMissed Whether there was more that this tab has not heard.
   */
  heard({ slug, messages, boards = {}, list }, hasMissed) {
    for (const message of messages) this.#has(slug, ...message);
    for (const [other, news] of Object.entries(boards)) {
      this.#has(other, ...news);
      const board = this.#boards.get(other);
      if (board) board.newest = news[0]; // lower than before, if what was the newest is deleted
    }
    if (list || hasMissed) this.readSoon();
    this.paint();
  }

  /** Its reader is signed out: the list, too, may be somebody else's from now on. */
  stop() {
    this.#isOver = true;
    this.#nav.querySelector("ul")?.replaceChildren();
  }

  /**
   * This page's board has another address.
   * @param {string} slug
   */
  moved(slug) {
    this.#slug = slug;
    for (const link of this.#links) {
      if (link.dataset.slug === slug) link.setAttribute("aria-current", "page");
    }
    this.paint();
  }

  /** This page's board is gone: it leaves the list at once. */
  gone(slug = this.#slug) {
    const link = this.#links.find((one) => one.dataset.slug === slug);
    link?.parentElement?.remove();
    this.readSoon();
  }

  #look() {
    if (document.visibilityState === "visible" && performance.now() - this.#readAt > OLD_MS) this.#readList();
  }

  /** Scrolls a long list to this page's board. */
  #reveal() {
    const here = /** @type {HTMLElement | null} */ (this.#nav.querySelector("[aria-current]"));
    if (here && here.offsetTop + here.offsetHeight > this.#nav.clientHeight) {
      this.#nav.scrollTop = here.offsetTop - this.#nav.clientHeight / 2;
    }
  }

  /**
   * Reads the list soon: not at the same moment as all others. The tab that polls reads it and tells the others, which wait
   * for that: twice as long as it may take.
   */
  readSoon() {
    const watching = Number(/\d+/.exec(document.getElementById("watching")?.textContent ?? "")) || 1;
    const most = SPREAD_MS + SPREAD_EACH_MS * watching;
    this.#reading ??= setTimeout(() => this.#readList(), (this.#tabs.isPolling ? Math.random() : 2) * most);
  }

  /** Reads the list. If that fails, the old one stays until somebody looks again. */
  async #readList() {
    this.#begin();
    if (this.#isOver) return;
    try {
      let { boards, more } = await ask("/api/v1/boards", isList, LIMIT_MS);
      if (!more) await this.#follow(boards);
      if (this.#me && (await this.#marks.adopt(boards)))
        ({ boards, more } = await ask("/api/v1/boards", isList, LIMIT_MS));
      if (this.#tabs.isPolling) this.#tell({ boards, more, me: this.#me });
      this.#hasRead(boards, more);
    } catch {
      this.#readAt = -Infinity;
    }
  }

  #begin() {
    clearTimeout(this.#reading);
    this.#reading = undefined;
    this.#readAt = performance.now();
  }

  /**
   * What is kept by slugs goes with boards that have other ones by now, and leaves with boards that are gone.
   * @param {Listed[]} boards All of them.
   */
  async #follow(boards) {
    const slugs = boards.map(({ slug }) => slug);
    const kept = new Set([...this.#marks.all.keys(), ...muted.all]);
    for (const old of [...kept].filter((slug) => !slugs.includes(slug))) {
      const found = await whereIs(old);
      if (found instanceof Failure && found.code !== "no_such_board") continue;
      for (const one of [this.#marks, muted]) one.rename(old, found instanceof Failure ? undefined : found.slug);
    }
  }

  /**
   * @param {Listed[]} boards
   * @param {boolean} more
   */
  #hasRead(boards, more) {
    if (this.#isOver) return;
    [this.#isListed, this.#isWhole] = [true, !more];
    if (!this.#me) this.#marks.begin(boards);
    const marks = this.#marks.all;
    this.#boards = new Map(boards.map((board) => [board.slug, this.#standing(board, marks)]));
    this.#write(boards);
    this.paint();
    if (!more) this.#listed(boards);
  }

  /**
   * @param {Listed} board
   * @param {Map<string, number>} marks
   * @returns {Standing}
   */
  #standing({ slug, newest: last, unread = 0, mentions = 0 }, marks) {
    const before = this.#boards.get(slug) ?? NOTHING;
    const newest = last ?? 0;
    const seen = marks.get(slug);
    if (newest && (seen ?? 0) >= newest) return { ...NOTHING, newest }; // the server may not know yet
    const isAhead = before.newest > newest; // the poll was faster than the list
    const isUnread = !this.#me && newest > (seen ?? newest);
    return {
      newest: Math.max(before.newest, newest),
      unread: isAhead ? Math.max(before.unread, unread) : unread,
      isNew: isUnread || (isAhead && before.isNew),
      isMentioned: mentions > 0 || (isAhead && before.isMentioned),
    };
  }

  /**
   * Notes that a board has a new message.
   * @param {string} slug
   * @param {number} newest
   * @param {number | null} author
   */
  #has(slug, newest, author) {
    if (slug === this.#slug) return;
    let board = this.#boards.get(slug);
    if (!board) {
      this.#boards.set(slug, (board = { ...NOTHING }));
      if (this.#isWhole) this.readSoon(); // else it may be one of those that this list has no room for
    }
    if (newest > board.newest) {
      if (!this.#me) board.isNew = true;
      else if (author !== this.#me) board.unread = Math.min(board.unread + 1, MOST_UNREAD);
    }
    board.newest = Math.max(board.newest, newest);
  }

  /** Writes the names, as they may have changed, and their order. @param {Listed[]} boards */
  #write(boards) {
    const list = /** @type {HTMLElement} */ (this.#nav.querySelector("ul"));
    const blank = /** @type {HTMLTemplateElement} */ (this.#nav.querySelector("template"));
    const links = new Map(this.#links.map((link) => [link.dataset.slug, link]));
    const names = boards.map(({ name }) => folded(name));
    boards.sort((one, other) => (placeOf(one) < placeOf(other) ? -1 : 1));
    const items = boards.map((board) => {
      const known = links.get(board.slug)?.parentElement;
      const item = known ?? /** @type {HTMLElement} */ (document.importNode(blank.content, true).firstElementChild);
      const link = /** @type {HTMLAnchorElement} */ (item.querySelector("a"));
      link.dataset.slug = board.slug;
      link.dataset.for = board.read_by;
      link.href = board.slug === "first" ? "/" : `/b/${board.slug}/`;
      if (link.title !== board.about) link.title = board.about;
      link.classList.toggle("archived", board.archived_at !== null);
      const name = /** @type {HTMLElement} */ (link.querySelector("bdi"));
      if (name.textContent !== board.name) name.textContent = board.name;
      const same = names.filter((one) => one === folded(board.name));
      const address = /** @type {HTMLElement} */ (link.querySelector("small"));
      const isAlike = same.length > 1 || (!this.#isWhole && address.textContent !== ""); // as the page said, which has all
      address.textContent = isAlike && board.slug !== "first" ? board.slug : "";
      return item;
    });
    if (items.some((item, at) => list.children[at] !== item) || items.length !== list.children.length) {
      const focused = document.activeElement;
      list.replaceChildren(...items);
      if (focused instanceof HTMLElement && list.contains(focused)) focused.focus({ preventScroll: true });
    }
  }

  /** Shows what is new, at each board and on the button that opens the list. */
  paint() {
    const all = muted.all;
    /** @type {HTMLElement[]} */
    const fresh = [];
    let isMentioned = false;
    for (const link of this.#links) {
      const slug = link.dataset.slug ?? "";
      const isMuted = all.includes(slug);
      const isShown = this.#isListed && slug !== this.#slug && !isMuted; // what was read before, the list says
      const board = !isShown ? undefined : this.#boards.get(slug);
      const words = board ? inWords(board) : "";
      link.classList.toggle("new", words !== "");
      link.classList.toggle("muted", isMuted);
      /** @type {HTMLElement} */ (link.querySelector(".mark")).textContent = board ? inSigns(board) : "";
      /** @type {HTMLElement} */ (link.querySelector(".unseen")).textContent = isMuted ? t(", muted") : words;
      if (words) fresh.push(link);
      if (board?.isMentioned) isMentioned = true;
    }
    const count = fresh.length;
    if (count || this.#edges) this.#mark(fresh);
    const opener = document.getElementById("open-boards");
    opener?.classList.toggle("new", count > 0);
    opener?.setAttribute("aria-label", openerInWords(count, isMentioned));
  }

  /** Says at the edges of a long list what is new out of view. @param {HTMLElement[]} fresh */
  async #mark(fresh) {
    const found = this.#edges ? null : await import("./edges.js").catch(() => null); // if the server is away
    if (found) this.#edges ??= new found.Edges(this.#nav);
    this.#edges?.show(fresh);
  }

  /** What stands beside a board's name where it looks like another one's. @param {string} slug */
  beside(slug) {
    return this.#links.find((one) => one.dataset.slug === slug)?.querySelector("small")?.textContent ?? "";
  }

  /** @param {Change} change That another tab tells. */
  changed(change) {
    if ("read" in change) this.seen(change.read, change.id);
    else if ("boards" in change && change.me === this.#me) {
      this.#begin();
      this.#hasRead(change.boards, change.more);
    }
    this.paint();
  }

  /**
   * Takes that a board was read in this browser.
   * @param {string} slug
   * @param {number} id
   */
  seen(slug, id) {
    this.#marks.see(slug, id);
    const board = this.#boards.get(slug);
    if (board && id >= board.newest) Object.assign(board, { ...NOTHING, newest: board.newest });
  }

  get #links() {
    return [.../** @type {NodeListOf<HTMLAnchorElement>} */ (this.#nav.querySelectorAll("li a"))];
  }
}

/**
 * Two names that look the same to a reader in a hurry: as in handlers/boards/rail.py.
 * @param {string} name
 */
const folded = (name) => name.normalize("NFKD").replace(/\p{M}/gu, "").toUpperCase().toLowerCase();

/**
 * The first board, then the others by their names, then archived ones: as in handlers/boards/rail.py.
 * @param {Listed} board
 */
const placeOf = ({ slug, archived_at, name }) =>
  `${slug === "first" ? 0 : archived_at ? 2 : 1} ${folded(name)} ${slug}`;

/**
 * What is said after a board's name.
 * @param {Standing} board
 */
function inWords({ unread, isNew, isMentioned }) {
  if (unread >= MOST_UNREAD) return isMentioned ? t(", you are mentioned, more than 99 new") : t(", more than 99 new");
  if (unread) {
    return isMentioned
      ? n(", you are mentioned, %(n)s new", ", you are mentioned, %(n)s new", unread)
      : n(", %(n)s new", ", %(n)s new", unread);
  }
  if (isNew) return isMentioned ? t(", you are mentioned, something new") : t(", something new");
  return isMentioned ? t(", you are mentioned") : "";
}

/**
 * @param {number} count Boards with something new.
 * @param {boolean} isMentioned
 */
function openerInWords(count, isMentioned) {
  if (!count) return t("Boards");
  return isMentioned
    ? n(
        "Boards, %(n)s with something new, you are mentioned",
        "Boards, %(n)s with something new, you are mentioned",
        count,
      )
    : n("Boards, %(n)s with something new", "Boards, %(n)s with something new", count);
}

/** @param {Standing} board */
function inSigns({ unread, isMentioned }) {
  const count = unread >= MOST_UNREAD ? "99+" : unread ? `${unread}` : "";
  return isMentioned ? `@${count}` : count;
}

/**
 * Asks what became of a board.
 * @param {string} slug That it had.
 * @returns {Promise<Listed | Failure>}
 */
export function whereIs(slug) {
  return ask(`/api/v1/boards/${slug}`, isPlace, LIMIT_MS).catch((error) => error);
}

/**
 * @param {import("./poller.js").Json} reply
 * @returns {reply is Listed & import("./poller.js").Json}
 */
function isPlace(reply) {
  return typeof reply.slug === "string" && typeof reply.name === "string";
}

/**
 * @param {import("./poller.js").Json} reply
 * @returns {reply is {boards: Listed[], more: boolean}}
 */
function isList(reply) {
  return Array.isArray(reply.boards);
}
