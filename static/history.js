// @ts-check
// Pages that stand still: only their times and days are the reader's own.

import { drawDays } from "./days.js";
import { writeTimes } from "./message.js";

writeTimes(document);
for (const section of document.querySelectorAll(".messages")) drawDays(section);
document.querySelector(".this")?.scrollIntoView({ block: "center" });
