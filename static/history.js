// @ts-check
// Pages that stand still: only their times and days are the reader's own.

import { drawDays, writeTimes } from "./message.js";

writeTimes(document);
for (const section of document.querySelectorAll(".messages:has(.day)")) drawDays(section);
document.querySelector(".this")?.scrollIntoView({ block: "center" });
