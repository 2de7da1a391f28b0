// One message as an element: a copy of the template that the server uses, too. Text goes in as text only, cut into links
// and code. Its time is shown in the reader's time zone.

/**
 * A message as it comes over the wire (docs/protocol.md); a deleted one has its id only.
 * @typedef {{id: number, body: string, author: {id: number, name: string} | null, created_at: string,
 *   edited_at: string | null, reactions?: {[emoji: string]: number}, deleted?: undefined}} Message
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
  const { id, author } = message;
  if (author) {
    article.dataset.by = String(author.id);
    part(".author").classList.remove("guest");
    part(".author").textContent = author.name;
    part(".face").classList.add(`hue${author.id % 8}`);
    part(".face").textContent = initials(author.name);
  }
  // One that waits to be sent has no id yet.
  if (id) {
    const link = /** @type {HTMLAnchorElement} */ (part(".permalink"));
    article.id = `m${id}`;
    link.href = `/m/${id}`;
    part("header").id = `h${id}`;
    for (const one of [article, link]) one.setAttribute("aria-labelledby", `h${id}`);
  }
  /** @type {HTMLTimeElement} */ (part("time")).dateTime = message.created_at;
  if (message.edited_at === null) part(".edited").remove();
  part(".body").append(...pieces(message.body).map(makePiece));
  writeTimes(article);
  if (message.reactions || document.querySelector(`#${article.id} .reactions`)) {
    import("./reactions.js").then(({ show }) => show(message)).catch(() => {}); // pages without any do without it
  }
  return article;
}

/**
 * The first letters of the first and the last word; the same as in board/signs.py.
 * @param {string} name
 */
function initials(name) {
  const words = name.match(/[\p{L}\p{N}]\S*/gu) ?? [name];
  const ends = words.length > 1 ? [words[0], words[words.length - 1]] : words;
  return ends.map((word) => [...word][0].toUpperCase()).join("");
}

/**
 * Makes an article on the page equal to another one. Changes only what differs, so that the focus and the selection stay
 * where they are.
 * @param {HTMLElement} article
 * @param {HTMLElement} changed
 */
export function changeArticle(article, changed) {
  for (const name of [".face", "header", ".body"]) {
    const [part, other] = [article.querySelector(name), changed.querySelector(name)];
    if (part && other) changeNodes(part, other);
  }
  return article;
}

/**
 * @param {Element} into
 * @param {Element} from
 */
function changeNodes(into, from) {
  const [old, fresh] = [[...into.childNodes], [...from.childNodes]];
  const { start, end } = sameEnds(old.length, fresh.length, (at, other) => old[at].isEqualNode(fresh[other]));
  const [gone, come] = [old.slice(start, old.length - end), fresh.slice(start, fresh.length - end)];
  if (gone.length === 1 && come.length === 1 && gone[0] instanceof Text && come[0] instanceof Text) {
    changeText(gone[0], come[0].data);
  } else {
    const next = old[old.length - end] ?? null;
    for (const node of gone) node.remove();
    for (const node of come) into.insertBefore(node, next);
  }
}

/**
 * Changes only the part that differs, so that a selection keeps its characters, as far as they stay.
 * @param {Text} node
 * @param {string} text
 */
function changeText(node, text) {
  const { start, end } = sameEnds(node.length, text.length, (at, other) => node.data[at] === text[other]);
  node.replaceData(start, node.length - start - end, text.slice(start, text.length - end));
}

/**
 * Returns how many items are the same at the start and at the end of two lists.
 * @param {number} length
 * @param {number} otherLength
 * @param {(at: number, other: number) => boolean} isSame
 */
function sameEnds(length, otherLength, isSame) {
  const most = Math.min(length, otherLength);
  let [start, end] = [0, 0];
  while (start < most && isSame(start, start)) start++;
  while (end < most - start && isSame(length - 1 - end, otherLength - 1 - end)) end++;
  return { start, end };
}

/**
 * Makes the same element as templates/message.html, attribute by attribute.
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

// --- where the links and the code are: the same as board/text.py; tests check both against tests/support/pieces.json

/** @typedef {"text" | "link" | "code" | "block"} Kind */

const CODE = /\n?```\n?(.+?)\n?```\n?|`([^`\n]+)`/gs;
const LINK =
  /https?:\/\/[^\x00-\x20\x7f-\xa0\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\ufeff<>"`\u201c\u201d\u3000-\u303f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]+/gi;
const MOST_MARKUP = 100; // links and pieces of code in one message
const BRACKETS = ["()", "[]", "{}"];
const ENDINGS = ".,;:!?'*_~…‘’«»‹›–—،؛؟۔।";

/**
 * Cuts the body into [text, kind], in order. The text of a link is its address; code has no backticks.
 * After MOST_MARKUP links and pieces of code, the rest is text as it was written.
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
 * Yields code and links in their order, each as [start, end, shown text, kind]. Nothing in code is a link.
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
 * @param {number} offset Where the text begins in the body.
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
 * Removes the punctuation that ends the sentence around a link. A bracket stays if it was opened in the link.
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

const HOUR = /** @type {const} */ ({ hour: "numeric", minute: "2-digit" });
const DAY = /** @type {const} */ ({ day: "numeric", month: "short" });
const MINUTE_MS = 60_000;
let formats = makeFormats();

/** Formats keep the time zone in which they were made, which is another one after a journey. */
function makeFormats() {
  const format = (/** @type {Intl.DateTimeFormatOptions} */ options) => new Intl.DateTimeFormat(undefined, options);
  return {
    zone: zone(),
    today: format(HOUR),
    thisYear: format({ ...DAY, ...HOUR }),
    longAgo: format({ ...DAY, year: "numeric", ...HOUR }),
    full: format({ dateStyle: "full", timeStyle: "medium" }),
    wholeDay: format({ weekday: "long", day: "numeric", month: "long", year: "numeric" }),
    recently: new Intl.RelativeTimeFormat(undefined, { numeric: "auto" }), // “yesterday”
  };
}

function zone() {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/**
 * Calls `write` when the day has ended or the time zone has changed, for as long as the page is open.
 * @param {() => void} write
 */
export function onNewDay(write) {
  let written = day();
  const look = () => {
    if (written === day() && formats.zone === zone()) return;
    if (formats.zone !== zone()) formats = makeFormats();
    written = day();
    write();
  };
  setInterval(look, MINUTE_MS);
  document.addEventListener("visibilitychange", look);
}

/**
 * Writes every time in `root` as it reads now: only the hour, and the day too where there is no line above it that says it.
 * @param {ParentNode} root
 */
export function writeTimes(root, now = new Date()) {
  for (const element of root.querySelectorAll("time")) {
    const moment = new Date(element.dateTime);
    const isDated = element.closest(".found"); // else it stands below the line of its day
    const name =
      !isDated || day(moment) === day(now)
        ? "today"
        : moment.getFullYear() === now.getFullYear()
          ? "thisYear"
          : "longAgo";
    element.textContent = formats[name].format(moment);
    element.title = formats.full.format(moment);
  }
}

/** Returns a text that is the same for all moments of a day. */
export function day(moment = new Date()) {
  return moment.toDateString();
}

/** @param {Element} article */
export function dayOf(article) {
  return day(new Date(article.querySelector("time")?.dateTime ?? ""));
}

/**
 * Draws a line above each day in the section. The server draws the lines where a day begins in UTC; here they are moved to
 * where it begins for the reader.
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
  return ago === 0 || ago === -1 ? formats.recently.format(ago, "day") : formats.wholeDay.format(morning);
}
