// How far the reader has read on this page's board, and the button that mutes it.

import { muted } from "./marks.js";
import { isOldestFirst } from "./order.js";
import { button } from "./outbox.js";
import { t } from "./words.js";

const MARK_MS = 10_000; // between two marks that are sent

export class Reading {
  #slug;
  #isMember;
  #marks;
  #tell;
  #rail;
  #mute;
  #note = document.createElement("p");
  /** Whether this page has ended, as its reader may no longer read the board. */
  #isStopped = false;
  /** Whether the newest message is in view when the page is. */
  #isAtTop = false;
  #seen = 0;
  /** How far the reader had read before, as far as this browser knows. */
  #before;
  /** Whether the list of boards has said it, too: a mark that was sent before would change that. */
  #hasBegun = false;
  #marked = 0;
  #markedAt = -Infinity;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #marking;

  /**
   * @param {string} slug
   * @param {import("./marks.js").Marks} marks
   * @param {(change: import("./rail.js").Change) => void} tell Tells the other tabs.
   * @param {import("./rail.js").Rail} rail
   */
  constructor(slug, marks, tell, rail) {
    this.#slug = slug;
    this.#isMember = rail.isMember;
    this.#marks = marks;
    this.#before = marks.all.get(slug) ?? 0;
    this.#tell = tell;
    this.#rail = rail;
    this.#mute = button(t("Mute board"), () => this.#turn());
    [this.#mute.className, this.#mute.id] = ["plain", "mute"];
    document.getElementById("notify")?.after(this.#mute);
    [this.#note.className, this.#note.hidden] = ["muted", true];
    this.#note.textContent = t("Muted in this browser: the list of boards doesn't say what is new here.");
    document.querySelector(".around")?.after(this.#note);
    document.addEventListener("visibilitychange", () => document.hidden && this.#mark(true));
    addEventListener("pagehide", () => this.#mark(true));
    this.paint();
    this.#watch();
  }

  /**
   * The list of boards has been read. The first time, a line is drawn above what was read before, on any device.
   * @param {number} read The member's mark, or 0.
   */
  begin(read) {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    const last = Math.max(read, this.#before);
    if (last && !this.#isStopped) import("./since.js").then(({ draw }) => draw(last)).catch(() => {});
    this.#mark();
  }

  /** Ends what says that this board is being read. */
  stop() {
    this.#isStopped = true;
    this.#mute.remove();
    this.#note.remove();
  }

  /**
   * The board has another address.
   * @param {string} slug
   */
  moved(slug) {
    this.#slug = slug;
    this.paint();
  }

  /** Says whether this board is muted. */
  paint() {
    const isMuted = muted.all.includes(this.#slug);
    this.#mute.setAttribute("aria-pressed", String(isMuted));
    this.#mute.textContent = isMuted ? t("Muted") : t("Mute board");
    this.#note.hidden = !isMuted;
  }

  /** Looks when the newest message is in view. */
  #watch() {
    const list = /** @type {HTMLElement} */ (document.getElementById("messages"));
    const top = /** @type {HTMLElement} */ (document.getElementById("newest"));
    const look = () => {
      const all = list.querySelectorAll("article");
      const newest = all[isOldestFirst() ? all.length - 1 : 0];
      if (newest && this.#isAtTop && !document.hidden && !this.#isStopped) this.#see(Number(newest.id.slice(1)));
    };
    const covered = parseFloat(getComputedStyle(list).scrollMarginTop) || 0; // see header.css
    const options = { rootMargin: `-${covered}px 0px 0px` };
    new IntersectionObserver((entries) => {
      const { boundingClientRect, rootBounds } = entries[entries.length - 1];
      const isAtEnd = boundingClientRect.top <= (rootBounds?.bottom ?? 0);
      this.#isAtTop = isOldestFirst() ? isAtEnd : boundingClientRect.top >= (rootBounds?.top ?? 0);
      look();
    }, options).observe(top);
    new MutationObserver(look).observe(list, { childList: true });
    document.addEventListener("visibilitychange", look);
  }

  /** @param {number} id The newest message here, which the reader sees. */
  #see(id) {
    if (id <= this.#seen) return;
    this.#seen = id;
    this.#tell({ read: this.#slug, id });
    this.#rail.seen(this.#slug, id);
    const pause = this.#markedAt + MARK_MS - performance.now();
    if (pause <= 0) this.#mark();
    else this.#marking ??= setTimeout(() => this.#mark(), pause);
  }

  /**
   * Sends how far a member has read. If that fails, the next one makes up for it.
   * @param {boolean} isLeaving
   */
  async #mark(isLeaving = false) {
    clearTimeout(this.#marking);
    this.#marking = undefined;
    if (!this.#isMember || this.#seen <= this.#marked || this.#isStopped) return;
    if (!this.#hasBegun && !isLeaving) return;
    [this.#marked, this.#markedAt] = [this.#seen, performance.now()];
    if (!(await this.#marks.send(this.#slug, this.#seen))) this.#marked = 0;
  }

  /** Mutes this board, or ends that. */
  #turn() {
    const others = muted.all.filter((slug) => slug !== this.#slug);
    muted.put(muted.all.includes(this.#slug) ? others : [...others, this.#slug]);
    this.#tell({ muted: true });
    this.#rail.paint();
    this.paint();
  }
}
