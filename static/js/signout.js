// Signing out by hand deletes the account's unposted words from this browser, unless its owner asks to keep them, because
// the next person at this screen may be somebody else.

import { drawer as store } from "./outbox.js";

const form = /** @type {HTMLFormElement} */ (document.querySelector("form[action='/signout']"));
const as = form.dataset.as ?? "";
const asks = form.querySelector("fieldset"); // only the page /signout asks; the account's page leads there
const draft = `draft/${as}`;
/**
 * @param {string} as
 * @param {string} name
 */
const isOf = (as, name) => /^boards\/\w+\/(?:draft|outbox|place)\/([^/]*)/.exec(name)?.[1] === as;
const kept = () => [
  ...store.names(draft).filter((name) => name === draft || name.startsWith(`${draft}/`)),
  ...store.names(`outbox/${as}/`),
  ...store.names(`edit/${as}/`),
  ...store.names("boards/").filter((name) => isOf(as, name)), // of other boards
];

if (asks) asks.hidden = !kept().length;
form.addEventListener("submit", async (event) => {
  store.put(`read-marks/${as}`, ""); // which has the addresses of boards that not everyone knows
  store.put(`last-read/${as}`, "");
  const names = kept();
  if (!names.length) return;
  event.preventDefault();
  if (!asks) return location.assign("/signout");
  const isKept = asks.querySelector("input")?.checked;
  try {
    const { type } = await fetch(form.action, { method: "POST", redirect: "manual" });
    if (type !== "opaqueredirect") return form.submit(); // the next page shows what is wrong
    if (!isKept) for (const name of names) store.put(name, "");
    location.assign("/");
  } catch {
    form.submit();
  }
});
