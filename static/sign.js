// @ts-check
// The quiet sign that the connection is lost, that it is back, or that one must sign in again.

const PATIENCE_MS = 2000; // a restart of the server or a lift's door is not worth a word
const LINGER_MS = 2500; // how long good news stay; as long as the animation in board.css

export class Sign {
  #element;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #isLost = false;
  #isStopped = false;

  /** @param {HTMLElement} element */
  constructor(element) {
    this.#element = element;
  }

  lost() {
    if (this.#isLost || this.#isStopped) return;
    this.#isLost = true;
    this.#later(PATIENCE_MS, "lost", "Reconnecting…");
  }

  back() {
    if (!this.#isLost || this.#isStopped) return;
    this.#isLost = false;
    clearTimeout(this.#timer);
    if (this.#element.dataset.kind !== "lost") return;
    this.#say("back", "Connected again");
    this.#later(LINGER_MS, "", "");
  }

  /**
   * It stays, with a way on.
   * @param {string} words
   */
  stopped(words) {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#say("stopped", `${words} `);
    const link = document.createElement("a");
    link.href = "/signin";
    link.textContent = "Sign in";
    this.#element.append(link);
  }

  /**
   * @param {number} ms
   * @param {string} kind
   * @param {string} words
   */
  #later(ms, kind, words) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#say(kind, words), ms);
  }

  /**
   * @param {string} kind
   * @param {string} words
   */
  #say(kind, words) {
    this.#element.dataset.kind = kind;
    this.#element.textContent = words;
  }
}
