// The form on the board's page: a draft that survives a reload, and words that come back if the server refuses them.

import { Outbox, drawer as store } from "./outbox.js";
import { t } from "./words.js";

/** @typedef {import("./outbox.js").Pending} Pending */
/** @typedef {import("./outbox.js").Origin} Origin */

const TIP = t("Ctrl\xa0+\xa0Enter\xa0sends"); // on one line
const MAC_TIP = t("⌘\xa0Return\xa0sends");
export const FULL = t("This browser has no room left to keep a draft: closing the page would lose this.");
const ONE_BY_ONE = t("What is in the box was taken back as well: first post it, or clear the box.");
const TEXT_ONLY = t("A message is text only. Files and pictures can't be posted here.");

export class Composer {
  #form;
  #box;
  #hint;
  #as;
  /** How the names of what is kept for this board begin. */
  #board;
  /** The message that all words here reply to, on the page of that message, until that is deleted. */
  #to;
  #toNewest;
  #tip;
  #stopped;
  #outbox;
  /** @type {Origin | null} Of the message that is back in the box. Kept with the draft: the board may have the message. */
  #origin = null;

  /**
   * @param {HTMLFormElement} form
   * @param {HTMLElement} list Where messages that are on their way are shown.
   * @param {(message: import("./message.js").Message, pending: Pending) => void} sent
   * @param {(words: string) => void} stopped Called when the author has been signed out.
   * @param {() => void} toNewest Called when a message was written: scrolls to where it is shown.
   */
  constructor(form, list, sent, stopped, toNewest = () => scrollTo({ top: 0 })) {
    this.#form = form;
    this.#box = /** @type {HTMLTextAreaElement} */ (form.querySelector("textarea"));
    this.#hint = /** @type {HTMLElement} */ (form.querySelector("#hint"));
    this.#as = form.querySelector("input[name=as]")?.getAttribute("value") ?? "";
    this.#board = form.dataset.board ?? "";
    this.#to = form.dataset.replyTo;
    this.#toNewest = toNewest;
    this.#tip = !matchMedia("(hover: hover)").matches ? "" : /Mac/.test(navigator.platform) ? MAC_TIP : TIP;
    this.#stopped = stopped;
    this.#say(this.#tip);
    const draft = store.get(this.#draft);
    this.#box.value ||= draft || this.#adopted();
    if (this.#box.value === draft) this.#readOrigin();
    this.#grow();
    this.#reply();
    /** @type {HTMLInputElement | null} A guest's. */
    const name = form.querySelector("[name=guest_name]");
    if (name) {
      name.value ||= store.get(name.name);
      name.addEventListener("input", () => store.put(name.name, name.value));
    }
    form.addEventListener("submit", (event) => this.#submit(event));
    this.#box.addEventListener("keydown", (event) => this.#press(event));
    this.#box.addEventListener("input", () => this.#edited());
    addEventListener("storage", (event) => this.#editedElsewhere(event));
    const author = form.querySelector("#as bdi")?.textContent ?? "";
    takeTextOnly(this.#box, (words) => this.#say(words));
    // So that the styles know how much the form covers.
    const measure = () => document.documentElement.style.setProperty("--composer", `${form.offsetHeight}px`);
    new ResizeObserver(measure).observe(form);
    const limit = Number(form.dataset.limit) || Infinity; // a page from before an update has none
    const callbacks = { sent, refused: this.#refused.bind(this), back: this.#back.bind(this) };
    this.#outbox = new Outbox(list, form.action, this.#as, author, limit, callbacks, this.#board);
  }

  /** @param {{body?: string, deleted?: true}[]} messages */
  arrived(messages) {
    this.#outbox.arrived(messages);
  }

  wake() {
    this.#outbox.wake();
  }

  /** The message that all words here reply to is deleted: they join the draft for the board, which the board's page shows. */
  release() {
    const [before, words] = [this.#draft, this.#box.value];
    delete this.#form.dataset.replyTo;
    this.#to = undefined;
    const draft = store.get(this.#draft);
    this.#origin ??= read(store.get(this.#keptOrigin));
    if (!draft.includes(words)) this.#box.value = [words, draft].filter(Boolean).join("\n\n");
    else this.#box.value = draft; // another tab has done this
    this.#edited();
    for (const name of ["", "/origin"]) store.put(before + name, "");
    this.#reply();
  }

  /** Closes the form for good. Its words are there again when the same account signs in. */
  close() {
    this.#outbox.close();
    this.#box.readOnly = true;
    for (const one of this.#form.querySelectorAll("button")) one.disabled = true;
  }

  get #draft() {
    return this.#draftOf(this.#as);
  }

  /** @param {string} as */
  #draftOf(as) {
    return `${this.#board}draft/${as}${this.#to ? `/to/${this.#to}` : ""}`;
  }

  get #keptOrigin() {
    return `${this.#draft}/origin`;
  }

  /**
   * Says which message the words reply to, if to any.
   * @param {string} [id]
   */
  #reply(id = store.get(`${this.#draft}/reply`)) {
    if (id && !this.#to) import("./reply.js").then(({ reply }) => reply(id)).catch(() => {});
  }

  #readOrigin() {
    this.#origin = read(store.get(this.#keptOrigin));
  }

  /** A guest's draft goes to the account that signs in with this browser. */
  #adopted() {
    const guests = this.#draftOf("");
    const text = this.#as && store.get(guests);
    if (!text) return "";
    for (const name of ["", "/origin", "/reply"]) store.put(guests + name, ""); // keys belong to their author
    store.put(this.#draft, text);
    this.#say(t("You wrote this before you signed in."));
    return text;
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
    event.preventDefault();
    const post = /** @type {HTMLButtonElement | null} */ (this.#form.querySelector("button:not([type])"));
    if (!event.repeat) post?.click();
  }

  #edited() {
    if (!this.#box.value) this.#origin = null;
    // First, because the other tabs look when the draft changes:
    store.put(this.#keptOrigin, this.#origin ? JSON.stringify(this.#origin) : "");
    const isKept = store.put(this.#draft, this.#box.value);
    this.#say(isKept ? this.#tip : FULL);
    this.#grow();
  }

  /**
   * Two tabs show the same draft, unless both were written in.
   * @param {StorageEvent} event
   */
  #editedElsewhere({ key, oldValue, newValue }) {
    if (key !== this.#draft || this.#box.value !== (oldValue ?? "")) return;
    this.#box.value = newValue ?? "";
    this.#readOrigin();
    this.#reply();
    this.#grow();
  }

  /** @param {SubmitEvent} event */
  #submit(event) {
    event.preventDefault();
    const words = this.#outbox.tooLong(this.#box.value);
    if (words) this.#say(words, true);
    else {
      if (this.#box.value.trim()) {
        this.#outbox.add(this.#box.value, this.#origin, this.#form.dataset.replyTo);
        if (!this.#to) delete this.#form.dataset.replyTo;
        this.#toNewest();
      }
      this.#box.value = "";
      this.#edited();
    }
    this.#box.focus();
  }

  /**
   * @param {Pending} pending
   * @param {boolean} isSignedOut
   */
  #refused(pending, isSignedOut) {
    const isBack = !this.#box.value && document.visibilityState === "visible" && this.#back(pending);
    if (isSignedOut) this.#stopped(pending.refused ?? "");
    return isBack;
  }

  /** @param {Pending} pending */
  #back(pending) {
    if (this.#to && pending.replyTo !== this.#to) {
      if (pending.replyTo !== "") return false; // the board's page takes it back
      delete this.#form.dataset.replyTo; // that message is gone: without it, the words can be posted
    }
    const mayBePosted = pending.isLate || pending.first;
    if (mayBePosted && this.#origin) {
      this.#say(ONE_BY_ONE, true);
      return false;
    }
    if (mayBePosted) this.#origin = { key: pending.key, first: pending.first ?? pending.text };
    this.#box.value = [pending.text, this.#box.value].filter(Boolean).join("\n\n");
    this.#edited();
    this.#reply(pending.replyTo);
    this.#say(pending.refused ?? "", true);
    this.#box.focus();
    return true;
  }

  /** @param {string} words */
  #say(words, isRefusal = false) {
    this.#hint.textContent = words;
    if (isRefusal) this.#box.setAttribute("aria-invalid", "true");
    else this.#box.removeAttribute("aria-invalid");
  }

  /** Makes the box as high as its text, up to what composer.css allows. Newer browsers do so by themselves. */
  #grow() {
    if (CSS.supports("field-sizing", "content")) return;
    this.#box.style.height = "auto";
    this.#box.style.height = `${this.#box.scrollHeight}px`;
  }
}

/**
 * @param {string} json
 * @returns {Origin | null} Nothing if this is not an origin.
 */
function read(json) {
  try {
    const { key, first } = /** @type {Partial<Origin>} */ (JSON.parse(json));
    return typeof key === "string" && typeof first === "string" ? { key, first } : null;
  } catch {
    return null;
  }
}

/**
 * Refuses files: one that is dropped beside a box would replace the page, and a pasted picture would vanish silently.
 * @param {HTMLTextAreaElement} box
 * @param {(words: string) => void} say
 */
export function takeTextOnly(box, say) {
  /** @param {DataTransfer | null} data */
  const hasFiles = (data) => data?.types.includes("Files");
  for (const name of /** @type {const} */ (["dragover", "drop"])) {
    addEventListener(name, (event) => {
      if (!hasFiles(event.dataTransfer)) return;
      event.preventDefault();
      if (name === "drop") say(TEXT_ONLY);
    });
  }
  box.addEventListener("paste", ({ clipboardData }) => {
    if (hasFiles(clipboardData) && !clipboardData?.types.includes("text/plain")) say(TEXT_ONLY);
  });
}
