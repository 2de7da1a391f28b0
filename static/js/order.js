// In which order a page shows messages: `<html data-order>` says it. The server makes the page in the order of its board, the
// same for all, and each reader may turn it in this browser. The server puts this code in place of its import, as that of
// words.js, so no page waits for it, and a page is turned before anything on it is seen or used.

/** @type {() => boolean} Whether the oldest message is first, and the form below the messages. */
export const isOldestFirst = () => document.documentElement.dataset.order === "oldest";

/** @type {string} The name in localStorage of the order that the reader has chosen for this board; nothing if none. */
export const keptOrder = `${document.getElementById("boards")?.dataset.key ?? ""}order`;

/** @type {() => void} Goes to the end of the page at which the newest message is. */
export const toNewest = () => scrollTo({ top: isOldestFirst() ? document.body.scrollHeight : 0 });

/** @type {(order: string) => boolean} Turns the messages, and what is directly above and below them, unless they are in this order
 * or in none. Returns whether it did. Lines of days and runs come later. */
export const turnTo = (order) => {
  if (!order || (order === "oldest") === isOldestFirst()) return false;
  document.documentElement.dataset.order = order;
  const list = /** @type {HTMLElement} */ (document.getElementById("messages"));
  list.append(...[...list.children].reverse());
  const ends = ["newest", "older"].map((id) => document.getElementById(id) ?? "");
  list.before(ends[isOldestFirst() ? 1 : 0]);
  list.after(ends[isOldestFirst() ? 0 : 1]);
  return true;
};

/** @type {(order: string) => void} The same on pages of older messages, and on that of one message. */
export const turnAround = (order) => {
  const articles = [...document.querySelectorAll("#messages > article")];
  const nexts = articles.map((one) => one.matches(".next"));
  if (!turnTo(order)) return;
  /* A message goes on with the run of the one that is above it now: */
  articles.forEach((one, at) => one.classList.toggle("next", nexts[at + 1] ?? false));
  document.querySelector(".this")?.after(...document.querySelectorAll("#messages > .tools"));
  const list = /** @type {HTMLElement} */ (document.getElementById("messages"));
  list[isOldestFirst() ? "after" : "before"](document.querySelector(".ways-on") ?? "");
};
