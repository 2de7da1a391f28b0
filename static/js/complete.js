// Completes usernames behind an @ while one writes: a list below the box, of members whose usernames begin with what was
// typed. Those who wrote messages on this page come first. Loaded with the first @.

import { ask } from "./poller.js";

/** @typedef {{id: number, username: string, name: string}} Member */

const LIMIT_MS = 10_000; // for an answer
const REST_MS = 150; // since the last key
const MOST = 8; // options
const MOST_KEPT = 100; // answers
// The same edge as in markup.js:
const TYPED = /(?<![^\s([{"'*_~:<,;])@(\w{1,32})$/;

/** @type {Map<string, Member[]>} */
const known = new Map();
/** @type {WeakSet<EventTarget>} */
const boxes = new WeakSet();

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
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {HTMLTextAreaElement} box */
  constructor(box) {
    this.#box = box;
    const list = this.#list;
    [list.id, list.className, list.hidden] = [`${box.id}-members`, "members", true];
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", "Members");
    box.after(list);
    box.setAttribute("aria-autocomplete", "list");
    box.setAttribute("aria-haspopup", "listbox");
    box.setAttribute("aria-controls", list.id);
    box.addEventListener("input", () => this.#typed());
    box.addEventListener("keydown", (event) => this.#press(event), { capture: true });
    box.addEventListener("blur", () => this.#close());
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
    return at === end ? TYPED.exec(value.slice(Math.max(0, at - 40), at))?.[1].toLowerCase() : undefined;
  }

  #typed() {
    clearTimeout(this.#timer);
    if (this.#prefix) this.#timer = setTimeout(() => this.#look(), REST_MS);
    else this.#close();
  }

  async #look() {
    const prefix = this.#prefix ?? "";
    try {
      const members = known.get(prefix) ?? (await ask(`/api/v1/members?prefix=${prefix}`, isList, LIMIT_MS)).members;
      if (known.size >= MOST_KEPT) known.clear();
      known.set(prefix, members);
      if (prefix === this.#prefix && document.activeElement === this.#box) this.#show(members);
    } catch {
      this.#close(); // one can write without
    }
  }

  /** @param {Member[]} members */
  #show(members) {
    const isHere = (/** @type {Member} */ { id }) => document.querySelector(`.message[data-by="${id}"]`) !== null;
    this.#members = [...members.filter(isHere), ...members.filter((one) => !isHere(one))].slice(0, MOST);
    if (!this.#members.length) return this.#close();
    this.#list.replaceChildren(
      ...this.#members.map(({ username, name }, at) => {
        const [option, other] = [document.createElement("li"), document.createElement("bdi")];
        option.id = `${this.#list.id}-${at}`;
        option.setAttribute("role", "option");
        other.textContent = name;
        option.append(`@${username} `, other);
        return option;
      }),
    );
    this.#list.style.top = `${this.#box.offsetTop + this.#box.offsetHeight}px`;
    this.#list.hidden = false;
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
    const start = end - (this.#prefix?.length ?? 0);
    this.#box.setRangeText(`${this.#members[at].username} `, start, end, "end");
    this.#close();
    this.#box.dispatchEvent(new InputEvent("input", { bubbles: true })); // so that the draft is kept
  }

  #close() {
    clearTimeout(this.#timer);
    this.#list.hidden = true;
    this.#box.removeAttribute("aria-activedescendant");
  }
}

/**
 * @param {import("./poller.js").Json} reply
 * @returns {reply is {members: Member[]}}
 */
function isList(reply) {
  return Array.isArray(reply.members);
}
