// Desktop notifications, for readers who ask for them: one for the newest message, while nobody looks at the board.

import { makeArticle } from "./message.js";
import { drawer as store } from "./outbox.js";
import { isToReader } from "./shared.js";
import { t } from "./words.js";

/** @typedef {import("./message.js").Message} Message */

const KEPT = "notify"; // in this browser
const LONGEST = 200; // characters: no desktop shows more

export class Notifications {
  #button;

  /** @param {HTMLElement} button */
  constructor(button) {
    this.#button = button;
    this.#write();
  }

  get #isOn() {
    return store.get(KEPT) === "on" && Notification.permission === "granted";
  }

  /** Turns them on, if the reader permits it, or off again. */
  async turn() {
    const isOn = !this.#isOn && (await Notification.requestPermission()) === "granted";
    store.put(KEPT, isOn ? "on" : "");
    this.#button.hidden = Notification.permission === "denied";
    this.#write();
  }

  #write() {
    this.#button.setAttribute("aria-pressed", String(this.#isOn));
    this.#button.textContent = this.#isOn ? t("Notifications on") : t("Notify me");
  }

  /**
   * @param {Message} newest
   * @param {Message[]} all That came with it: one that mentions the reader is shown first.
   */
  show(newest, all = []) {
    if (!this.#isOn) return;
    const mention = all.filter(isToReader).pop();
    const { author, guest_name, created_at, body } = mention ?? newest;
    const article = makeArticle({ id: 0, body: "", author, guest_name, created_at, edited_at: null });
    const name = [...article.querySelectorAll("header bdi")].map((one) => one.textContent).join(" ");
    try {
      const notification = new Notification(mention ? t("%(name)s mentions you", { name }) : name, {
        body: beginning(body),
        tag: KEPT,
      });
      notification.onclick = () => window.focus();
    } catch {
      this.#button.hidden = true; // a phone, where only installed apps may show one
    }
  }
}

/**
 * Returns whole signs only, because an emoji may have a dozen units.
 * @param {string} body
 */
function beginning(body) {
  const signs = Intl.Segmenter ? new Intl.Segmenter().segment(body.slice(0, 4 * LONGEST)) : [];
  let end = 0;
  for (const { index, segment } of signs) if (index + segment.length <= LONGEST) end = index + segment.length;
  return end ? body.slice(0, end) : [...body].slice(0, LONGEST / 2).join("");
}
