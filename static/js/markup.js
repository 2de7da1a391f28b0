// Finds what is more than plain text in a message: the same as board/markup.py and board/links.py, which say why.
// docs/decisions/0023-text.md has the rules, and tests check both against tests/support/pieces.json. It is loaded with the
// first message that may need it.

/**
 * [content, kind], or [content, "link", address]. The content is a text, or pieces; that of a link without an address is
 * its address.
 * @typedef {[string | Piece[], string, string?]} Piece
 * @typedef {{marker: string, parts: (string | Piece)[]}} Frame
 */

const MOST_MARKUP = 100; // pieces that are not text
/** @type {Record<string, string>} */
const KINDS = { "**": "bold", _: "italic", "~~": "strike" };

/** @type {Record<string, string>} */
const TAGS = {
  code: "code",
  block: "pre",
  link: "a",
  host: "bdi",
  mention: "span",
  bold: "strong",
  italic: "em",
  strike: "del",
  quote: "blockquote",
  list: "ul",
  item: "li",
};
const WITH_DIRECTION = ["code", "block", "quote", "list"];

const END = String.raw`\x00-\x20\x7f-\xa0\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\ufeff<>"\x60\u201c\u201d\u3000-\u303f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65\u1735\u2044\u2215\u29f8`;
const IN_LINK = String.raw`[^\]${END}]*(?:\](?!\()[^\]${END}]*)*`;
const IN_PATH = `[^()${END}]*`;
const DOMAIN = String.raw`(?:[0-9a-z-]+\.)+[a-z][0-9a-z-]*[0-9a-z]`;
const MAIL = `[0-9a-z][0-9a-z._+-]{0,63}@${DOMAIN}`;
const IS_NUMBER = String.raw`(?:[\w-]+\.)*(?:0x[0-9a-f]*|\d+)\.?(?![\w.-])`;
const ADDRESS = String.raw`https?:\/\/(?!${IS_NUMBER})([0-9a-z][\w.-]*(?::\d+)?)(?:[/?#]${IN_PATH}(?:\(${IN_PATH}\)${IN_PATH})*)?|mailto:(${MAIL})`;

const BLOCK =
  /```(\n?)(.+?)(\n?)```|(?:^|\n)(?:(> +[^ \n][^\n]*(?:\n>(?: [^\n]*)?(?![^\n]))*)|(- +[^ \n][^\n]*(?:\n- +[^ \n][^\n]*)*))|\\`|`[^`\n]+`/gs;
const TOKEN = new RegExp(
  String.raw`\n|¯\\_|\\([\x60*_~[\]]|(?=[>-] ))|\x60([^\x60\n]+)\x60|\[(?![^[\]\n]*(?::\/\/|www\.|\w@\w))([^[\]\n]{1,200})\]\((${ADDRESS})\)|((?:https?:\/\/|www\.)${IN_LINK})|@|\*+|_+|~+`,
  "gi",
);
const HAS_HOST = /^(?:https?:\/\/[0-9a-z\x80-\uffff]|www\.(?![^/?#]*@)[0-9a-z\x80-\uffff][^/?#]*\.[^/?#.])/i;
const MAIL_NAME = /[0-9a-z._+-]/i;
const MAIL_NAME_MAX = 64;
const MENTION = /@\w{3,32}(?!\w|[.:-]\w)/y;
const MAIL_DOMAIN = new RegExp(DOMAIN, "iy");
const INFO = /^[\w+#.-]{1,20}\n(?=.)/s;

const SPACE = /[\x00-\x20\x7f-\xa0\u1680\u2000-\u200b\u2028-\u202f\u205f-\u2064\u3000\ufeff]/;
const WORD =
  /[0-9A-Za-z\xc0-\u037d\u037f-\u0386\u0388-\u0559\u0560-\u0588\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4-\u05f2\u0610-\u061a\u0620-\u0669\u066e-\u06d3\u06d5-\u0963\u0966-\u0dff\u10a0-\u10fa\u1200-\u1360\u1369-\u167f\u1810-\u18af\u1c80-\u1cbf\u1e00-\u1fff]/;
const BEFORE = "([{\"'*_~";
const AFTER = ")]}\"'*_~.,;:!?%-";
const BRACKETS = ["()", "[]", "{}"];
const ENDINGS = ".,;:!?'*_~…‘’«»‹›–—،؛؟۔।";

/**
 * Cuts the body into pieces, in order. After MOST_MARKUP of them, the rest is text as it was written.
 * @param {string} body
 */
export function pieces(body) {
  return joined(new Parser().parse(body));
}

const BLOCKS = ["block", "quote", "item"];

/**
 * Returns the words alone, without markers.
 * @param {Piece[]} tree
 * @returns {string}
 */
export function plain(tree) {
  return tree
    .map(([content, kind]) => {
      const words = typeof content === "string" ? content : plain(content);
      return BLOCKS.includes(kind) ? ` ${words} ` : words;
    })
    .join("");
}

/**
 * Makes the same nodes as templates/message.html, attribute by attribute.
 * @param {string} body
 */
export function nodes(body) {
  return pieces(body).map(makeNode);
}

/**
 * @param {Piece} piece
 * @returns {string | HTMLElement}
 */
function makeNode([content, kind, address]) {
  if (typeof content === "string" && kind === "text") return content;
  const element = document.createElement(TAGS[kind]);
  if (element instanceof HTMLAnchorElement) {
    element.href = address ?? String(content);
    element.rel = "nofollow noopener ugc";
    if (element.protocol !== "mailto:") element.target = "_blank";
  } else if (WITH_DIRECTION.includes(kind)) {
    element.dir = "auto";
  } else if (kind === "mention") {
    element.className = kind;
  }
  const inner = kind === "block" ? element.appendChild(document.createElement("code")) : element;
  inner.append(...(typeof content === "string" ? [content] : content.map(makeNode)));
  return element;
}

class Parser {
  #left = MOST_MARKUP;

  /** @param {string} body */
  parse(body) {
    /** @type {(string | Piece)[]} */
    let found = [];
    let at = 0;
    for (const match of body.matchAll(BLOCK)) {
      if (!(match[2] || match[4] || match[5])) continue;
      let start = match.index;
      while (start > at && body[start - 1] === "\n") start--;
      if (start > at) {
        found = found.concat(this.#inline(body.slice(at, start)));
        at = start;
      }
      if (!this.#left) break;
      const [piece, end] = this.#block(match);
      found.push(piece);
      for (at = end; body[at] === "\n";) at++;
    }
    return found.concat(this.#inline(body.slice(at)));
  }

  /**
   * Returns the block, and where the rest of the body begins.
   * @param {RegExpMatchArray} match
   * @returns {[Piece, number]}
   */
  #block({ 0: all, 1: before, 2: code, 3: behind, 4: quote, 5: items, index = 0 }) {
    let end = index + all.length;
    if (code) {
      this.#left--;
      return [[behind && !before ? code.replace(INFO, "") : code, "block"], end];
    }
    if (quote) {
      this.#left--;
      return [[joined(this.#inline(quote.replace(/(^|\n)> ?/g, "$1"))), "quote"], end];
    }
    /** @type {Piece[]} */
    const found = [];
    end -= items.length;
    for (const line of items.split("\n")) {
      if (!this.#left) break;
      this.#left--;
      found.push([joined(this.#inline(line.replace(/^- +/, ""))), "item"]);
      end += line.length + 1;
    }
    return [[found, "list"], end];
  }

  /** @param {string} text */
  #inline(text) {
    /** @type {Frame[]} */
    const frames = [{ marker: "", parts: [] }];
    /** @param {...(string | Piece)} parts */
    const put = (...parts) => frames[frames.length - 1].parts.push(...parts);
    const token = new RegExp(TOKEN);
    let at = 0;
    for (let match; this.#left && (match = token.exec(text));) {
      const [found] = match;
      const start = match.index;
      const end = token.lastIndex;
      if (KINDS[found]) {
        const depth = frames.findIndex(({ marker }) => marker === found);
        if (depth > 0 && closes(text, start, end)) {
          put(text.slice(at, start));
          unwind(frames, depth);
          const inner = frames.splice(depth)[0].parts;
          put([joined(inner), KINDS[found]]);
          this.#left--;
        } else if (opens(text, start, end)) {
          put(text.slice(at, start));
          if (depth > 0) lapse(frames, depth);
          frames.push({ marker: found, parts: [] });
        } else continue;
        at = end;
      } else if (found === "\n") {
        put(text.slice(at, start));
        at = start;
        unwind(frames, 0);
      } else {
        const leaf = this.#leaf(text, at, match);
        if (!leaf) continue;
        put(text.slice(at, leaf[0]), leaf[2]);
        at = token.lastIndex = leaf[1];
      }
    }
    put(text.slice(at));
    unwind(frames, 0);
    return frames[0].parts;
  }

  /**
   * @param {string} text
   * @param {number} at
   * @param {RegExpExecArray} match
   * @returns {[number, number, string | Piece] | undefined}
   */
  #leaf(text, at, { 0: all, 1: escaped, 2: code, 3: title, 4: address, 5: host, 6: mail, 7: found, index }) {
    const end = index + all.length;
    if (escaped !== undefined) return [index, end, escaped];
    if (code) {
      this.#left--;
      return [index, end, [code, "code"]];
    }
    if (title) {
      this.#left--;
      const inner = joined([...this.#inline(title), " "]);
      return [index, end, [[...inner, [`(${host ?? mail})`, "host"]], "link", address]];
    }
    const link = all === "@" ? findMail(text, at, index) : found && findLink(text, index, found);
    if (!link) {
      const mention = all === "@" && findMention(text, index);
      if (!mention) return;
      this.#left--;
      return [index, index + mention.length, [mention, "mention"]];
    }
    this.#left--;
    const shown = text.slice(link[0], link[1]);
    return [link[0], link[1], shown === link[2] ? [shown, "link"] : [[[shown, "text"]], "link", link[2]]];
  }
}

/**
 * @param {Frame[]} frames
 * @param {number} depth
 */
function unwind(frames, depth) {
  while (frames.length > depth + 1) lapse(frames, frames.length - 1);
}

/**
 * @param {Frame[]} frames
 * @param {number} depth
 */
function lapse(frames, depth) {
  const [{ marker, parts }] = frames.splice(depth, 1);
  for (const part of [marker, ...parts]) frames[depth - 1].parts.push(part);
}

/** @param {(string | Piece)[]} parts */
function joined(parts) {
  /** @type {Piece[]} */
  const found = [];
  let text = "";
  for (const part of [...parts, null]) {
    if (typeof part === "string") text += part;
    else {
      if (text) found.push([text, "text"]);
      if (part) found.push(part);
      text = "";
    }
  }
  return found;
}

/**
 * @param {string} text
 * @param {number} start
 * @param {number} end
 */
function opens(text, start, end) {
  return end < text.length && !SPACE.test(text[end]) && isEdge(text.charAt(start - 1), BEFORE);
}

/**
 * @param {string} text
 * @param {number} start
 * @param {number} end
 */
function closes(text, start, end) {
  return !SPACE.test(text[start - 1]) && isEdge(text.charAt(end), AFTER);
}

/**
 * @param {string} beside
 * @param {string} signs
 */
function isEdge(beside, signs) {
  return signs.includes(beside) || SPACE.test(beside) || (beside > "\x7f" && !WORD.test(beside));
}

/**
 * @param {string} text
 * @param {number} start
 * @param {string} found
 * @returns {[number, number, string] | undefined}
 */
function findLink(text, start, found) {
  const link = trimmed(found);
  const end = start + link.length;
  if (/^h/i.test(link)) return [start, end, link];
  if (link && isEdge(text.charAt(start - 1), BEFORE)) return [start, end, `https://${link}`];
  return undefined;
}

/** @param {string} link */
function trimmed(link) {
  const unopened = new Map(BRACKETS.map(([opener, closer]) => [closer, count(link, closer) - count(link, opener)]));
  for (let end = link.length; ; end--) {
    const last = link[end - 1];
    const surplus = unopened.get(last) ?? 0;
    if (surplus > 0) unopened.set(last, surplus - 1);
    else if (!ENDINGS.includes(last)) return HAS_HOST.test(link.slice(0, end)) ? link.slice(0, end) : "";
  }
}

/**
 * @param {string} text
 * @param {string} character
 */
function count(text, character) {
  return text.split(character).length - 1;
}

/**
 * @param {string} text
 * @param {number} least
 * @param {number} at
 * @returns {[number, number, string] | undefined}
 */
function findMail(text, least, at) {
  MAIL_DOMAIN.lastIndex = at + 1;
  const domain = MAIL_DOMAIN.exec(text)?.[0];
  let start = at;
  while (domain && start > Math.max(least, at - MAIL_NAME_MAX) && MAIL_NAME.test(text[start - 1])) start--;
  if (!domain || start === at || "._+-".includes(text[start]) || !isEdge(text.charAt(start - 1), `${BEFORE}:<,;`))
    return;
  const end = at + 1 + domain.length;
  return [start, end, `mailto:${text.slice(start, end)}`];
}

/**
 * @param {string} text
 * @param {number} at
 */
function findMention(text, at) {
  MENTION.lastIndex = at;
  const found = MENTION.exec(text)?.[0];
  const isAlone = isEdge(text.charAt(at - 1), `${BEFORE}:<,;`) && isEdge(text.charAt(at + (found?.length ?? 0)), AFTER);
  return found && isAlone ? found : undefined;
}
