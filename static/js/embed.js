// For other sites: puts a board in a frame where this script stands. It is no module, makes one global name, and asks for
// nothing but the frame. The page in the frame is framed.js's.

(() => {
  /** @typedef {{board?: string, theme?: string, height?: string | number, title?: string, origin?: string}} Options */
  /** @typedef {{create: typeof create, destroy: typeof destroy}} Api */
  const script = /** @type {HTMLScriptElement | null} */ (document.currentScript);
  const home = script ? new URL(script.src).origin : location.origin;
  /** @type {Map<Element, () => void>} What ends the frame that is at an element. */
  const ends = new Map();

  /**
   * Puts a frame into an element, in the place of one that is there; behind it, if it is a script.
   * @param {Element} place
   * @param {Options} options `board` is the slug, or "first"; `theme` light, dark or auto; `height` the most, in pixels;
   *   `origin` that of the board, if it isn't this script's.
   */
  function create(place, { board, theme = "auto", height, title, origin = home } = {}) {
    destroy(place);
    const most = Math.max(Number(height) || 600, 160);
    const frame = document.createElement("iframe");
    const path = !board || board === "first" ? "/embed" : `/b/${encodeURIComponent(board)}/embed`;
    frame.src = `${origin}${path}?theme=${encodeURIComponent(theme)}`;
    frame.title = title || new URL(origin).host;
    frame.loading = "lazy";
    frame.style.cssText = `display:block;width:100%;height:${most}px;border:0;border-radius:12px`;
    const hear = (/** @type {MessageEvent} */ event) => {
      const { source, origin: from, data } = event;
      if (source !== frame.contentWindow || from !== origin || !data?.longboard) return;
      const { height: high, title: name } = data.longboard;
      if (high > 0) frame.style.height = `${Math.min(Math.ceil(high), most)}px`;
      if (!title && typeof name === "string") frame.title = name;
    };
    addEventListener("message", hear);
    // The page in the frame talks to who has greeted it, if it may be there.
    frame.addEventListener("load", () => frame.contentWindow?.postMessage({ longboard: "hello" }, origin));
    ends.set(place, () => {
      removeEventListener("message", hear);
      frame.remove();
    });
    if (place.localName === "script") place.after(frame);
    else place.append(frame);
    return frame;
  }

  /** @param {Element} place As given to create(). */
  function destroy(place) {
    ends.get(place)?.();
    ends.delete(place);
  }

  const all = /** @type {Window & {Longboard?: Api}} */ (window);
  // An element with this id would be a window's Longboard, too.
  const api = all.Longboard?.create ? all.Longboard : (all.Longboard = { create, destroy });
  if (script?.dataset.board !== undefined) api.create(script, { origin: home, ...script.dataset });
})();
