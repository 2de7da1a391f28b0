// Pages that are not live: only their times and days are written, as the reader's own.

import { drawDays, onNewDay, writeTimes } from "./message.js";

const sections = [...document.querySelectorAll(".messages")].filter((section) => section.querySelector(".day"));
write();
onNewDay(write);
document.querySelector(".this")?.scrollIntoView({ block: "center" });

function write() {
  writeTimes(document);
  for (const section of sections) drawDays(section);
}
