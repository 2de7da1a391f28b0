// @ts-check
// Where the links in a message are. The same as pieces() in board/text.py; tests/links.json holds both to one list.

const LINK =
  /https?:\/\/[^\x00-\x20\x7f-\xa0\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\ufeff<>"`\u201c\u201d\u3000-\u303f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]+/gi;
const BRACKETS = ["()", "[]", "{}"];
const ENDINGS = ".,;:!?'*_~…‘’«»‹›–—،؛؟۔।";

/**
 * The body cut into [text, whether it is a link's address], in order; together they are the body.
 * @param {string} body
 * @returns {[string, boolean][]}
 */
export function pieces(body) {
  /** @type {[string, boolean][]} */
  const found = [];
  let at = 0;
  for (const match of body.matchAll(LINK)) {
    const link = trimmed(match[0]);
    if (!/^https?:\/\/[0-9a-z\x80-\uffff]/i.test(link)) continue;
    if (match.index > at) found.push([body.slice(at, match.index), false]);
    found.push([link, true]);
    at = match.index + link.length;
  }
  if (at < body.length) found.push([body.slice(at), false]);
  return found;
}

/**
 * Without the punctuation that ends the sentence around it; a bracket stays if it was opened inside.
 * @param {string} link
 */
function trimmed(link) {
  const unopened = new Map(BRACKETS.map(([opener, closer]) => [closer, count(link, closer) - count(link, opener)]));
  for (let end = link.length; ; end--) {
    const last = link[end - 1];
    const surplus = unopened.get(last) ?? 0;
    if (surplus > 0) unopened.set(last, surplus - 1);
    else if (!ENDINGS.includes(last)) return link.slice(0, end);
  }
}

/**
 * @param {string} text
 * @param {string} character
 */
function count(text, character) {
  return text.split(character).length - 1;
}
