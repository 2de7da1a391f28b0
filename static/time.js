// @ts-check
// Times as people read them: in their own zone and language, the hour for today, the day too for all else.
// The one place that writes them, for messages of the server's making as for those made here.

const HOUR = /** @type {const} */ ({ hour: "2-digit", minute: "2-digit" });
const DAY = /** @type {const} */ ({ day: "numeric", month: "short" });
const today = new Intl.DateTimeFormat(undefined, HOUR);
const thisYear = new Intl.DateTimeFormat(undefined, { ...DAY, ...HOUR });
const longAgo = new Intl.DateTimeFormat(undefined, { ...DAY, year: "numeric", ...HOUR });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });

/**
 * Writes every time within, as it reads now.
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
