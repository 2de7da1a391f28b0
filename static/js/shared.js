// What several scripts need. The server puts this code in place of its import, as that of words.js.

/**
 * @type {(name: string) => Promise<unknown>} Adds a style sheet, unless the page has it; returns when it is there, or can't be
 * had. Scripts may be in a folder of their version.
 */
export const addSheet = (name) => {
  if (document.querySelector(`link[href$="/${name}.css"]`)) return Promise.resolve();
  const sheet = document.createElement("link");
  sheet.rel = "stylesheet";
  sheet.href = import.meta.url.replace(/(boards\/)?[^/]*$/, `${name}.css`);
  document.head.append(sheet);
  return new Promise((done) => ["load", "error"].forEach((name) => sheet.addEventListener(name, done)));
};

/** @type {(message: import("./message.js").Message) => boolean} Whether it mentions the reader, or everybody: that is 0. */
export const isToReader = ({ mentions = [] }) => {
  const me = Number(document.getElementById("messages")?.dataset.me);
  return me > 0 && (mentions.includes(0) || mentions.includes(me));
};
