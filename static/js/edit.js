// The form that changes a message. Its words stay in this browser until they are saved, like those in the board's box.

import { FULL, takeTextOnly } from "./composer.js";
import { button, drawer as store } from "./outbox.js";
import { t } from "./words.js";

/** @typedef {{text: string, from: string, isSent?: boolean}} Draft `from` is the message's state that the draft began from. */

const form = /** @type {HTMLFormElement | null} */ (document.getElementById("edit")); // only for its author
if (form) keepWords(form);

/** @param {HTMLFormElement} form */
export function keepWords(form) {
  const box = /** @type {HTMLTextAreaElement} */ (form.querySelector("textarea"));
  const began = /** @type {HTMLInputElement | null} */ (form.querySelector("[name=began_from]"));
  const hint = /** @type {HTMLElement} */ (form.querySelector(".hint"));
  const tip = hint.textContent ?? "";
  const name = form.dataset.draft ?? "";
  takeTextOnly(box, (words) => (hint.textContent = words));
  if (!began) {
    store.put(name, ""); // the message is deleted, and so is the page that would show the words again
    return;
  }
  const [text, from] = [box.defaultValue, began.value];

  const keep = (/** @type {boolean} */ isSent) => {
    const isKept = store.put(name, JSON.stringify({ text: box.value, from: began.value, isSent }));
    if (!isKept) hint.textContent = FULL;
  };

  const startAgain = () => {
    store.put(name, "");
    [box.value, began.value, hint.textContent] = [text, from, tip];
    box.focus();
  };

  const draft = read(store.get(name));
  const isWrittenIn = box.value !== text && box.value !== draft?.text; // before this script was there
  if (form.querySelector(".refused") || isWrittenIn) keep(false);
  else if (draft && draft.text !== text && !(draft.isSent && draft.from !== from)) {
    box.value = draft.text;
    began.value = draft.from;
    hint.textContent = t("These are your words from before, not saved yet.") + " ";
    hint.append(button(t("Start again"), startAgain));
  } else store.put(name, ""); // what was sent is saved

  box.addEventListener("input", () => {
    hint.textContent = tip;
    if (box.value === text) store.put(name, "");
    else keep(false);
  });
  form.addEventListener("submit", () => keep(true));
}

/**
 * @param {string} json
 * @returns {Draft | null} Nothing if this is not a draft.
 */
function read(json) {
  try {
    const { text, from, isSent } = /** @type {Partial<Draft>} */ (JSON.parse(json));
    return typeof text === "string" ? { text, from: String(from ?? ""), isSent } : null;
  } catch {
    return null;
  }
}
