// Pages that are not live: only their times and days are written, as the reader's own, and messages are in the reader's order.

import { drawDays, onNewDay, writeTimes } from "./message.js";
import { keptOrder, turnAround } from "./order.js";

const sections = [...document.querySelectorAll(".messages")].filter((section) => section.querySelector(".day"));
if (document.querySelector(".ways-on") && sections.length) turnAround(chosen());
write();
onNewDay(write);
document.querySelector(".this")?.scrollIntoView({ block: "center" });

function write() {
  writeTimes(document);
  for (const section of sections) drawDays(section);
}

/** The order that the reader has chosen for the board. */
function chosen() {
  try {
    return localStorage.getItem(keptOrder) ?? "";
  } catch {
    return "";
  }
}
