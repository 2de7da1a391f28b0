// @ts-check
// The board's page: finds its parts and wires them together.

import { Board } from "./board.js";
import { Composer } from "./composer.js";
import { Poller } from "./poller.js";
import { Sign } from "./sign.js";

const OVERDUE_MS = 2000;

/** @param {string} id */
const part = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

const messages = part("messages");
const { cursor = "", wait = "25" } = messages.dataset;
const board = new Board(messages, part("older"));
const sign = new Sign(part("sign"));
const poller = new Poller(cursor, Number(wait), (reply) => board.show(reply), {
  lost: () => sign.lost(),
  back: () => sign.back(),
  stopped,
});
const form = /** @type {HTMLFormElement | null} */ (document.getElementById("composer")); // not for all: see form.html
const composer = form && new Composer(form, sent, stopped);
poller.run();

/** @param {{id: number}} message */
function sent({ id }) {
  poller.wake();
  // A post that got through and did not come back: the poll in flight must be dead.
  setTimeout(() => board.has(id) || poller.pollNow(), OVERDUE_MS);
}

/**
 * Whoever has this page open is no longer signed in: nothing may go out as from a guest.
 * @param {string} words
 */
function stopped(words) {
  composer?.close();
  sign.stopped(words);
}
