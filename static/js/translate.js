// The words of a page in another language than English, which the page has in its element `words`: translations by English
// text, and by the singular those of a count. It runs before all other scripts; these look for it, or are English.

/** @typedef {import("./words.js").Values} Values */

const MOST = 200; // counts with a form each; above, forms repeat after each hundred

const all = read();
const forms = Object(all[""]).plurals;

/**
 * @param {string} text
 * @param {Values} [values]
 */
function t(text, values) {
  return fill(all[text], text, values);
}

/**
 * @param {string} one
 * @param {string} many
 * @param {number} count
 * @param {Values} [values]
 */
function n(one, many, count, values) {
  const form = forms?.[count < MOST ? count : 100 + (count % 100)];
  const found = all[one];
  return fill(Array.isArray(found) && found[form], count === 1 ? one : many, { n: count, ...values });
}

/**
 * @param {unknown} found
 * @param {string} text In English: what is missing or malformed stays so.
 * @param {Values} values
 */
function fill(found, text, values = {}) {
  return (found && typeof found === "string" ? found : text).replace(
    /%\((\w+)\)s/g,
    (sign, name) => `${values[name] ?? sign}`,
  );
}

/** @returns {{[text: string]: unknown}} */
function read() {
  try {
    return Object(JSON.parse(document.getElementById("words")?.textContent ?? ""));
  } catch {
    return {};
  }
}

Object.assign(globalThis, { translated: { t, n } });
