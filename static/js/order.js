// The oldest message first, with the form below, for a reader who has chosen so in this browser. The page comes with the
// newest first, the same for all; it is turned before its messages are seen. Other pages do not load this.

import { addSheet } from "./shared.js";

const END = ["#newest", ".elsewhere", "#outbox", ".changed", ".invite", ".around", ".muted", "#composer"];

/** @param {import("./board.js").Board} board */
export async function turn(board) {
  await addSheet("order");
  const part = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
  const main = /** @type {HTMLElement} */ (document.querySelector("main"));
  const focused = /** @type {HTMLElement | null} */ (document.activeElement); // moving it takes the focus away
  part("messages").before(part("older"));
  for (const name of END) main.append(...main.querySelectorAll(`:scope > ${name}`));
  board.turn();
  history.scrollRestoration = "manual"; // the browser would use heights of another order
  focused?.focus({ preventScroll: true });
  const linked = /^#m\d+$/.test(location.hash) && document.getElementById(location.hash.slice(1));
  const since = document.querySelector(".since[role]");
  if (linked) linked.scrollIntoView();
  else if (since) since.scrollIntoView({ block: "center" });
  else board.toNewest();
  return true;
}
