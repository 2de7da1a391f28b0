// @ts-check
// The form on the board's page: it sends without leaving the page, and keeps the text until the server has it.

const LIMIT_MS = 20_000; // then the answer is not waited for; the key makes sending it again safe
const DRAFT = "draft"; // where words wait in this tab while their author signs in again
const TIP = "Ctrl + Enter sends";
const MAC_TIP = "⌘ Return sends";

export class Composer {
  #form;
  #box;
  #button;
  #hint;
  #sent;
  #stopped;
  #tip;
  #isClosed = false;
  /** What was sent last, and its key: the same words go out under the same key until the server has them. */
  #text = "";
  #key = "";

  /**
   * @param {HTMLFormElement} form
   * @param {(message: import("./message.js").Message) => void} sent
   * @param {(words: string) => void} stopped The author has been signed out.
   */
  constructor(form, sent, stopped) {
    this.#form = form;
    this.#box = /** @type {HTMLTextAreaElement} */ (form.querySelector("textarea"));
    this.#button = /** @type {HTMLButtonElement} */ (form.querySelector("button"));
    this.#hint = /** @type {HTMLElement} */ (form.querySelector("#hint"));
    this.#sent = sent;
    this.#stopped = stopped;
    this.#tip = !matchMedia("(hover: hover)").matches ? "" : /Mac/.test(navigator.platform) ? MAC_TIP : TIP;
    this.#box.value ||= takeDraft();
    this.#say(this.#tip);
    this.#grow();
    form.addEventListener("submit", (event) => this.#submit(event));
    this.#box.addEventListener("keydown", (event) => this.#press(event));
    this.#box.addEventListener("input", () => this.#edited());
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
    event.preventDefault();
    if (!this.#button.disabled) this.#form.requestSubmit();
  }

  /** For good. What was typed waits for the next time that this tab shows the board. */
  close() {
    this.#isClosed = true;
    this.#busy(true);
    if (this.#box.value) keepDraft(this.#box.value);
  }

  #edited() {
    this.#say(this.#tip);
    this.#grow();
  }

  /** @param {SubmitEvent} event */
  async #submit(event) {
    event.preventDefault();
    this.#busy(true);
    try {
      const message = await this.#send(this.#box.value);
      this.#text = this.#key = this.#box.value = "";
      takeDraft(); // it may have got through just while everything was closing
      this.#edited();
      this.#sent(message);
    } catch (error) {
      this.#say(error instanceof Refused ? error.message : "That did not get through. Please try again.", true);
      if (error instanceof Refused && error.status === 401) return this.#stopped(error.message);
    }
    this.#busy(this.#isClosed);
    this.#box.focus();
  }

  /** @param {string} text */
  async #send(text) {
    if (text !== this.#text || !this.#key) [this.#text, this.#key] = [text, newKey()];
    const as = this.#form.querySelector("input[name=as]")?.getAttribute("value") ?? "";
    const response = await fetch(this.#form.action, {
      method: "POST",
      headers: { Accept: "application/json" },
      body: new URLSearchParams({ s: text, key: this.#key, as }),
      signal: AbortSignal.timeout(LIMIT_MS),
    });
    const reply = await response.json();
    if (response.ok && typeof reply.id === "number") return reply;
    throw new Refused(reply.error.message, response.status);
  }

  /** @param {boolean} isBusy */
  #busy(isBusy) {
    this.#box.readOnly = this.#button.disabled = isBusy;
  }

  /** @param {string} words */
  #say(words, isRefusal = false) {
    this.#hint.textContent = words;
    if (isRefusal) this.#box.setAttribute("aria-invalid", "true");
    else this.#box.removeAttribute("aria-invalid");
  }

  /** The box is as high as its text, up to what board.css allows; newer browsers do so by themselves. */
  #grow() {
    if (CSS.supports("field-sizing", "content")) return;
    this.#box.style.height = "auto";
    this.#box.style.height = `${this.#box.scrollHeight}px`;
  }
}

/** The server's words, for people. */
class Refused extends Error {
  /**
   * @param {string} words
   * @param {number} status
   */
  constructor(words, status) {
    super(words);
    this.status = status;
  }
}

// A browser may be told to keep nothing, and throws: then the words are only in the box.

/** @param {string} text */
function keepDraft(text) {
  try {
    sessionStorage.setItem(DRAFT, text);
  } catch {}
}

function takeDraft() {
  try {
    const text = sessionStorage.getItem(DRAFT) ?? "";
    sessionStorage.removeItem(DRAFT);
    return text;
  } catch {
    return "";
  }
}

/** 32 random characters. crypto.randomUUID is not there on plain http. */
function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
