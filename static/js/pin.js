// The board's pinned message: a line at its top, which opens to show it whole. It follows each change of that message. A
// page whose board has none does not load this.

/**
 * @typedef {import("./message.js").Message} Message
 * @typedef {import("./board.js").Reply} Reply
 */

const LONGEST = 120; // characters of the line: it is cut where it does not fit
const MOST_READ = 1000; // characters of a message in which these are looked for

/** @type {typeof import("./markup.js") | undefined} Without it, as on a server of the last release, a body is plain. */
const markup = await import("./markup.js").catch(() => undefined);

addSheet();

/**
 * Takes what a reply says of the pinned message: a reset names it, and each message that has changed says whether it is
 * the one.
 * @param {Reply} reply
 */
export function heard({ messages, reset, pinned }) {
  if (document.querySelector("#sign[data-kind=stopped]")) return; // the reader may no longer read this
  if (reset) show(pinned ?? null);
  for (const message of messages) {
    if (!message.deleted && message.pinned) show(message);
    else if (String(message.id) === shown()?.dataset.id) show(null);
  }
}

function shown() {
  return document.getElementById("pinned");
}

/** @param {Message | null} message */
function show(message) {
  const before = shown();
  if (!message) return before?.remove();
  const line = make(message);
  if (before?.dataset.id !== line.dataset.id) say();
  if (!before) return (document.getElementById("composer") ?? document.querySelector(".invite, .around"))?.before(line);
  before.dataset.id = line.dataset.id;
  // What is open stays open, and what has the focus has it.
  for (const [at, part] of [...line.children].entries()) before.children[at].replaceChildren(...part.childNodes);
}

function say() {
  const spoken = document.getElementById("spoken");
  if (spoken) spoken.textContent = "A message was pinned.";
}

/**
 * Makes the same line as templates/pin.html.
 * @param {Message} message
 */
function make({ id, author, guest_name, body }) {
  const line = document.createElement("details");
  const [summary, whole, rest] = ["summary", "div", "p"].map((kind) => document.createElement(kind));
  const [label, name, words] = ["b", "bdi", "span"].map((kind) => document.createElement(kind));
  [line.className, line.id, line.dataset.id] = ["pinned", "pinned", String(id)];
  [label.textContent, name.lang, name.textContent] = [
    "Pinned",
    "",
    author?.name ?? (guest_name ? `${guest_name} (guest)` : "Guest"),
  ];
  [words.dir, words.lang, words.textContent] = ["auto", "", beginning(body)];
  summary.append(label, " ", name, " ");
  if (author?.username) {
    const username = document.createElement("bdi");
    username.textContent = `@${author.username}`;
    summary.append(username, " ");
  }
  summary.append(words);
  [whole.className, whole.dir, whole.lang] = ["body", "auto", ""];
  whole.append(...(markup ? markup.nodes(body) : [body]));
  const link = rest.appendChild(document.createElement("a"));
  [link.href, link.textContent] = [`/m/${id}`, "Go to the message"];
  line.append(summary, whole, rest);
  return line;
}

/** @param {string} body */
function beginning(body) {
  const start = [...body].slice(0, MOST_READ).join("");
  const plain = markup ? markup.plain(markup.pieces(start)) : start;
  const signs = [...plain.trim().split(/\s+/).join(" ")];
  const cut = signs.slice(0, LONGEST - 1).join("");
  return signs.length <= LONGEST ? signs.join("") : `${cut.trim()}…`;
}

/** Adds the style sheet, unless the page has it. */
function addSheet() {
  const styles = /** @type {HTMLLinkElement} */ (document.querySelector("link[href$='/board.css']"));
  if (document.querySelector("link[href$='/pin.css']")) return;
  const sheet = document.createElement("link");
  sheet.rel = "stylesheet";
  sheet.href = styles.href.replace("/board.css", "/pin.css");
  document.head.append(sheet);
}
