// Marks the messages that mention the reader, as the server does where it makes the page (handlers/messages/articles.py).
// A page to which no mention comes does not load this.

import { addSheet, isToReader } from "./shared.js";
import { t } from "./words.js";

addSheet("mentions");

/** @param {import("./message.js").Message} message */
export function show(message) {
  const article = document.getElementById(`m${message.id}`);
  const header = article?.querySelector("header");
  if (!article || !header) return; // it is held back, and comes again
  article.classList.toggle("mentions", Boolean(message.mentions));
  article.classList.toggle("mentioned", isToReader(message));
  header.querySelector(".to-you")?.remove();
  if (!isToReader(message)) return;
  const sign = document.createElement("span");
  sign.className = "to-you";
  sign.textContent = " " + t("mentions you");
  header.append(sign);
}
