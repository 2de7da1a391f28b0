// Marks the messages that mention the reader, as the server does where it makes the page (handlers/messages/articles.py).
// A page to which no mention comes does not load this.

import { t } from "./words.js";

const EVERYBODY = 0;
const { me } = /** @type {HTMLElement} */ (document.getElementById("messages")).dataset;

addSheet();

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

/** @param {import("./message.js").Message} message */
function isToReader({ mentions = [] }) {
  return me !== undefined && (mentions.includes(EVERYBODY) || mentions.includes(Number(me)));
}

/** Adds the style sheet, unless the page has it. Scripts may be in a folder of their version. */
function addSheet() {
  if (document.querySelector('link[href$="/mentions.css"]')) return;
  const sheet = document.createElement("link");
  sheet.rel = "stylesheet";
  sheet.href = import.meta.url.replace(/(boards\/)?mentions\.js.*$/, "mentions.css");
  document.head.append(sheet);
}
