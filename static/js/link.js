// A one-time link has its secret after the #, which browsers do not send. This script puts it into the form.

const field = /** @type {HTMLInputElement} */ (document.querySelector("[data-link]"));
read();
addEventListener("hashchange", read); // a link that is opened in a tab that has this page already

function read() {
  const secret = location.hash.slice(1);
  if (secret) {
    field.value = secret;
    history.replaceState(null, "", location.pathname + location.search); // so that the secret does not stay in the browser's history
  }
  if (!field.value || (field.hasAttribute("aria-invalid") && !secret)) return;
  /** @type {HTMLElement} */ (field.closest("p")).hidden = true;
  /** @type {HTMLElement | null} */ (document.querySelector("[autofocus]"))?.focus();
}

// An invitation goes along to a provider of logins in a cookie for that one path, because an address would be in logs.
const logins = /** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll(".or a"));
for (const login of logins) login.addEventListener("click", () => giveInvitation(login));

/** @param {HTMLAnchorElement} login */
function giveInvitation(login) {
  const start = new URL(login.href);
  start.searchParams.delete("invite"); // of an older link
  login.href = start.href;
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `longboard-invite=${encodeURIComponent(field.value)}; path=${start.pathname}; max-age=600; samesite=lax${secure}`;
}
