// The words of a page, by their English texts. The server puts this code in place of its import (handlers/http/static.py):
// so no script takes it from another release, and no request is added. English pages have no more than this; pages in other
// languages begin with translate.js.

/** @typedef {{[name: string]: string | number}} Values What stands for each %(name)s: texts, never HTML. */

/** @type {(text: string, values?: Values) => string} */
export const t =
  Object(globalThis).translated?.t ??
  ((text, values) => text.replace(/%\((\w+)\)s/g, (sign, name) => `${values?.[name] ?? sign}`));

/** @type {(one: string, many: string, count: number, values?: Values) => string} `count` is %(n)s. */
export const n =
  Object(globalThis).translated?.n ??
  ((one, many, count, values) => t(count === 1 ? one : many, { n: count, ...values }));

/**
 * Of dates and times: the reader's own, if it is of the page's language (British English, perhaps); else the page's language,
 * as it is written in the reader's region.
 */
export const locale = ((lang, own = Intl.DateTimeFormat().resolvedOptions().locale) =>
  own.split("-")[0] === lang || !lang
    ? own
    : new Intl.Locale(lang, { region: new Intl.Locale(own).maximize().region }).toString())(
  document.documentElement.lang,
);
