// Restores the place where the reader left the board's page, or where a link leads to.

import { t } from "./words.js";

let end = () => {}; // of the offer that is shown
const STILL_FRAMES = 10; // messages get their real height only when they come into view

/**
 * @param {import("./board.js").Board} board
 * @param {{id?: number, top?: number, most?: number}} place The message, how far from the window's top it was, and for how many
 * requests it is worth looking; or nothing, for the one that the address leads to.
 */
export async function restore(board, place) {
  const { id, top = 0, most } = place.id === undefined ? { ...linked(), most: undefined } : place;
  if (id === undefined) return;
  history.scrollRestoration = "manual"; // the browser would use heights that have changed
  const { href } = location; // the reader may go on, or back
  let isTheirs = false; // whether the reader scrolls by hand by now
  const stop = () => (isTheirs = true);
  for (const name of ["wheel", "touchstart", "keydown", "pointerdown"]) addEventListener(name, stop, { once: true });
  const article = await board.find(id, most);
  for (let still = 0; article && still < STILL_FRAMES && !isTheirs && location.href === href;) {
    const off = article.getBoundingClientRect().top - top;
    const before = scrollY;
    scrollBy(0, off);
    still = Math.abs(off) < 1 || scrollY === before ? still + 1 : 0;
    await new Promise(requestAnimationFrame);
  }
  history.scrollRestoration = "auto";
}

/**
 * Offers a way back to the message that was read, if a post has led away from it. It ends when that
 * is in view again.
 * @param {import("./board.js").Board} board
 * @param {{id: number, top: number}} place
 */
export async function offerBack(board, place) {
  const article = await board.find(place.id);
  const { bottom = 0, top = 0 } = article?.getBoundingClientRect() ?? {};
  if (!article || (bottom > 0 && top < innerHeight)) return; // it is still in view
  end();
  const [line, button] = ["p", "button"].map((kind) => document.createElement(kind));
  [line.id, button.className, button.textContent] = ["back", "news", t("Back to where you were")];
  line.setAttribute("role", "status");
  line.append(button);
  document.getElementById("news")?.after(line);
  const seen = new IntersectionObserver((entries) => {
    if (entries[entries.length - 1].isIntersecting) end();
  });
  end = () => (seen.disconnect(), line.remove());
  seen.observe(article);
  button.addEventListener("click", () => {
    end();
    /** @type {HTMLElement | null} */ (article.querySelector(".permalink"))?.focus({ preventScroll: true });
    restore(board, place);
  });
}

/**
 * The message that the address leads to: Safari jumps as if messages out of view had their usual height, and no browser goes back
 * to it in a page that has taken that over.
 * @returns {{id?: number, top?: number}}
 */
function linked() {
  const target = /^#m\d+$/.test(location.hash) && document.getElementById(location.hash.slice(1));
  const list = document.getElementById("messages");
  if (!target || !list) return {};
  return {
    id: Number(target.id.slice(1)),
    top: parseFloat(getComputedStyle(list).scrollMarginTop) || 0, // see header.css
  };
}
