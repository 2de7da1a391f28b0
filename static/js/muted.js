// The page of all boards says of those that are muted in this browser that they are, and not what is new there.

import { drawer as store } from "./outbox.js";

const muted = read(store.get("muted-boards"));
for (const link of /** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll(".all-boards a"))) {
  const slug = link.pathname === "/" ? "first" : link.pathname.split("/")[2];
  const count = link.querySelector(".count");
  if (!muted.includes(slug) || !count) continue;
  [count.className, count.textContent] = ["facts", "muted in this browser"];
}

/**
 * @param {string} json
 * @returns {unknown[]}
 */
function read(json) {
  try {
    const found = JSON.parse(json);
    return Array.isArray(found) ? found : [];
  } catch {
    return [];
  }
}
