// Changing a message in its place on the board. Its words are kept in this browser until they are saved, as on its own page.

import { ask, Failure } from "./poller.js";
import { drawer as store } from "./outbox.js";
import { t } from "./words.js";

/** @typedef {import("./message.js").Message} Message */

const LIMIT_MS = 30_000; // for an answer
const KEYS = matchMedia("(hover: none)").matches ? "" : t("Esc cancels, Ctrl + Enter saves");
const FORM =
  '<label class="unseen"></label><textarea rows="1" dir="auto" lang="" required></textarea>' +
  '<input type="hidden" name="began_from">' +
  '<div class="row"><p class="hint" role="status"></p>' +
  '<button class="quiet" type="button"></button><button></button></div>';

let tries = 0; // that failed to load what keeps the words

/** One message that is being changed. */
class Editing {
  #id;
  #tools;
  #form = document.createElement("form");
  #box;
  #began;
  #saved;
  /** @type {Record<string, string>} A guest's secret, also once its time is over: the server says so then. */
  #own;
  #isSaving = false;
  /** A live change, or what was deleted, may take the article away. */
  #observer = new MutationObserver(() => this.#form.isConnected || this.#lost());

  /**
   * @param {Message} message
   * @param {import("./tools.js").Tools} tools
   */
  constructor(message, tools) {
    this.#id = message.id;
    this.#tools = tools;
    this.#saved = message.body;
    this.#own = tools.own?.(message.id) ?? {}; // a page of the last release has none
    const form = this.#form;
    [form.className, form.innerHTML, form.dataset.draft] = ["in-place", FORM, `edit/${tools.as}/${message.id}`];
    form.setAttribute("aria-live", "off"); // the messages are a live region, in which this is no news
    this.#box = /** @type {HTMLTextAreaElement} */ (form.querySelector("textarea"));
    this.#began = /** @type {HTMLInputElement} */ (form.querySelector("input"));
    [this.#box.id, this.#box.defaultValue, this.#began.value] = [`e${message.id}`, message.body, changedAt(message)];
    this.#box.setAttribute("aria-describedby", `${this.#box.id}-hint`);
    const hint = /** @type {HTMLElement} */ (form.querySelector(".hint"));
    [hint.id, hint.textContent] = [`${this.#box.id}-hint`, KEYS];
    const label = /** @type {HTMLLabelElement} */ (form.querySelector("label"));
    const [cancel, save] = form.querySelectorAll("button");
    [label.htmlFor, label.textContent] = [this.#box.id, t("Your message")];
    [cancel.textContent, save.textContent] = [t("Cancel"), t("Save")];
    cancel.addEventListener("click", () => this.#close());
    form.addEventListener("keydown", (event) => this.#press(event));
    form.addEventListener("submit", (event) => (event.preventDefault(), this.#save()));
  }

  /**
   * Shows the form, whole in one step: after it, neither its words nor the caret may change under who writes.
   * @param {HTMLElement} article
   * @param {typeof import("./edit.js").keepWords | undefined} keepWords A server of the last release has none.
   */
  begin(article, keepWords) {
    this.#show(article);
    this.#observer.observe(/** @type {HTMLElement} */ (document.getElementById("messages")), { childList: true });
    keepWords?.(this.#form);
    this.#box.addEventListener("input", () => this.#grow());
    this.#grow();
    this.#box.focus();
    this.#form.scrollIntoView({ block: "nearest" }); // with its buttons
    this.#box.setSelectionRange(this.#box.value.length, this.#box.value.length);
  }

  /** @param {HTMLElement} article */
  #show(article) {
    article.classList.add("editing");
    article.querySelector(".body")?.after(this.#form);
  }

  /** Newer browsers make the box as high as its text by themselves. */
  #grow() {
    if (CSS.supports("field-sizing", "content")) return;
    this.#box.style.height = "auto";
    this.#box.style.height = `${this.#box.scrollHeight + 2}px`;
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    if (event.isComposing) return;
    const saves = event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.repeat;
    if (event.key !== "Escape" && !saves) return;
    event.preventDefault();
    event.stopPropagation(); // else Escape leaves the box, too
    if (saves) this.#form.requestSubmit();
    else this.#close();
  }

  /** Ends it. Words that are not saved stay in this browser: the next edit begins with them. */
  #close() {
    this.#observer.disconnect();
    const article = this.#form.closest("article");
    this.#form.remove();
    article?.classList.remove("editing");
    /** @type {HTMLElement | null | undefined} */ (article?.querySelector(".permalink"))?.focus({
      preventScroll: true,
    });
  }

  async #save() {
    if (this.#isSaving) return;
    if (this.#box.value === this.#saved) return this.#close();
    this.#isSaving = true;
    try {
      const headers = { Accept: "application/json", "Content-Type": "application/json", ...this.#own };
      const body = JSON.stringify({ body: this.#box.value, began_from: this.#began.value });
      const url = `${this.#url}?as=${encodeURIComponent(this.#tools.as)}`;
      await ask(url, isMessage, LIMIT_MS, { method: "PATCH", headers, body });
      store.put(this.#form.dataset.draft ?? "", "");
      this.#close();
      this.#tools.tell(t("Saved.")); // a poll brings the words, in the order of all changes
    } catch (error) {
      await this.#refused(error);
    } finally {
      this.#isSaving = false;
    }
  }

  get #url() {
    return `/api/v1/messages/${this.#id}`;
  }

  /** @param {unknown} error */
  async #refused(error) {
    const failure = error instanceof Failure ? error : new Failure(String(error));
    this.#box.dispatchEvent(new Event("input")); // the words are kept as not saved again
    if (failure.code !== "edited_meanwhile") {
      this.#say(failure.isOurs ? failure.message : t("The board can't be reached. Your words are kept: try again."));
      return;
    }
    const now = await ask(this.#url, isMessage, LIMIT_MS).catch(() => null);
    if (now) this.#began.value = changedAt(now);
    this.#say([failure.message, now ? t("Save puts yours in its place.") : ""].join(" ").trim(), now?.body);
  }

  /**
   * @param {string} words
   * @param {string} now What the message says now.
   */
  #say(words, now = "") {
    this.#form.querySelector(".refused")?.remove();
    const note = document.createElement("div");
    note.className = "refused";
    note.setAttribute("role", "alert");
    this.#form.prepend(note);
    note.append(words);
    if (now) note.appendChild(document.createElement("blockquote")).append(now);
    this.#box.setAttribute("aria-invalid", "true");
    this.#box.focus();
  }

  /** The article has been replaced, or is gone. Then its new words go into the form, where they can be posted. */
  #lost() {
    const again = document.getElementById(`m${this.#id}`);
    if (again) return this.#show(again);
    this.#observer.disconnect();
    const box = /** @type {HTMLTextAreaElement | null} */ (document.querySelector("#composer textarea"));
    if (!box || box.readOnly || this.#box.value === this.#saved) return;
    box.value = [this.#box.value, box.value].filter(Boolean).join("\n\n");
    box.dispatchEvent(new Event("input"));
    store.put(this.#form.dataset.draft ?? "", "");
    this.#tools.tell(t("The message is gone. Your words are in the box."));
  }
}

/**
 * Puts a form into the message's place. Rejects if the message can't be read, or the script that keeps the words.
 * @param {HTMLElement} article
 * @param {import("./tools.js").Tools} tools
 */
export async function edit(article, tools) {
  const asked = ask(`/api/v1/messages/${article.id.slice(1)}`, isMessage, LIMIT_MS);
  const loaded = import(tries ? `./edit.js?${tries}` : "./edit.js"); // with another address: see lazy() in main.js
  loaded.catch(() => tries++);
  const [message, { keepWords }] = await Promise.all([asked, loaded]);
  if (article.isConnected && !article.querySelector("form")) new Editing(message, tools).begin(article, keepWords);
}

/** @param {Message} message */
function changedAt({ edited_at, created_at }) {
  return edited_at ?? created_at;
}

/**
 * @param {import("./poller.js").Json} reply
 * @returns {reply is Message}
 */
function isMessage(reply) {
  return typeof reply.body === "string";
}
