// The list of boards beside the messages, or in a sheet on a phone: which have something new, and which mention the reader;
// how far the reader has read here; and the button that mutes this board.

import { button, drawer as store } from "./outbox.js";
import { ask } from "./poller.js";

/**
 * @typedef {{slug: string, name: string, about: string, read_by: string, write_by: string, archived_at: string | null, newest: number | null,
 *   read?: number | null, unread?: number, mentions?: number}} Listed A board as the list has it. Guests get no counts.
 * @typedef {{newest: number, unread: number, isNew: boolean, isMentioned: boolean}} Standing `unread` was right when the list
 * was read; `isNew` says that more has come since.
 * @typedef {{read: string, id: number} | {muted: true} | {boards: Listed[], more: boolean, me: number}} Change What the tabs of a
 * browser tell each other; `me` is for whom the list was read.
 */

const MARKS = "read-marks/"; // and the username: what was read of boards for which the server has no mark, by slug
const MUTED = "muted-boards"; // in this browser
const MOST = 500; // boards whose marks are kept
const LIMIT_MS = 30_000; // for an answer
const MARK_MS = 10_000; // between two marks that are sent
const OLD_MS = 60_000; // after which the list is read again when somebody looks
const SPREAD_MS = 3000; // when the list changes, all pages hear of it at once…
const SPREAD_EACH_MS = 10; // …and each more that watches lets them take longer
const MOST_UNREAD = 100; // as far as the server counts

/** @type {Standing} */
const NOTHING = { newest: 0, unread: 0, isNew: false, isMentioned: false };

export class Rail {
  #nav;
  #slug;
  /** The reader's account; 0 for a guest. */
  #me;
  /** The name under which marks are kept. */
  #kept;
  #mute;
  #note = document.createElement("p");
  /** @type {Map<string, Standing>} By slug. */
  #boards = new Map();
  /** @type {Map<string, number>} By slug: the newest message that was seen in this browser. The server may not know yet. */
  #read = new Map();
  #tabs;
  #tell;
  #listed;
  /** Whether this page has ended, as its reader may no longer read the board. */
  #isStopped = false;
  #isOver = false;
  /** Whether the newest message is in view when the page is. */
  #isAtTop = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #reading;
  #readAt = -Infinity;
  /** Whether the list has been read, and whether it has all boards that the reader may read. */
  #isListed = false;
  #isWhole = false;
  #seen = 0;
  #marked = 0;
  #markedAt = -Infinity;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #marking;

  /**
   * @param {HTMLElement} nav
   * @param {string} slug Of this page's board.
   * @param {{isPolling: boolean}} tabs
   * @param {(change: Change) => void} tell Tells the other tabs.
   * @param {(boards: Listed[]) => void} listed Called with all boards that the reader may read.
   */
  constructor(nav, slug, tabs, tell, listed) {
    this.#nav = nav;
    this.#slug = slug;
    this.#tabs = tabs;
    this.#tell = tell;
    this.#listed = listed;
    this.#me = Number(nav.dataset.me);
    this.#kept = `${MARKS}${nav.dataset.as}`;
    this.#mute = button("Mute board", () => this.#turn());
    [this.#mute.className, this.#mute.id] = ["plain", "mute"];
    document.getElementById("notify")?.after(this.#mute);
    [this.#note.className, this.#note.hidden] = ["muted", true];
    this.#note.textContent = "Muted in this browser: the list of boards doesn't say what is new here.";
    document.querySelector(".around")?.after(this.#note);
    nav.addEventListener("toggle", () => (this.#reveal(), this.#look()));
    document.addEventListener("visibilitychange", () => this.#look());
    addEventListener("pagehide", () => this.#mark());
    this.#paint();
    this.#reveal();
    this.#readList();
    this.#watch();
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
    if (list || hasMissed) this.#readSoon();
    this.#paint();
  }

  /**
   * Ends what says that this board is being read.
   * @param {boolean} isSignedOut Whether the list, too, may be somebody else's from now on.
   */
  stop(isSignedOut) {
    [this.#isStopped, this.#isOver] = [true, isSignedOut];
    if (isSignedOut) this.#nav.querySelector("ul")?.replaceChildren();
    this.#mute.remove();
    this.#note.remove();
  }

  /**
   * This page's board has another address.
   * @param {string} slug
   */
  moved(slug) {
    const muted = this.#muted.map((one) => (one === this.#slug ? slug : one));
    if (muted.length) store.put(MUTED, JSON.stringify(muted));
    this.#keep({ [slug]: this.#seen });
    this.#slug = slug;
    for (const link of this.#links) {
      if (link.dataset.slug === slug) link.setAttribute("aria-current", "page");
    }
    this.#paint();
  }

  /** Reads the list soon: not at the same moment as all others. */
  readSoon() {
    this.#readSoon();
  }

  /** Looks when the newest message is in view. */
  #watch() {
    const list = /** @type {HTMLElement} */ (document.getElementById("messages"));
    const top = /** @type {HTMLElement} */ (document.getElementById("newest"));
    const look = () => {
      const newest = list.querySelector("article");
      if (newest && this.#isAtTop && !document.hidden && !this.#isStopped) this.#see(Number(newest.id.slice(1)));
    };
    new IntersectionObserver((entries) => {
      this.#isAtTop = entries[entries.length - 1].boundingClientRect.top >= 0;
      look();
    }).observe(top);
    new MutationObserver(look).observe(list, { childList: true });
    document.addEventListener("visibilitychange", look);
  }

  /** @param {number} id The newest message here, which the reader sees. */
  #see(id) {
    if (id <= this.#seen) return;
    this.#seen = id;
    this.#tell({ read: this.#slug, id });
    if (store.get(this.#kept)) this.#keep({ [this.#slug]: id }); // else the first look at the list does
    const pause = this.#markedAt + MARK_MS - performance.now();
    if (pause <= 0) this.#mark();
    else this.#marking ??= setTimeout(() => this.#mark(), pause);
  }

  /** Sends how far a member has read. If that fails, the next one makes up for it. */
  #mark() {
    clearTimeout(this.#marking);
    this.#marking = undefined;
    if (!this.#me || this.#seen <= this.#marked || this.#isStopped) return;
    [this.#marked, this.#markedAt] = [this.#seen, performance.now()];
    const headers = { "Content-Type": "application/json", Accept: "application/json" };
    const body = JSON.stringify({ id: this.#seen, as: this.#nav.dataset.as });
    const options = { method: "PUT", headers, body, keepalive: true }; // so that it is sent when the page is left
    fetch(`/api/v1/boards/${this.#slug}/read`, options).then(
      ({ ok }) => ok || (this.#marked = 0),
      () => (this.#marked = 0),
    );
  }

  #look() {
    if (document.visibilityState !== "visible") this.#mark();
    else if (performance.now() - this.#readAt > OLD_MS) this.#readList();
  }

  /** Scrolls a long list to this page's board. */
  #reveal() {
    const here = /** @type {HTMLElement | null} */ (this.#nav.querySelector("[aria-current]"));
    if (here && here.offsetTop + here.offsetHeight > this.#nav.clientHeight) {
      this.#nav.scrollTop = here.offsetTop - this.#nav.clientHeight / 2;
    }
  }

  /** The tab that polls reads the list and tells the others, which wait for that: twice as long as it may take. */
  #readSoon() {
    const watching = parseInt(document.getElementById("watching")?.textContent ?? "") || 1;
    const most = SPREAD_MS + SPREAD_EACH_MS * watching;
    this.#reading ??= setTimeout(() => this.#readList(), (this.#tabs.isPolling ? Math.random() : 2) * most);
  }

  /** Reads the list. If that fails, the old one stays until somebody looks again. */
  async #readList() {
    this.#begin();
    if (this.#isOver) return;
    try {
      const { boards, more } = await ask("/api/v1/boards", isList, LIMIT_MS);
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
   * @param {Listed[]} boards
   * @param {boolean} more
   */
  #hasRead(boards, more) {
    if (this.#isOver) return;
    [this.#isListed, this.#isWhole] = [true, !more];
    this.#take(boards);
    if (!more) this.#listed(boards);
  }

  /** @param {Listed[]} boards */
  #take(boards) {
    const isFirstLook = !store.get(this.#kept);
    const known = this.#marks;
    const fresh = boards.filter(({ slug }) => !known.has(slug));
    /** What was there at the first look is not new, but for a board that the reader was invited to. @param {Listed} board */
    const begin = ({ newest, read_by, read }) => read ?? ((isFirstLook && read_by !== "invited" && newest) || 0);
    if (isFirstLook || fresh.length) this.#keep(Object.fromEntries(fresh.map((board) => [board.slug, begin(board)])));
    if (this.#seen) this.#keep({ [this.#slug]: this.#seen });
    const marks = this.#marks;
    this.#boards = new Map(boards.map((board) => [board.slug, this.#standing(board, marks)]));
    this.#write(boards);
    this.#paint();
  }

  /**
   * @param {Listed} board
   * @param {Map<string, number>} marks
   * @returns {Standing}
   */
  #standing({ slug, newest: last, read, unread = 0, mentions = 0 }, marks) {
    const before = this.#boards.get(slug) ?? NOTHING;
    const newest = last ?? 0;
    // The server may not know yet:
    if (newest && Math.max(this.#read.get(slug) ?? 0, marks.get(slug) ?? 0) >= newest) return { ...NOTHING, newest };
    const isAhead = before.newest > newest; // the poll was faster than the list
    const isUnread = read == null && newest > (marks.get(slug) ?? newest); // else the server counts
    const isNew = isUnread || (isAhead && before.isNew);
    const isMentioned = mentions > 0 || (isAhead && before.isMentioned);
    return { newest: Math.max(before.newest, newest), unread, isNew, isMentioned };
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
      if (this.#isWhole) this.#readSoon(); // else it may be one of those that this list has no room for
    }
    if (newest > board.newest && !(this.#me && author === this.#me)) board.isNew = true;
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
      address.textContent = same.length > 1 && board.slug !== "first" ? board.slug : "";
      return item;
    });
    if (items.some((item, at) => list.children[at] !== item) || items.length !== list.children.length) {
      const focused = document.activeElement;
      list.replaceChildren(...items);
      if (focused instanceof HTMLElement && list.contains(focused)) focused.focus({ preventScroll: true });
    }
  }

  /** Shows what is new, at each board and on the button that opens the list. */
  #paint() {
    const muted = this.#muted;
    let count = 0;
    let isMentioned = false;
    for (const link of this.#links) {
      const slug = link.dataset.slug ?? "";
      const isMuted = muted.includes(slug);
      const isShown = this.#isListed && slug !== this.#slug && !isMuted; // what was read before, the list says
      const board = !isShown ? undefined : this.#boards.get(slug);
      const words = board ? inWords(board) : "";
      link.classList.toggle("new", words !== "");
      link.classList.toggle("muted", isMuted);
      /** @type {HTMLElement} */ (link.querySelector(".mark")).textContent = board ? inSigns(board) : "";
      /** @type {HTMLElement} */ (link.querySelector(".unseen")).textContent = isMuted
        ? ", muted"
        : words && `, ${words}`;
      if (words) count++;
      if (board?.isMentioned) isMentioned = true;
    }
    const opener = document.getElementById("open-boards");
    opener?.classList.toggle("new", count > 0);
    const note = count ? `, ${count} with something new${isMentioned ? ", you are mentioned" : ""}` : "";
    opener?.setAttribute("aria-label", `Boards${note}`);
    const isMuted = muted.includes(this.#slug);
    this.#mute.setAttribute("aria-pressed", String(isMuted));
    this.#mute.textContent = isMuted ? "Muted" : "Mute board";
    this.#note.hidden = !isMuted || this.#isStopped;
  }

  /** Mutes this board, or ends that. */
  #turn() {
    const muted = this.#muted.filter((slug) => slug !== this.#slug);
    if (muted.length === this.#muted.length) muted.push(this.#slug);
    store.put(MUTED, muted.length ? JSON.stringify(muted.slice(-MOST)) : "");
    this.#tell({ muted: true });
    this.#paint();
  }

  /** @param {Change} change That another tab tells. */
  changed(change) {
    if ("read" in change) {
      this.#read.set(change.read, change.id);
      const board = this.#boards.get(change.read);
      if (board && change.id >= board.newest) Object.assign(board, { ...NOTHING, newest: board.newest });
    } else if ("boards" in change && change.me === this.#me) {
      this.#begin();
      this.#hasRead(change.boards, change.more);
    }
    this.#paint();
  }

  get #links() {
    return [.../** @type {NodeListOf<HTMLAnchorElement>} */ (this.#nav.querySelectorAll("li a"))];
  }

  /** @returns {string[]} */
  get #muted() {
    const found = parsed(store.get(MUTED));
    return Array.isArray(found) ? found.map(String) : [];
  }

  /** @returns {Map<string, number>} By slug. */
  get #marks() {
    return new Map(Object.entries(parsed(store.get(this.#kept)) ?? {}));
  }

  /** @param {{[slug: string]: number}} more Keeps how far the reader has read. */
  #keep(more) {
    const marks = [...this.#marks, ...Object.entries(more)];
    store.put(this.#kept, JSON.stringify(Object.fromEntries(new Map(marks.slice(-MOST)))));
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

/** @param {Standing} board */
function inWords({ unread, isNew, isMentioned }) {
  const count = unread >= MOST_UNREAD ? "more than 99 new" : isNew ? "something new" : unread ? `${unread} new` : "";
  return [isMentioned ? "you are mentioned" : "", count].filter(Boolean).join(", ");
}

/** @param {Standing} board */
function inSigns({ unread, isNew, isMentioned }) {
  const count = unread >= MOST_UNREAD ? "99+" : unread && !isNew ? `${unread}` : ""; // no count that is not right
  return isMentioned ? `@${count}` : count;
}

/** @param {string} json */
function parsed(json) {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}

/**
 * @param {import("./poller.js").Json} reply
 * @returns {reply is {boards: Listed[], more: boolean}}
 */
function isList(reply) {
  return Array.isArray(reply.boards);
}
