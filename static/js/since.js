// The line between what the reader had read when the page was opened and what is new: it is drawn once, and stays there.
// A page on which there is nothing new, or nothing else, does not show one.

const DAY_MS = 86_400_000;
const WEEK = 7; // days, in which the name of a day says which one it was

const list = /** @type {HTMLElement} */ (document.getElementById("messages"));

/**
 * Draws the line above the newest message that was read, now or once older messages have come that far.
 * @param {number} last The id of that message; it may be deleted by now.
 */
export function draw(last) {
  if (place(last)) return;
  const observer = new MutationObserver(() => place(last) && observer.disconnect());
  observer.observe(list, { childList: true });
}

/**
 * @param {number} last
 * @returns {boolean} Whether it is known where the line is, or that there is none.
 */
function place(last) {
  const articles = [...list.querySelectorAll("article")];
  const count = articles.findIndex((article) => Number(article.id.slice(1)) <= last);
  if (count < 0) return document.getElementById("older")?.hidden ?? true; // all that there is may be new
  if (count === 0) return true;
  const line = document.createElement("div");
  const read = new Date(articles[count].querySelector("time")?.dateTime ?? "");
  line.className = "since";
  line.textContent = `${count} new since ${inWords(read)}`;
  for (const [name, value] of [
    ["role", "separator"],
    ["aria-label", line.textContent],
    ["aria-live", "off"],
  ]) {
    line.setAttribute(name, value); // the messages are a live region, in which this is no news
  }
  addSheet();
  articles[count - 1].after(line);
  return true;
}

/** Returns the day, or of today the time; in English, as the words around it. @param {Date} moment */
function inWords(moment) {
  const morning = (/** @type {Date} */ at) => new Date(at.toDateString()).getTime();
  const ago = Math.round((morning(new Date()) - morning(moment)) / DAY_MS); // a day may have 23 hours
  if (ago < 1) return moment.toLocaleTimeString(undefined, { hour: "numeric", minute: "2-digit" });
  if (ago === 1) return "yesterday";
  if (ago < WEEK) return moment.toLocaleDateString("en", { weekday: "long" });
  return moment.toLocaleDateString("en-GB", { day: "numeric", month: "long" });
}

function addSheet() {
  const styles = /** @type {HTMLLinkElement} */ (document.querySelector("link[href$='/board.css']"));
  const sheet = document.createElement("link");
  sheet.rel = "stylesheet";
  sheet.href = styles.href.replace("/board.css", "/since.css");
  document.head.append(sheet);
}
