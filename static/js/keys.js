// The keys of the board's page, and the list of them. They do nothing while the reader types, and can be switched off.

import { drawer as store } from "./outbox.js";

const KEPT = "keys"; // in this browser: "off"
const COMPOSING = 229; // the keyCode in Safari, instead of isComposing, of the key that ends composing
/** @type {Record<string, string>} */
const PLACES = { KeyN: "n", KeyJ: "j", KeyK: "k", Slash: "/", Period: "." };
// Here and not in the page, because most readers never open it.
const LIST =
  `<h2 id="keys-title">Keyboard shortcuts</h2>` +
  `<dl><dt><kbd>n</kbd></dt><dd>Write</dd><dt><kbd>Ctrl</kbd> <kbd>Enter</kbd></dt><dd>Send</dd><dt><kbd>Esc</kbd></dt><dd>Leave the box</dd><dt><kbd>j</kbd> <kbd>k</kbd></dt><dd>Next message, the one before</dd><dt><kbd>Enter</kbd></dt><dd>Open it</dd><dt><kbd>Tab</kbd></dt><dd>Its tools; arrows lead along them</dd><dt><kbd>.</kbd></dt><dd>Jump to newest</dd><dt><kbd>/</kbd></dt><dd>Search</dd><dt><kbd>?</kbd></dt><dd>This list</dd></dl>` +
  `<p>Text: <kbd>**bold**</kbd> <kbd>_italic_</kbd> <kbd>~~struck~~</kbd> <kbd>&#96;code&#96;</kbd> <kbd>&gt; quote</kbd> <kbd>- list</kbd> <kbd>[title](https://…)</kbd></p>` +
  `<form method="dialog"><label><input type="checkbox" checked> Enable shortcuts</label><button>Close</button></form>`;
const dialog = document.createElement("dialog");
dialog.id = "keys";
dialog.setAttribute("aria-labelledby", "keys-title");
dialog.innerHTML = LIST;
document.body.append(dialog);
const isOn = /** @type {HTMLInputElement} */ (dialog.querySelector("input"));
isOn.checked = store.get(KEPT) !== "off";
isOn.addEventListener("change", () => store.put(KEPT, isOn.checked ? "" : "off"));
document.addEventListener("keydown", press);

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
