// The keys of the board's page, and the list of them. They do nothing while the reader types, and can be switched off.

import { drawer as store } from "./outbox.js";
import { t } from "./words.js";

const KEPT = "keys"; // in this browser: "off"
const COMPOSING = 229; // the keyCode in Safari, instead of isComposing, of the key that ends composing
/** @type {Record<string, string>} */
const PLACES = { KeyN: "n", KeyJ: "j", KeyK: "k", KeyL: "l", Slash: "/", Period: "." };
/** @type {[string[], string][]} Here and not in the page, because most readers never open it. */
const LIST = [
  [["n"], t("Write")],
  [[t("Ctrl"), t("Enter")], t("Send")],
  [[t("Esc")], t("Leave the box")],
  [["j", "k"], t("Next message, the one before")],
  [[t("Enter")], t("Open it")],
  [[t("Tab")], t("Its tools; arrows lead along them")],
  [["l"], t("Thumbs up, or take it back")],
  [["."], t("Jump to newest")],
  [["/"], t("Search")],
  [["?"], t("This list")],
];
const TEXT = [
  "**" + t("bold") + "**",
  "_" + t("italic") + "_",
  "~~" + t("struck") + "~~",
  "`" + t("code") + "`",
  "> " + t("quote"),
  "- " + t("list"),
  "[" + t("title") + "](https://…)",
];
const dialog = document.createElement("dialog");
dialog.id = "keys";
dialog.setAttribute("aria-labelledby", "keys-title");
dialog.innerHTML =
  '<h2 id="keys-title"></h2><dl></dl><p></p>' +
  '<form method="dialog"><label><input type="checkbox" checked> </label><button></button></form>';
for (const [part, words] of Object.entries({
  h2: t("Keyboard shortcuts"),
  p: t("Text:"),
  label: t("Enable shortcuts"),
  button: t("Close"),
})) {
  dialog.querySelector(part)?.append(words);
}
for (const [keys, does] of LIST) {
  const [term, what] = ["dt", "dd"].map((kind) => document.createElement(kind));
  term.append(...keysIn(keys));
  what.textContent = does;
  dialog.querySelector("dl")?.append(term, what);
}
dialog.querySelector("p")?.append(" ", ...keysIn(TEXT));
document.body.append(dialog);
const isOn = /** @type {HTMLInputElement} */ (dialog.querySelector("input"));
isOn.checked = store.get(KEPT) !== "off";
isOn.addEventListener("change", () => store.put(KEPT, isOn.checked ? "" : "off"));
document.addEventListener("keydown", press);

/** @param {string[]} words */
function keysIn(words) {
  return words.flatMap((one, at) => {
    const key = document.createElement("kbd");
    key.textContent = one;
    return at ? [" ", key] : [key];
  });
}

export function help() {
  dialog.showModal();
}

/** @param {KeyboardEvent} event */
export function press(event) {
  const { target, ctrlKey, metaKey, altKey } = event;
  if (event.isComposing || event.keyCode === COMPOSING) return; // it is for the input method
  const key = keyOf(event);
  const isWriting = target instanceof HTMLElement && target.matches("input, textarea, select, [contenteditable]");
  if (isWriting && key === "Escape") return target.blur();
  if (event.defaultPrevented || isWriting || ctrlKey || metaKey || altKey) return;
  if (dialog.open || (!isOn.checked && key !== "?")) return;
  const act = KEYS[key];
  if (!act) return;
  event.preventDefault();
  act();
}

/**
 * Returns the character on the key. On a keyboard of another script, it is the one at this place on a Latin keyboard.
 * @param {KeyboardEvent} event
 */
function keyOf({ key, code, shiftKey }) {
  if (!/^[^\x00-\x7f]$/u.test(key)) return key;
  return shiftKey && code === "Slash" ? "?" : (PLACES[code] ?? key);
}

/** @type {Record<string, () => void>} */
const KEYS = {
  n: () => focus("#s"),
  "/": () => location.assign(document.querySelector("a.find")?.getAttribute("href") ?? "/search"),
  j: () => step(1),
  k: () => step(-1),
  ".": () => newest(),
  l: like,
  "?": help,
};

/** @param {string} selector */
function focus(selector) {
  const element = /** @type {HTMLElement | null} */ (document.querySelector(selector));
  element?.focus({ preventScroll: true });
  element?.scrollIntoView({ block: "nearest" }); // where the form stays in view, nothing moves
}

function newest() {
  document.getElementById("news")?.click();
}

function like() {
  import("./tools.js").then(({ likeThis }) => likeThis()).catch(() => {}); // the next press tries again
}

/**
 * Goes to another message. Its link gets the focus, so that Enter opens it.
 * @param {1 | -1} by
 */
function step(by) {
  const articles = [...document.querySelectorAll("#messages article")];
  const at = articles.findIndex((article) => article.contains(document.activeElement));
  const list = /** @type {Element} */ (document.getElementById("messages"));
  const covered = parseFloat(getComputedStyle(list).scrollMarginTop) || 0; // see header.css
  const first = articles.findIndex((article) => article.getBoundingClientRect().top >= covered);
  const next = articles[at < 0 ? Math.max(first, 0) : at + by];
  /** @type {HTMLElement | null | undefined} */ (next?.querySelector(".permalink"))?.focus({ preventScroll: true });
  next?.scrollIntoView({ block: "nearest" }); // not under the parts that stay in view: see header.css
}
