// @ts-check
// One message as an element: a copy of the template that the server makes its own of. Text goes in as text only,
// cut into links and code; its time is written as its reader's own.

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
  part(".body").append(...pieces(message.body).map(makePiece));
  writeTimes(article);
  return article;
}

/**
 * As in templates/message.html, attribute by attribute.
 * @param {[string, Kind]} piece
 * @returns {string | HTMLElement}
 */
function makePiece([text, kind]) {
  if (kind === "text") return text;
  const element = document.createElement(kind === "link" ? "a" : kind === "block" ? "pre" : "code");
  if (element instanceof HTMLAnchorElement) {
    element.href = text;
    element.rel = "nofollow noopener ugc";
    element.target = "_blank";
  } else {
    element.dir = "auto";
  }
  const inner = kind === "block" ? element.appendChild(document.createElement("code")) : element;
  inner.textContent = text;
  return element;
}

// --- where the links and the code are: the same as board/text.py; tests/pieces.json holds both to one list

/** @typedef {"text" | "link" | "code" | "block"} Kind */

const CODE = /\n?```\n?(.+?)\n?```\n?|`([^`\n]+)`/gs;
const LINK =
  /https?:\/\/[^\x00-\x20\x7f-\xa0\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\ufeff<>"`\u201c\u201d\u3000-\u303f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]+/gi;
const MOST_MARKUP = 100; // links and pieces of code in one message
const BRACKETS = ["()", "[]", "{}"];
const ENDINGS = ".,;:!?'*_~…‘’«»‹›–—،؛؟۔।";

/**
 * The body cut into [text, kind], in order: a link is its address, code and a block of it come without backticks.
 * Beyond MOST_MARKUP of them, all is text as it was written.
 * @param {string} body
 * @returns {[string, Kind][]}
 */
export function pieces(body) {
  /** @type {[string, Kind][]} */
  const found = [];
  let at = 0;
  let left = MOST_MARKUP;
  for (const [start, end, shown, kind] of markup(body)) {
    if (left-- === 0) break;
    if (start > at) found.push([body.slice(at, start), "text"]);
    found.push([shown, kind]);
    at = end;
  }
  if (at < body.length) found.push([body.slice(at), "text"]);
  return found;
}

/**
 * Code and links in their order, each as [start, end, what is shown, kind]; nothing in code is a link.
 * @param {string} body
 * @returns {Generator<[number, number, string, Kind]>}
 */
function* markup(body) {
  let at = 0;
  for (const match of body.matchAll(CODE)) {
    const end = match.index + match[0].length;
    yield* links(body.slice(at, match.index), at);
    yield match[1] ? [match.index, end, match[1], "block"] : [match.index, end, match[2], "code"];
    at = end;
  }
  yield* links(body.slice(at), at);
}

/**
 * @param {string} text
 * @param {number} offset Where it stands in the body.
 * @returns {Generator<[number, number, string, Kind]>}
 */
function* links(text, offset) {
  for (const match of text.matchAll(LINK)) {
    const link = trimmed(match[0]);
    if (!/^https?:\/\/[0-9a-z\x80-\uffff]/i.test(link)) continue;
    const start = offset + match.index;
    yield [start, start + link.length, link, "link"];
  }
}

/**
 * Without the punctuation that ends the sentence around it; a bracket stays if it was opened inside.
 * @param {string} link
 */
function trimmed(link) {
  const unopened = new Map(BRACKETS.map(([opener, closer]) => [closer, count(link, closer) - count(link, opener)]));
  for (let end = link.length; ; end--) {
    const last = link[end - 1];
    const surplus = unopened.get(last) ?? 0;
    if (surplus > 0) unopened.set(last, surplus - 1);
    else if (!ENDINGS.includes(last)) return link.slice(0, end);
  }
}

/**
 * @param {string} text
 * @param {string} character
 */
function count(text, character) {
  return text.split(character).length - 1;
}

// --- times and days

const HOUR = /** @type {const} */ ({ hour: "2-digit", minute: "2-digit" });
const DAY = /** @type {const} */ ({ day: "numeric", month: "short" });
const today = new Intl.DateTimeFormat(undefined, HOUR);
const thisYear = new Intl.DateTimeFormat(undefined, { ...DAY, ...HOUR });
const longAgo = new Intl.DateTimeFormat(undefined, { ...DAY, year: "numeric", ...HOUR });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });
const wholeDay = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long", year: "numeric" });
const recently = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" }); // “yesterday”

/**
 * Writes every time within as it reads now: the hour for today, the day too for all else.
 * @param {ParentNode} root
 */
export function writeTimes(root, now = new Date()) {
  for (const element of root.querySelectorAll("time")) {
    const moment = new Date(element.dateTime);
    const format = day(moment) === day(now) ? today : moment.getFullYear() === now.getFullYear() ? thisYear : longAgo;
    element.textContent = format.format(moment);
    element.title = full.format(moment);
  }
}

/** What is the same for all moments of a day. */
export function day(moment = new Date()) {
  return moment.toDateString();
}

/** @param {Element} article */
export function dayOf(article) {
  return day(new Date(article.querySelector("time")?.dateTime ?? ""));
}

/**
 * Draws a line above each day within. The server draws them where a day begins in UTC; here they are drawn anew where it
 * begins for the reader.
 * @param {Element} section
 */
export function drawDays(section) {
  for (const line of section.querySelectorAll(".day")) line.remove();
  let last = "";
  for (const article of section.querySelectorAll(".message")) {
    if (dayOf(article) === last) continue;
    last = dayOf(article);
    const line = document.createElement("h2"); // as in templates/day.html
    line.className = "day";
    line.textContent = dayInWords(new Date(last));
    article.before(line);
  }
}

/** @param {Date} morning */
function dayInWords(morning) {
  const ago = Math.round((morning.getTime() - new Date(day()).getTime()) / 86_400_000); // a day may have 23 hours
  return ago === 0 || ago === -1 ? recently.format(ago, "day") : wholeDay.format(morning);
}
