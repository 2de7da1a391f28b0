// One message as an element: a copy of the template that the server uses, too. Text goes in as text only. Its time is shown
// in the reader's time zone.

import { locale, t } from "./words.js";

/**
 * `username` is there if the name alone does not say who it is.
 * @typedef {{id: number, name: string, username?: string, role?: string}} Author
 * A message as it comes over the wire (docs/protocol.md); a deleted one has its id only.
 * @typedef {{id: number, body: string, author: Author | null, created_at: string,
 *   edited_at: string | null, reply_to?: number, mentions?: number[], reactions?: {[emoji: string]: number}, guest_name?: string,
 *   pinned?: true, editable_until?: string, deleted?: undefined}} Message `editable_until` has only the answer to a guest's post.
 * @typedef {{id: number, deleted: true}} Deleted
 */

const MARKED = /[\\\x60*_~>[@]|^- |:\/\/|www\./im; // without these, markup.js finds nothing in a body
/** @type {typeof import("./markup.js").nodes | undefined} */
let nodes;
/** @type {Promise<unknown> | null} */
let loading = null;
let tries = 0;
const template = /** @type {HTMLTemplateElement} */ (document.querySelector("template#message"));

/**
 * @param {Message} message
 * @returns {HTMLElement}
 */
export function makeArticle(message) {
  const article = /** @type {HTMLElement} */ (document.importNode(template.content, true).firstElementChild);
  /** @param {string} selector */
  const part = (selector) => /** @type {HTMLElement} */ (article.querySelector(selector));
  const beside = (/** @type {string} */ kind, /** @type {string} */ text) => {
    const element = document.createElement(kind);
    element.textContent = text;
    part(".author").after(" ", element);
  };
  const { id, author } = message;
  if (author) {
    article.dataset.by = String(author.id);
    part(".author").classList.remove("guest");
    part(".author").textContent = author.name === "deleted account" ? t("deleted account") : author.name; // as the server
    if (author.role) beside("b", author.role === "bot" ? t("bot") : t("mod"));
    if (author.username) beside("bdi", `@${author.username}`);
    part(".face").classList.add(`hue${author.id % 8}`);
    part(".face").textContent = initials(author.name);
  } else if (message.guest_name) {
    part(".author").textContent = message.guest_name;
    beside("bdi", t("(guest)")); // where no name can stand
  }
  // One that waits to be sent has no id yet.
  if (id) {
    const link = part(".permalink");
    article.id = `m${id}`;
    link.setAttribute("href", `/m/${id}`);
    part("header").id = `h${id}`;
    for (const one of [article, link]) one.setAttribute("aria-labelledby", `h${id}`);
  }
  /** @type {HTMLTimeElement} */ (part("time")).dateTime = message.created_at;
  if (message.edited_at === null) part(".edited").remove();
  if (message.reply_to) {
    article.dataset.replyTo = String(message.reply_to);
    import("./quotes.js").catch(() => {}); // the next reply tries again
  }
  write(part(".body"), message.body);
  writeTimes(article);
  if (message.reactions || (id && document.querySelector(`#m${id} .reactions`))) {
    import("./reactions.js").then(({ show }) => show(message)).catch(() => {}); // pages without any do without it
  }
  if (message.mentions || (id && document.querySelector(`#m${id}.mentions`))) {
    import("./mentions.js").then(({ show }) => show(message)).catch(() => {}); // as above
  }
  return article;
}

/**
 * The first letters of the first and the last word; the same as in board/signs.py.
 * @param {string} name
 */
function initials(name) {
  const words = name.match(/[\p{L}\p{N}]\S*/gu) ?? [name];
  return [words[0], ...words.slice(1).slice(-1)].map(([sign]) => sign.toUpperCase()).join("");
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
 * Puts a body into its element. Links, code and so on are made by another script, which is loaded when there may be some
 * for the first time. Until then, and where that fails, a body is shown as it was written.
 * @param {HTMLElement} element
 * @param {string} body
 */
function write(element, body) {
  if (nodes) return element.append(...nodes(body));
  if (!MARKED.test(body)) return element.append(body);
  const raw = element.appendChild(document.createElement("span")); // stays itself when changeArticle moves it
  raw.append(body);
  loading ??= import(tries ? `./markup.js?${tries}` : "./markup.js").then(
    (module) => (nodes = module.nodes),
    () => (tries++, (loading = null)), // with another address: see lazy() in main.js
  );
  loading.then(() => nodes && raw.replaceWith(...nodes(body)));
}

// --- times and days

const HOUR = /** @type {const} */ ({ hour: "numeric", minute: "2-digit" });
const DAY = /** @type {const} */ ({ day: "numeric", month: "short" });
const MINUTE_MS = 60_000;
let formats = makeFormats();

/** Formats keep the time zone in which they were made, which is another one after a journey. */
function makeFormats() {
  const format = (/** @type {Intl.DateTimeFormatOptions} */ options) => new Intl.DateTimeFormat(locale, options);
  return {
    zone: zone(),
    today: format(HOUR),
    thisYear: format({ ...DAY, ...HOUR }),
    longAgo: format({ ...DAY, year: "numeric", ...HOUR }),
    full: format({ dateStyle: "full", timeStyle: "medium" }),
    wholeDay: format({ weekday: "long", day: "numeric", month: "long", year: "numeric" }),
    recently: new Intl.RelativeTimeFormat(locale, { numeric: "auto" }), // “yesterday”
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
    // Else it stands below the line of its day.
    const isDated = element.closest(".found");
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
  for (const article of section.querySelectorAll(":scope > .message")) {
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
