// @ts-check
// A one-time link keeps its secret behind the #, which browsers send to nobody: it goes into the form from here.

const field = /** @type {HTMLInputElement} */ (document.querySelector("#link"));
const secret = location.hash.slice(1);
if (secret) {
  field.value = secret;
  history.replaceState(null, "", location.pathname); // nor does it stay in the list of pages visited
}
if (field.value) {
  /** @type {HTMLElement} */ (field.closest("p")).hidden = true;
  /** @type {HTMLElement} */ (document.querySelector("#password")).focus();
}
