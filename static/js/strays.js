// Replies that were written on the pages of messages which were deleted while those pages were closed: nobody comes there
// again. They join the draft of the board, as they do on an open page. Loaded where there are drafts of replies.

import { drawer as store } from "./outbox.js";
import { ask } from "./poller.js";
import { t } from "./words.js";

const AT_ONCE = 100; // messages in one request
const LIMIT_MS = 30_000;
const NAME = /\/to\/(\d+)$/; // not that of a draft's origin

/**
 * Puts them into the box, behind what is there. If it can't be known whether their messages are there, they stay.
 * @param {HTMLFormElement} form
 * @param {string} url Of messages on this board.
 * @param {string} start How the names of these drafts begin.
 */
export async function join(form, url, start) {
  const drafts = new Map(
    store
      .names(start)
      .filter((name) => NAME.test(name))
      .map((name) => [Number(NAME.exec(name)?.[1]), name]),
  );
  const ids = [...drafts.keys()];
  for (let at = 0; at < ids.length; at += AT_ONCE) {
    const some = ids.slice(at, at + AT_ONCE);
    const { messages } = await ask(`${url}?ids=${some}`, isNamed, LIMIT_MS);
    const found = new Set(messages.filter(({ deleted }) => !deleted).map(({ id }) => id));
    for (const id of some) if (!found.has(id)) take(form, drafts.get(id) ?? "");
  }
}

/**
 * @param {HTMLFormElement} form
 * @param {string} name Of a draft.
 */
function take(form, name) {
  const box = /** @type {HTMLTextAreaElement} */ (form.querySelector("textarea"));
  const words = store.get(name); // another tab may have taken them
  for (const one of ["", "/origin"]) store.put(name + one, "");
  if (!words || box.value.includes(words)) return;
  const end = box.value.length;
  box.setRangeText((end ? "\n\n" : "") + words, end, end, "preserve"); // the caret stays where somebody writes
  box.dispatchEvent(new Event("input")); // the composer keeps it
  /** @type {HTMLElement} */ (form.querySelector("#hint")).textContent = t(
    "You wrote this to a message that has been deleted.",
  );
}

/**
 * A server of the last release doesn't know this request, and gives the newest messages, with a cursor.
 * @param {import("./poller.js").Json} reply
 * @returns {reply is {messages: {id: number, deleted?: true}[]}}
 */
function isNamed(reply) {
  return Array.isArray(reply.messages) && !("cursor" in reply);
}
