// @ts-check
// A one-time link keeps its secret behind the #, which browsers send to nobody: it goes into the form from here.

const field = /** @type {HTMLInputElement} */ (document.querySelector("[data-link]"));
read();
addEventListener("hashchange", read); // a link that is opened where the page is open already

function read() {
  const secret = location.hash.slice(1);
  if (secret) {
    field.value = secret;
    history.replaceState(null, "", location.pathname); // nor does it stay in the list of pages visited
  }
  if (!field.value || (field.hasAttribute("aria-invalid") && !secret)) return;
  /** @type {HTMLElement} */ (field.closest("p")).hidden = true;
  /** @type {HTMLElement | null} */ (document.querySelector("[autofocus]"))?.focus();
}

// The way to Facebook takes an invitation along as a cookie for that one address, as an address would be in logs.
const facebook = /** @type {HTMLAnchorElement | null} */ (document.querySelector("a.facebook"));
facebook?.addEventListener("click", () => {
  const start = new URL(facebook.href);
  start.searchParams.delete("invite"); // of an older link
  facebook.href = start.href;
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `longboard-invite=${encodeURIComponent(field.value)}; path=${start.pathname}; max-age=600; samesite=lax${secure}`;
});
