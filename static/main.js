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
const poller = new Poller(cursor, Number(wait), (reply) => board.show(reply), new Sign(part("sign")));

new Composer(/** @type {HTMLFormElement} */ (part("composer")), ({ id }) => {
  poller.wake();
  // A post that got through and did not come back: the poll in flight must be dead.
  setTimeout(() => board.has(id) || poller.pollNow(), OVERDUE_MS);
});

poller.run();
