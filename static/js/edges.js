// Where the list of boards is too long to be seen whole: a button at its edge says that there is something new further up or
// down, and leads there.

import { t } from "./words.js";

export class Edges {
  #nav;
  #foot;
  #above;
  #below;
  /** @type {HTMLElement[]} The boards with something new. */
  #links = [];
  #isLooking = false;

  /** @param {HTMLElement} nav The list, which scrolls. Its last line stays in view. */
  constructor(nav) {
    this.#nav = nav;
    this.#foot = /** @type {HTMLElement} */ (nav.querySelector(":scope > p"));
    this.#above = this.#button(t("New above"));
    this.#below = this.#button(t("New below"));
    const top = document.createElement("div");
    top.append(this.#above);
    nav.querySelector("ul")?.before(top);
    this.#foot.prepend(this.#below);
    for (const edge of [top, this.#below]) edge.classList.add("edge");
    nav.addEventListener("scroll", () => this.#soon(), { passive: true });
    new ResizeObserver(() => this.#soon()).observe(nav); // which is so, too, when a sheet opens
  }

  /** @param {HTMLElement[]} links Those with something new, in their order. */
  show(links) {
    this.#links = links;
    this.#soon();
  }

  /** @param {string} words */
  #button(words) {
    const button = document.createElement("button");
    [button.type, button.textContent, button.hidden] = ["button", words, true];
    button.addEventListener("click", () => this.#lead(button === this.#above));
    return button;
  }

  #soon() {
    if (this.#isLooking) return;
    this.#isLooking = true;
    requestAnimationFrame(() => {
      this.#isLooking = false;
      this.#above.hidden = !this.#beyond(true).length;
      this.#below.hidden = !this.#beyond(false).length;
    });
  }

  /**
   * Those of which less than half is in view.
   * @param {boolean} isAbove
   */
  #beyond(isAbove) {
    const [top, bottom] = [this.#nav.getBoundingClientRect().top, this.#foot.getBoundingClientRect().top];
    return this.#links.filter((link) => {
      const box = link.getBoundingClientRect();
      const middle = (box.top + box.bottom) / 2;
      return box.height > 0 && (isAbove ? middle < top : middle > bottom); // no height: the sheet is closed
    });
  }

  /** @param {boolean} isAbove */
  #lead(isAbove) {
    const link = this.#beyond(isAbove).at(isAbove ? -1 : 0);
    link?.scrollIntoView({ block: "center" });
    link?.focus({ preventScroll: true });
  }
}
