// @ts-check
// The lines between days. The server draws them where a day begins in UTC; here they are drawn anew where it begins for
// the reader. Each is a copy of the server's own (templates/day.html).

const words = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long", year: "numeric" });

/**
 * Draws them for all messages within, whichever way these are ordered; a section without any of them stays so.
 * @param {Element} section
 */
export function drawDays(section) {
  const drawn = [...section.querySelectorAll(".day")];
  const blank = drawn[0];
  for (const line of drawn) line.remove();
  let last = "";
  for (const message of blank ? section.querySelectorAll(".message") : []) {
    const moment = new Date(message.querySelector("time")?.dateTime ?? "");
    if (moment.toDateString() === last) continue;
    last = moment.toDateString();
    const line = /** @type {HTMLElement} */ (blank.cloneNode());
    line.dataset.day = `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())}`;
    line.textContent = words.format(moment);
    message.before(line);
  }
}

/** @param {number} number */
function two(number) {
  return String(number).padStart(2, "0");
}
