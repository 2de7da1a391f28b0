// @ts-check
// One message as an element: a copy of the template that the server makes its own of. Text goes in as text only.

import { pieces } from "./text.js";
import { writeTimes } from "./time.js";

/**
 * A message as it comes over the wire (docs/protocol.md); a deleted one has its id only.
 * @typedef {{id: number, body: string, author: {id: number, name: string} | null, created_at: string,
 *   edited_at: string | null, deleted?: undefined}} Message
 * @typedef {{id: number, deleted: true}} Deleted
 */

const template = /** @type {HTMLTemplateElement} */ (document.querySelector("template#message"));

/**
 * @param {Message} message
 * @returns {HTMLElement}
 */
export function makeArticle(message) {
  const article = /** @type {HTMLElement} */ (document.importNode(template.content, true).firstElementChild);
  /** @param {string} selector */
  const part = (selector) => /** @type {HTMLElement} */ (article.querySelector(selector));
  article.id = `m${message.id}`;
  if (message.author) {
    part(".author").classList.remove("guest");
    part(".author").textContent = message.author.name;
  }
  /** @type {HTMLAnchorElement} */ (part(".permalink")).href = `/m/${message.id}`;
  /** @type {HTMLTimeElement} */ (part("time")).dateTime = message.created_at;
  if (message.edited_at === null) part(".edited").remove();
  part(".body").append(...pieces(message.body).map(([text, isLink]) => (isLink ? makeLink(text) : text)));
  writeTimes(article);
  return article;
}

/**
 * As in templates/message.html, attribute by attribute.
 * @param {string} address
 */
function makeLink(address) {
  const link = document.createElement("a");
  link.href = address;
  link.rel = "nofollow noopener ugc";
  link.target = "_blank";
  link.textContent = address;
  return link;
}
