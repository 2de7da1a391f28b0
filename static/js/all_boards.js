// The page of all boards says of them what the list beside the messages does, as far as only this browser knows it.

import { Marks, muted } from "./marks.js";
import { t } from "./words.js";

const list = /** @type {HTMLElement | null} */ (document.querySelector(".all-boards"));
const { as = "" } = list?.dataset ?? {};
const marks = new Marks(as).all;

for (const link of /** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll(".all-boards a"))) {
  const { slug = "", newest = "0" } = link.dataset;
  const count = link.querySelector(".count");
  const isRead = (marks.get(slug) ?? 0) >= Number(newest); // the server may not know yet
  if (muted.all.includes(slug)) say("facts", t("muted in this browser"));
  else if (isRead) count?.remove();
  else if (!as && marks.size) say("count", t("new")); // a guest's marks are only here

  /**
   * @param {string} kind
   * @param {string} words
   */
  function say(kind, words) {
    const line = count ?? link.appendChild(document.createElement("span"));
    [line.className, line.textContent] = [kind, words];
  }
}
