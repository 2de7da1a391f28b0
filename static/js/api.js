// The languages of the examples on /api, as tabs (https://www.w3.org/WAI/ARIA/apg/patterns/tabs/): one choice for all of the
// page. It is no module, because it runs before the page is drawn: `<html data-way>` says what is shown, so nothing moves.

(() => {
  const KEPT = "way"; // in this browser
  const root = document.documentElement;
  /** @type {HTMLElement[]} */
  let tabs = [];

  /** @type {(way: string) => void} */
  const choose = (way) => {
    root.dataset.way = way;
    for (const tab of tabs) {
      const isChosen = tab.dataset.way === way;
      tab.setAttribute("aria-selected", String(isChosen));
      tab.tabIndex = isChosen ? 0 : -1;
    }
  };

  /** @type {(tab: HTMLElement) => void} By the reader; the tab stays where it is in the window. */
  const take = (tab) => {
    const top = tab.getBoundingClientRect().top;
    choose(tab.dataset.way ?? "");
    tab.focus({ preventScroll: true });
    scrollBy({ top: tab.getBoundingClientRect().top - top, behavior: "instant" });
    try {
      localStorage.setItem(KEPT, root.dataset.way ?? "");
    } catch {
      // it is forbidden, or full
    }
  };

  /** @type {(event: KeyboardEvent) => void} */
  const onKey = (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    const tab = /** @type {HTMLElement} */ (event.currentTarget);
    const all = /** @type {HTMLElement[]} */ ([...(tab.parentElement?.children ?? [])]);
    const forward = root.dir === "rtl" ? "ArrowLeft" : "ArrowRight";
    const places = { Home: 0, End: -1, ArrowLeft: all.indexOf(tab) - 1, ArrowRight: all.indexOf(tab) - 1 };
    places[forward] += 2;
    if (!Object.hasOwn(places, event.key)) return;
    event.preventDefault();
    const place = places[/** @type {keyof typeof places} */ (event.key)];
    take(all[(place + all.length) % all.length]);
  };

  /** Gives the tabs and what they show their roles. */
  const set = () => {
    for (const list of document.querySelectorAll(".choice")) list.setAttribute("role", "tablist");
    tabs = [.../** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".choice button"))];
    for (const tab of tabs) {
      const id = tab.id.replace("-tab", "");
      const panel = /** @type {HTMLElement} */ (document.getElementById(id));
      tab.setAttribute("role", "tab");
      tab.setAttribute("aria-controls", id);
      panel.setAttribute("role", "tabpanel");
      panel.setAttribute("aria-labelledby", tab.id);
      if (!panel.querySelector("[tabindex]")) panel.tabIndex = 0; // programs can be scrolled, so they have it already
      tab.addEventListener("click", () => take(tab));
      tab.addEventListener("keydown", onKey);
    }
    const known = tabs.some((tab) => tab.dataset.way === root.dataset.way);
    choose((known && root.dataset.way) || "curl");
  };

  try {
    root.dataset.way = localStorage.getItem(KEPT) ?? "curl";
  } catch {
    root.dataset.way = "curl";
  }
  document.addEventListener("DOMContentLoaded", set);
})();
