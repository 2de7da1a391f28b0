// Opens a board's page that has its oldest message first, or that its reader has turned. Until then, main.js has it hidden.
// Other pages do not load this.

import { isOldestFirst, toNewest } from "./order.js";
import { addSheet } from "./shared.js";

const main = /** @type {HTMLElement} */ (document.querySelector("main"));

/**
 * Goes to the end of the page, unless the address leads to a message, or there is a line above what is new.
 * @param {boolean} isTurned Whether the messages were turned, and the form was not.
 */
export async function open(isTurned) {
  if (isTurned) moveForm();
  if (!isOldestFirst()) return;
  await addSheet("order");
  history.scrollRestoration = "manual"; // the browser would use heights of another order
  const shown = document.querySelector("#messages :target, .since[role]");
  if (shown) shown.scrollIntoView({ block: "center" });
  else toNewest();
}

/** Puts the form, and what is around it, at its place in this order. */
function moveForm() {
  const focused = /** @type {HTMLElement | null} */ (document.activeElement); // moving it takes the focus away
  const parts = (/** @type {string[]} */ ...names) =>
    names.flatMap((name) => [...main.querySelectorAll(`:scope > ${name}`)]);
  const form = [".changed", ".invite", "#composer"];
  if (isOldestFirst())
    main.append(...parts(".empty", "#newest", ".elsewhere", "#outbox", ".around", ".muted", ...form));
  else {
    main.querySelector(":scope > noscript")?.before(...parts(...form, ".around", ".muted"));
    document.getElementById("newest")?.before(...parts(".elsewhere", "#outbox"));
  }
  focused?.focus({ preventScroll: true });
}
