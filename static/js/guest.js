// A guest on a message's page: the name that this browser keeps, and the way to what may still be done with one's own.

import { drawer as store } from "./outbox.js";
import { boardsTime } from "./poller.js";
import { t } from "./words.js";

const name = /** @type {HTMLInputElement | null} */ (document.querySelector("[name=guest_name]"));
if (name) {
  name.value ||= store.get(name.name); // as composer.js has put it
  name.addEventListener("input", () => store.put(name.name, name.value));
}

const id = document.querySelector(".this")?.id.slice(1);
const [, until] = store.get(`own/${id}`).split(" "); // as outbox.js has put it
const board = /** @type {HTMLAnchorElement | null} */ (document.querySelector(".ways-on a:last-child"));
if (board && Date.parse(until) > boardsTime()) {
  const [note, link] = ["p", "a"].map((kind) => document.createElement(kind));
  [note.className, link.textContent] = ["note", t("Edit or delete it on the board")];
  link.setAttribute("href", `${board.pathname}#m${id}`);
  note.append(t("Yours?"), " ", link);
  document.querySelector(".tools")?.append(note);
}
