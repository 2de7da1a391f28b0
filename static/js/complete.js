// Completes usernames behind an @ while one writes: a list below the box, of members whose usernames or names begin with
// what was typed; those who wrote on this page come first, and behind the @ alone they are all. Loaded with the first @.

import { ask } from "./poller.js";
import { t } from "./words.js";

/** @typedef {{id: number, username: string, name: string}} Member */

const MEMBERS = "/api/v1/members";
const LIMIT_MS = 10_000; // for an answer
const REST_MS = 150; // since the last key
const MOST = 8; // options
const MOST_KEPT = 100; // answers
// The same edge as in markup.js:
const TYPED = /(?<![^\s([{"'*_~:<,;])@((?:[\p{L}\p{N}_][\p{L}\p{M}\p{N}_]{0,31})?)$/u;
const BACK = 70; // that much of the text can match
const ALL = { id: 0, username: "all", name: t("everybody who may read this board") }; // as storage/records.py

/** @type {Map<string, Member[]>} */
const known = new Map();
/** @type {WeakSet<EventTarget>} */
const boxes = new WeakSet();
/** @type {Completion | undefined} The one whose list is open. */
let open;
document.addEventListener("selectionchange", () => open?.follow());

/** @param {EventTarget | null} box */
export function complete(box) {
  if (!(box instanceof HTMLTextAreaElement) || boxes.has(box)) return;
  boxes.add(box);
  new Completion(box);
}

class Completion {
  #box;
  #list = document.createElement("ul");
  /** @type {Member[]} */
  #members = [];
  #active = 0;
  /** @type {string | undefined} What was typed behind the @ for which the list is shown. */
  #shown;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {HTMLTextAreaElement} box */
  constructor(box) {
    this.#box = box;
    const list = this.#list;
    [list.id, list.className, list.hidden] = [`${box.id}-members`, "members", true];
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", t("Members"));
    box.after(list);
    box.setAttribute("aria-autocomplete", "list");
    box.setAttribute("aria-haspopup", "listbox");
    box.setAttribute("aria-controls", list.id);
    box.addEventListener("input", () => this.#typed());
    box.addEventListener("keydown", (event) => this.#press(event), { capture: true });
    for (const name of ["blur", "click"]) box.addEventListener(name, () => this.#close());
    box.form?.addEventListener("submit", () => this.#close());
    list.addEventListener("pointerdown", (event) => event.preventDefault()); // the box keeps the focus
    list.addEventListener("click", ({ target }) => {
      const option = target instanceof Element && target.closest("li");
      if (option) this.#take([...list.children].indexOf(option));
    });
    this.#typed();
  }

  /** What stands between an @ and the cursor. */
  get #prefix() {
    const { value, selectionStart: at, selectionEnd: end } = this.#box;
    return at === end ? TYPED.exec(value.slice(Math.max(0, at - BACK), at))?.[1] : undefined;
  }

  /** Hides a list that is for other words than those before the cursor. */
  follow() {
    if (this.#prefix !== this.#shown) this.#hide();
  }

  #typed() {
    clearTimeout(this.#timer);
    if (this.#prefix !== undefined) this.#timer = setTimeout(() => this.#look(), REST_MS);
    else this.#close();
  }

  async #look() {
    const prefix = this.#prefix;
    if (prefix === undefined) return;
    const query = prefix ? `prefix=${encodeURIComponent(prefix)}` : `ids=${authors().slice(0, MOST).join()}`;
    try {
      const members =
        known.get(query) ?? (query === "ids=" ? [] : (await ask(`${MEMBERS}?${query}`, isList, LIMIT_MS)).members);
      if (known.size >= MOST_KEPT) known.clear();
      known.set(query, members);
      if (prefix === this.#prefix && document.activeElement === this.#box) this.#show(members, prefix);
    } catch {
      this.#close(); // one can write without
    }
  }

  /**
   * @param {Member[]} members
   * @param {string} prefix
   */
  #show(members, prefix) {
    const here = authors();
    const place = (/** @type {Member} */ { id }) => (here.includes(id) ? here.indexOf(id) : here.length);
    this.#members = [...members].sort((one, other) => place(one) - place(other)).slice(0, MOST);
    if (mayMentionAll() && ALL.username.startsWith(prefix.toLowerCase())) this.#members.unshift(ALL);
    if (!this.#members.length) return this.#close();
    this.#list.replaceChildren(
      ...this.#members.map(({ username, name }, at) => {
        const [option, ...parts] = ["li", "bdi", "bdi"].map((tag) => document.createElement(tag));
        option.id = `${this.#list.id}-${at}`;
        option.setAttribute("role", "option");
        [parts[0].textContent, parts[1].textContent] = [`@${username}`, name];
        option.append(parts[0], " ", parts[1]);
        return option;
      }),
    );
    this.#list.style.top = `${this.#box.offsetTop + this.#box.offsetHeight}px`;
    this.#list.hidden = false;
    [this.#shown, open] = [prefix, this];
    this.#move(0);
  }

  /** @param {number} to */
  #move(to) {
    const options = [...this.#list.children];
    this.#active = (to + options.length) % options.length;
    options.forEach((option, at) => option.setAttribute("aria-selected", String(at === this.#active)));
    this.#box.setAttribute("aria-activedescendant", options[this.#active].id);
    options[this.#active].scrollIntoView({ block: "nearest" });
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    const { key, ctrlKey, metaKey, altKey, shiftKey, isComposing } = event;
    this.follow(); // the browser tells only later that the cursor has moved
    if (this.#list.hidden || isComposing || ctrlKey || metaKey || altKey || shiftKey) return;
    if (key === "ArrowDown") this.#move(this.#active + 1);
    else if (key === "ArrowUp") this.#move(this.#active - 1);
    else if (key === "Enter" || key === "Tab") this.#take(this.#active);
    else if (key === "Escape") this.#close();
    else return;
    event.preventDefault();
    event.stopImmediatePropagation(); // Escape would end an edit, too
  }

  /** @param {number} at */
  #take(at) {
    const end = this.#box.selectionEnd;
    const start = end - (this.#shown?.length ?? 0);
    this.#box.setRangeText(`${this.#members[at].username} `, start, end, "end");
    this.#close();
    this.#box.dispatchEvent(new InputEvent("input", { bubbles: true })); // so that the draft is kept
  }

  #close() {
    clearTimeout(this.#timer);
    this.#hide();
  }

  #hide() {
    [this.#shown, this.#list.hidden] = [undefined, true];
    if (open === this) open = undefined;
    this.#box.removeAttribute("aria-activedescendant");
  }
}

/** The ids of the others who wrote on this page, the latest first. */
function authors() {
  const { me } = /** @type {HTMLElement} */ (document.getElementById("messages")).dataset;
  const ids = [.../** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".message[data-by]"))].map(
    ({ dataset }) => dataset.by,
  );
  return [...new Set(ids)].filter((id) => id !== me).map(Number);
}

/** Moderators, and the board's owner on their board: those who delete what others wrote. */
function mayMentionAll() {
  return document.getElementById("messages")?.dataset.deletes !== undefined;
}

/**
 * @param {import("./poller.js").Json} reply
 * @returns {reply is {members: Member[]}}
 */
function isList(reply) {
  return Array.isArray(reply.members);
}
