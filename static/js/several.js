// What is different on a site of several boards: one poll for the tabs of all of them, which tell each other what it says of
// the other boards. This script starts main.js, and stands between its page and its tabs, so that a site with one board
// loads nothing of it.

import { ask, Failure, Tabs } from "./poller.js";
import { Letters } from "./letters.js";
import { Marks } from "./marks.js";
import { keptOrder } from "./order.js";
import { drawer as store } from "./outbox.js";
import { Rail, whereIs } from "./rail.js";
import { Reading } from "./reading.js";
import { t } from "./words.js";

/**
 * @typedef {import("./board.js").Reply} Reply
 * @typedef {{slug: string, from: number, to: number, messages: [number, number | null][], boards: Reply["boards"],
 *   list?: true, isSeen: boolean}} Word What a poll has said: of which board it was, up to which change its tab had heard of
 * the others before and after it, and the board's new messages with their authors. `isSeen` says whether somebody looks.
 * @typedef {{word: Word} | {isLost: true} | {stopped: string} | {gone: string, words: string} | {signedIn: true} |
 *   import("./rail.js").Change} Told What tabs tell each other, whatever their boards. `gone` is the key of a board.
 */

const NAME = "longboard/boards"; // of the lock and the channels: tabs that know of one board only never hear of the others
const NO_BOARD = "no_such_board";
const GONE = [
  t("You can't read this board any more: it was deleted, or is for others now."),
  t("What you wrote stands above: copy it."),
  t("See the boards"),
];
/** @type {Record<string, string>} */
const WRITERS = {
  members: t("Only members write here now."),
  moderators: t("Only moderators and the board's owner write here now."),
};
/** @type {Record<string, string>} */
const READERS = {
  members: t("Only members can read this."),
  invited: t("Only people who are invited can read this."),
};
/** @type {Record<string, string>} */
const ORDERS = {
  newest: t("This board has the newest message first now."),
  oldest: t("This board has the oldest message first now."),
};
const ONLY_HERE = [NO_BOARD, "sign_in_first"]; // refusals that say nothing about other boards

let { slug = "", others = "0", of } = /** @type {HTMLElement} */ (document.getElementById("messages")).dataset;
const nav = /** @type {HTMLElement} */ (document.getElementById("boards"));
const { key = "" } = nav.dataset;

const firstTitle = document.title;
let title = firstTitle; // with the name that the board has now
new MutationObserver(retitle).observe(document.head, { childList: true, subtree: true });

/** A tab among those of all boards. */
class Several {
  #page;
  #stopped;
  #tabs;
  #rail;
  #reading;
  #letters;
  /** @type {import("./rail.js").Listed | undefined} What the list said of this board. */
  #listed;
  /** @type {BroadcastChannel | null} */
  #channel = null;
  /** The change up to which this tab has heard of the other boards. */
  #others = Number(others);
  /** The code of the refusal that has stopped this tab. */
  #code = "";
  #isStopped = false;
  #isAsking = false;
  /** Whether there is something new here that the request on its way may not bring. */
  #isBehind = false;
  /** The new message here of which nobody has been told who looks at no tab; or 0. */
  #unseen = 0;
  /** The newest message here of which word came. */
  #told = 0;
  /** Whether the last request that was to catch up has failed. */
  #hasFailed = false;

  /**
   * @param {import("./poller.js").Page} page
   * @param {Tabs} tabs
   */
  constructor(page, tabs) {
    const { lost, stopped } = page;
    this.#page = page;
    this.#stopped = stopped;
    this.#tabs = tabs;
    Object.assign(page, { lock: NAME, channel: `${NAME}/${key}`, ask: this.#ask.bind(this) });
    page.lost = () => {
      lost();
      if (tabs.isPolling) this.#tell({ isLost: true });
    };
    page.stopped = (words) => this.#stop(words);
    this.#join();
    addEventListener("pageshow", (event) => event.persisted && this.#join());
    addEventListener("pagehide", () => this.#leave()); // so that the browser can bring the page back as it was
    const name = document.querySelector(".board-head h1")?.textContent ?? "";
    this.#letters = new Letters(nav.dataset, { slug, name });
    const marks = new Marks(nav.dataset.as ?? "");
    const tell = (/** @type {Told} */ told) => this.#tell(told);
    this.#rail = new Rail(nav, of ? "" : slug, marks, tabs, tell, (boards) => this.#look(boards));
    this.#reading = of ? null : new Reading(slug, marks, tell, this.#rail); // a message's page does not show the newest
    if (this.#rail.isMember) this.#tell({ signedIn: true });
  }

  #join() {
    try {
      this.#channel = new BroadcastChannel(NAME);
      this.#channel.onmessage = ({ data }) => this.#hear(data);
    } catch {} // there is none, or it is refused
  }

  #leave() {
    this.#channel?.close();
    this.#channel = null;
  }

  /** @param {Told} told */
  #tell(told) {
    this.#channel?.postMessage(told);
  }

  /**
   * As `ask`, for polls: they also ask for word of the other boards. A tab that only catches up does not.
   * @template {import("./poller.js").Json} Answer
   * @param {string} url
   * @param {(reply: import("./poller.js").Json) => reply is Answer} isRight
   * @param {number} limit
   * @param {RequestInit} options
   * @param {AbortController} request
   */
  async #ask(url, isRight, limit, options = {}, request = new AbortController()) {
    const from = this.#others;
    const asked = this.#tabs.isPolling ? url.replace(/after=[^&]+/, `$&&others=${from}`) : url;
    [this.#isAsking, this.#isBehind] = [true, false];
    try {
      const reply = await ask(asked, isRight, limit, options, request);
      this.#hasFailed = false;
      const said = /** @type {Reply} */ (/** @type {unknown} */ (reply));
      if (asked !== url) this.#say(from, said);
      else this.#notify(said);
      return reply;
    } catch (error) {
      this.#hasFailed = asked === url;
      if (!(error instanceof Failure) || !error.isOurs) throw error;
      if (error.code !== NO_BOARD && error.status !== 401) throw error; // so the 404 of a server that knows no boards passes
      this.#code = error.code;
      if (error.code === NO_BOARD) this.#tell({ gone: key, words: error.message });
      if (asked === url && ONLY_HERE.includes(error.code)) this.#tabs.stop(error.message); // no other tab hears of this
      throw new Failure(error.message, 401, 0, true, error.code); // which ends the polls
    } finally {
      this.#isAsking = false;
      if (this.#isBehind) setTimeout(() => this.#catchUp());
    }
  }

  /**
   * Passes on what the poll says.
   * @param {number} from
   * @param {Reply} reply
   */
  #say(from, { messages, boards, list, others: to = from }) {
    /** @type {[number, number | null][]} */
    const come = messages.flatMap((one) => (one.deleted ? [] : [[one.id, one.author?.id ?? null]]));
    const word = { slug, from, to, messages: come, boards, list, isSeen: !document.hidden };
    this.#tell({ word });
    this.#take(word);
  }

  /** @param {Word} word */
  #take(word) {
    const hasMissed = word.from > this.#others; // as the tab before was interrupted, or this one slept
    this.#others = Math.max(this.#others, word.to);
    this.#rail.heard(word, hasMissed);
    const [, news] = Object.entries(word.boards ?? {}).find(([other]) => other === slug && other !== word.slug) ?? [];
    if (news) {
      this.#unseen = word.isSeen ? 0 : this.#unseen || this.#told + 1; // one word may be of several messages
      this.#told = news[0];
    }
    if (hasMissed || word.list || this.#hasFailed || news) this.#catchUp();
  }

  /**
   * Notifies of a message that came while nobody looked at a tab. The tab that polls tells its own.
   * @param {Reply} reply
   */
  async #notify({ messages }) {
    const unseen = messages.flatMap((one) => (one.deleted || one.id < this.#unseen ? [] : [one]));
    if (!unseen.length || !this.#unseen) return;
    this.#unseen = 0;
    const bell = document.getElementById("notify");
    if (!bell || !document.hidden || !store.get("notify")) return;
    const found = await import("./notify.js").catch(() => null); // if the server is away by now
    if (found) new found.Notifications(bell).show(unseen[unseen.length - 1], unseen);
  }

  #catchUp() {
    if (this.#tabs.isPolling || this.#isStopped) return;
    if (this.#isAsking) this.#isBehind = true;
    else this.#tabs.pollNow();
  }

  /** @param {Told} told */
  #hear(told) {
    if ("word" in told) {
      this.#tabs.hear({ state: "back" });
      this.#take(told.word);
    } else if ("isLost" in told) this.#tabs.hear({ state: "lost" });
    else if ("stopped" in told) this.#tabs.hear({ stopped: told.stopped });
    else if ("signedIn" in told) this.#tabs.hear({ signedIn: true });
    else if (!("gone" in told)) {
      this.#rail.changed(told);
      this.#reading?.paint();
    } else if (told.gone === key) {
      this.#code = NO_BOARD;
      if (this.#isStopped) this.#gone();
      else this.#tabs.hear({ stopped: told.words });
    }
  }

  /** @param {import("./rail.js").Listed[]} boards All that the reader may read. */
  #look(boards) {
    this.#letters.find(new Set(boards.map((board) => board.slug)));
    const now = boards.find((board) => board.slug === slug);
    if (now) {
      this.#reading?.begin(now.read ?? 0);
      this.#compare(now);
    } else if (!this.#isStopped) this.#follow();
  }

  /** @param {import("./rail.js").Listed} now What the server says of this board. */
  #compare(now) {
    const before = this.#listed;
    this.#listed = now;
    if (this.#isStopped || slug === "first") return;
    document.getElementById("messages")?.toggleAttribute("data-archived", now.archived_at !== null);
    rename(now, this.#rail.beside(slug));
    this.#letters.rename({ slug, name: now.name });
    if (!before) return;
    const only = this.#mayWrite(now) ? "" : WRITERS[now.write_by];
    const change =
      before.archived_at !== now.archived_at
        ? now.archived_at
          ? t("This board has been archived: nothing new is written here.")
          : (t("This board is open again.") + " " + only).trim()
        : before.write_by !== now.write_by
          ? only || t("Who may write here has changed.")
          : before.order !== now.order && !of && !store.get(keptOrder)
            ? (ORDERS[now.order] ?? "") // a node of the last release says none
            : "";
    if (change) say(change, now.archived_at !== null || only !== "");
  }

  /** Whether this reader may write on a board that is not archived. @param {import("./rail.js").Listed} now */
  #mayWrite({ write_by }) {
    const manages = document.querySelector(".board-head .button") !== null; // its settings
    return manages || write_by === "guests" || (write_by === "members" && this.#rail.isMember);
  }

  /** This page's board is not in the list: it has another address, or is gone. */
  async #follow() {
    const found = await whereIs(slug);
    if (found instanceof Failure) return this.#catchUp(); // which says so, if no poll does
    slug = found.slug;
    const list = /** @type {HTMLElement} */ (document.getElementById("messages"));
    list.dataset.history = `/api/v1/boards/${slug}/messages`;
    if (of) this.#page.home = list.dataset.home = `/b/${slug}/`;
    else {
      history.replaceState(history.state, "", `/b/${slug}/${location.hash}`);
      this.#rail.moved(slug);
      this.#reading?.moved(slug);
    }
    this.#compare(found); // with the address, other things may have changed
  }

  /** @param {string} words */
  #stop(words) {
    this.#isStopped = true;
    const isSignedOut = !ONLY_HERE.includes(this.#code);
    this.#reading?.stop();
    for (const one of document.querySelectorAll(".facts, .around, .invite, .changed")) one.remove();
    /** @type {HTMLElement} */ (document.getElementById("sign")).className = "alone"; // in the middle: nothing else is left
    if (isSignedOut) {
      this.#rail.stop();
      this.#letters.close();
      this.#leaveBoard();
    }
    this.#stopped(words);
    if (this.#code === NO_BOARD) this.#gone();
    else if (slug !== "first") link().href = `/signin?next=${location.pathname}`;
    if (this.#code && !ONLY_HERE.includes(this.#code)) this.#tell({ stopped: words });
  }

  /** Nothing here says any more which boards there are, or that one is read. */
  #leaveBoard() {
    for (const one of document.querySelectorAll("#boards, #open-boards")) one.remove();
    const heading = document.createElement("h1");
    heading.className = "unseen"; // as on the first board's page
    heading.textContent = document.querySelector(".brand span")?.textContent ?? "";
    document.querySelector(".board-head")?.replaceWith(heading);
  }

  #gone() {
    document.querySelector(".board-head .button")?.remove();
    for (const one of document.querySelectorAll("#composer, #outbox")) one.remove();
    const isKept = this.#letters.lose();
    const panel = document.createElement("div");
    panel.className = "alone";
    const lines = GONE.map((words) => Object.assign(document.createElement("p"), { textContent: words }));
    const link = document.createElement("a");
    [link.href, link.textContent] = ["/boards", GONE[2]];
    lines[2].replaceChildren(link);
    panel.append(...lines.filter((_, at) => isKept || at !== 1));
    document.getElementById("messages")?.before(panel);
    /** @type {HTMLElement} */ (document.getElementById("spoken")).textContent =
      panel.querySelector("p")?.textContent ?? "";
    document.getElementById("sign")?.remove();
    this.#rail.gone(slug);
  }
}

/**
 * Shows what a board is called, the line about it, and who may read it.
 * @param {import("./rail.js").Listed} now
 * @param {string} beside What tells it apart from another one of this name.
 */
function rename(now, beside) {
  const [heading, name, about, who] = ["h1", "h1 bdi", ".about", ".who"].map((one) =>
    document.querySelector(`.board-head ${one}`),
  );
  const called = beside ? `${now.name} (${beside})` : now.name;
  const before = heading?.textContent?.replace(/\s+/g, " ").trim();
  if (heading && name && before && before !== called) {
    name.textContent = now.name;
    heading.replaceChildren(name, called.slice(now.name.length));
    const [was, is] = [title, title.replace(before, () => called)];
    document.title = document.title.replace(was, () => is);
    title = is;
  }
  if (about) about.textContent = now.about;
  if (who) who.textContent = READERS[now.read_by] ?? "";
}

/** Writes the board's new name into the title. The page goes on to write the first one when it counts what is new. */
function retitle() {
  const [, count = "", rest] = /^(\(\d+\) )?(.*)$/s.exec(document.title) ?? [];
  if (rest === firstTitle && title !== firstTitle) document.title = count + title;
}

/**
 * Says what has changed about the board: above the form, or in the place of the words on who may write.
 * @param {string} words
 * @param {boolean} isClosed Whether nothing can be posted any more.
 */
function say(words, isClosed) {
  const line = document.querySelector(".changed") ?? document.createElement("p");
  line.className = "changed";
  line.setAttribute("role", "status");
  document.getElementById("composer")?.before(line);
  document.querySelector(".invite")?.replaceWith(line);
  const link = document.createElement("a");
  [link.href, link.textContent] = [location.pathname, t("Reload")];
  const box = /** @type {HTMLTextAreaElement | null} */ (document.querySelector("#composer textarea"));
  line.replaceChildren(words, isClosed && box?.value ? " " + t("What you wrote is kept.") + " " : " ", link);
  const post = /** @type {HTMLButtonElement | null} */ (document.querySelector("#composer button"));
  if (post) post.disabled = isClosed;
}

/** The link at the foot of a page that has stopped. */
function link() {
  return /** @type {HTMLAnchorElement} */ (document.querySelector("#sign a"));
}

Tabs.join = (page, tabs) => new Several(page, tabs);
import(of ? "./permalink.js" : "./main.js");
