// The line between what the reader had read when the page was opened and what is new: it is drawn once, and stays there.
// A page on which there is nothing new, or nothing else, does not show one.

import { isOldestFirst } from "./order.js";
import { addSheet } from "./shared.js";
import { locale, n } from "./words.js";

const DAY_MS = 86_400_000;
const MOST_REQUESTS = 4; // in which a page with the oldest first looks by itself for where its reader stopped
const WEEK = 7; // days, in which the name of a day says which one it was

const list = /** @type {HTMLElement} */ (document.getElementById("messages"));

/**
 * Draws the line between the newest message that was read and what is new, now or once older messages have come that far. Until
 * then, a line beside the newest leads there. With the oldest first, the page then goes there by itself, if it is not too far.
 * The line goes when all that is new is deleted.
 * @param {number} last The id of that message; it may be deleted by now.
 */
export function draw(last) {
  const newest = idOf(articles()[0] ?? null);
  let line = place(last, newest);
  if (line === null) return;
  const opens = isOldestFirst() && isAtEnd();
  const isStyled = addSheet("since");
  if (!line) list[isOldestFirst() ? "after" : "before"](leadTo(last));
  if (!line && opens) goTo(last, MOST_REQUESTS);
  else if (opens) isStyled.then(() => line?.scrollIntoView({ block: "center" })); // it has its height then
  new MutationObserver((_, observer) => {
    line ??= place(last, newest);
    if (line?.isConnected && !newOnes(last, newest).length) line.remove();
    if (line === null || line?.isConnected === false) observer.disconnect();
    if (line !== undefined) document.getElementById("to-read")?.remove();
  }).observe(list, { childList: true });
}

/**
 * @param {number} last
 * @param {number} newest The newest message when the page was opened.
 * @returns {HTMLElement | null | undefined} The line; null if there is none; undefined if that is not known yet.
 */
function place(last, newest) {
  const read = articles().find((article) => idOf(article) <= last);
  if (!read) return document.getElementById("older")?.hidden === false ? undefined : null; // all that there is may be new
  const count = newOnes(last, newest).length;
  if (!count) return null;
  const line = document.createElement("div");
  line.className = "since";
  line.textContent = inWords(count, new Date(read.querySelector("time")?.dateTime ?? ""));
  for (const [name, value] of [
    ["role", "separator"],
    ["aria-label", line.textContent],
    ["aria-live", "off"],
  ]) {
    line.setAttribute(name, value); // the messages are a live region, in which this is no news
  }
  const first = /** @type {HTMLElement} */ (newOnes(last, newest).at(-1));
  if (isOldestFirst()) first.before(line);
  else first.after(line);
  return line;
}

/** Whether nobody has scrolled since the page opened at its end, or it has not been shown yet: see main.js. */
function isAtEnd() {
  if (getComputedStyle(list).visibility === "hidden") return true;
  return Number(document.getElementById("newest")?.getBoundingClientRect().top) <= innerHeight;
}

/** The newest first, also where the page has the oldest first. */
function articles() {
  return [...list.querySelectorAll("article")].sort((one, other) => idOf(other) - idOf(one));
}

/**
 * Returns the messages of others that are newer than the last one that was read.
 * @param {number} last
 */
function newOnes(last, newest = Infinity) {
  const { me } = list.dataset;
  return articles().filter(
    (article) => idOf(article) > last && idOf(article) <= newest && (!me || article.dataset.by !== me),
  );
}

/** @param {number} last */
function leadTo(last) {
  const [line, button] = [document.createElement("p"), document.createElement("button")];
  [line.id, line.className, button.className, button.type] = ["to-read", "since", "plain", "button"];
  button.textContent = n(
    "More than %(n)s new: go to where you stopped",
    "More than %(n)s new: go to where you stopped",
    newOnes(last).length,
  );
  button.addEventListener("click", () => goTo(last));
  line.append(button);
  return line;
}

/**
 * Goes to a message, which place.js looks for.
 * @param {number} id
 * @param {number} [most] Requests.
 */
function goTo(id, most) {
  history.replaceState({ ...history.state, place: { id, top: innerHeight / 2, most } }, "");
  dispatchEvent(new HashChangeEvent("hashchange"));
}

/** @param {Element | null} article */
function idOf(article) {
  return Number(article?.id.slice(1));
}

/**
 * Returns how many are new since the day, or of today the time.
 * @param {number} count
 * @param {Date} moment
 */
function inWords(count, moment) {
  const morning = (/** @type {Date} */ at) => new Date(at.toDateString()).getTime();
  const ago = Math.round((morning(new Date()) - morning(moment)) / DAY_MS); // a day may have 23 hours
  if (ago === 1) return n("%(n)s new since yesterday", "%(n)s new since yesterday", count);
  /** @type {Intl.DateTimeFormatOptions} */
  const shown =
    ago < 1
      ? { hour: "numeric", minute: "2-digit" }
      : ago < WEEK
        ? { weekday: "long" }
        : { day: "numeric", month: "long" };
  const when = new Intl.DateTimeFormat(locale, shown).format(moment);
  return n("%(n)s new since %(when)s", "%(n)s new since %(when)s", count, { when });
}
