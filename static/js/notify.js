// Desktop notifications, for readers who ask for them: one for the newest message, while nobody looks at the board.

import { drawer as store } from "./outbox.js";

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
    this.#button.textContent = this.#isOn ? "Notifications on" : "Notify me";
  }

  /** @param {import("./message.js").Message} message */
  show({ author, guest_name, body }) {
    if (!this.#isOn) return;
    try {
      const name = [
        author?.name ?? (guest_name ? `${guest_name} (guest)` : "Guest"),
        ...(author?.username ? [`@${author.username}`] : []),
      ].join(" ");
      const notification = new Notification(name, { body: beginning(body), tag: KEPT });
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
