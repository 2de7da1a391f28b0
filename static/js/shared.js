// What several scripts need. The server puts this code in place of its import, as that of words.js.

import { t } from "./words.js";

/**
 * @type {(name: string) => Promise<boolean>} Adds a style sheet, unless the page has it; returns when it is there, or can't be
 * had: whether it could. Scripts may be in a folder of their version.
 */
export const addSheet = (name) => {
  if (document.querySelector(`link[href$="/${name}.css"]`)) return Promise.resolve(true);
  const sheet = document.createElement("link");
  sheet.rel = "stylesheet";
  sheet.href = import.meta.url.replace(/(boards\/)?[^/]*$/, `${name}.css`);
  document.head.append(sheet);
  return new Promise((done) => {
    sheet.onload = () => done(true);
    sheet.onerror = () => (sheet.remove(), done(false));
  });
};

/**
 * @type {(name: string) => Promise<unknown>} Loads a script of this folder, or returns nothing. Then the next use tries again, with
 * another address, because Firefox does not request a script again that has failed to load (whatwg/html#6768).
 */
export const load = ((/** @type {Map<string, number>} */ failed) => async (/** @type {string} */ name) => {
  const tries = failed.get(name) ?? 0;
  try {
    return await import(tries ? `./${name}.js?${tries}` : `./${name}.js`);
  } catch {
    failed.set(name, tries + 1);
  }
})(new Map());

/** @type {(message: import("./message.js").Message) => boolean} Whether it mentions the reader, or everybody: that is 0. */
export const isToReader = ({ mentions = [] }) => {
  const me = Number(document.getElementById("messages")?.dataset.me);
  return me > 0 && (mentions.includes(0) || mentions.includes(me));
};

/** The sign at the foot of a live page: that the connection is lost, or back. A script with it has to import t, too. */
export const Sign = class {
  #element;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #timer;
  #isLost = false;
  #isStopped = false;
  constructor(/** @type {HTMLElement} */ element) {
    this.#element = element;
  }

  lost() {
    if (this.#isLost || this.#isStopped) return;
    this.#isLost = true;
    this.#later(2000, "lost", t("Reconnecting…")); /* shorter gaps are not reported, such as a restart of the server */
  }

  back() {
    if (!this.#isLost || this.#isStopped) return;
    this.#isLost = false;
    clearTimeout(this.#timer);
    if (this.#element.dataset.kind !== "lost") return;
    this.#say("back", t("Connected again"));
    this.#later(2500, "", ""); /* as long as the animation in live.css */
  }

  stopped(/** @type {string} */ words, path = "/signin") {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#say("stopped", `${words} `);
    const link = document.createElement("a");
    [link.href, link.textContent] = [path, t("Sign in")];
    this.#element.append(link);
  }

  #later(/** @type {number} */ ms, /** @type {string} */ kind, /** @type {string} */ words) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#say(kind, words), ms);
  }

  #say(/** @type {string} */ kind, /** @type {string} */ words) {
    this.#element.dataset.kind = kind;
    this.#element.textContent = words;
  }
};
