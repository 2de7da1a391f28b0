"""Finds links in a text, for board/markup.py: where one begins and ends, and where a word does.

static/js/markup.js does the same. For letters beyond ASCII, the tables of browser and server may differ, so both have
these lists instead.
"""

import re
from collections.abc import Iterator

FLAGS = re.IGNORECASE | re.ASCII  # without ASCII, ſ would be an s

# Ends of a link: white space, what HTML or prose puts around one, East Asian punctuation, and what looks like a slash.
END = (
    '\\x00-\\x20\\x7f-\\xa0\\u1680\\u2000-\\u200f\\u2028-\\u202f\\u205f-\\u206f\\ufeff<>"`'
    "\\u201c\\u201d\\u3000-\\u303f\\uff01-\\uff0f\\uff1a-\\uff20\\uff3b-\\uff40\\uff5b-\\uff65"
    "\\u1735\\u2044\\u2215\\u29f8"
)
IN_LINK = f"[^\\]{END}]*(?:\\](?!\\()[^\\]{END}]*)*"  # a title ends at its bracket
IN_PATH = f"[^(){END}]*"
DOMAIN = "(?:[0-9a-z-]+\\.)+[a-z][0-9a-z-]*[0-9a-z]"
MAIL = f"[0-9a-z][0-9a-z._+-]{{0,63}}@{DOMAIN}"
IS_NUMBER = r"(?:[\w-]+\.)*(?:0x[0-9a-f]*|\d+)\.?(?![\w.-])"  # which a browser makes an IPv4 address of
# What may be behind a title: its host, or the mail address, is just what a browser makes of it, so it can be shown.
ADDRESS = (
    rf"https?://(?!{IS_NUMBER})([0-9a-z][\w.-]*(?::\d+)?)(?:[/?#]{IN_PATH}(?:\({IN_PATH}\){IN_PATH})*)?|mailto:({MAIL})"
)

LINK = re.compile(f"https?://{IN_LINK}", FLAGS)
HAS_HOST = re.compile(
    "https?://[0-9a-z\x80-\U0010ffff]|www\\.(?![^/?#]*@)[0-9a-z\x80-\U0010ffff][^/?#]*\\.[^/?#.]", FLAGS
)
MAIL_NAME = re.compile("[0-9a-z._+-]", FLAGS)
MAIL_NAME_MAX = 64
MAIL_DOMAIN = re.compile(DOMAIN, FLAGS)
MENTION = re.compile(r"@\w{3,32}(?!\w|[.:-]\w)", re.ASCII)  # not @module.name, @scope-name or @ada:example.org

SPACE = re.compile("[\\x00-\\x20\\x7f-\\xa0\\u1680\\u2000-\\u200b\\u2028-\\u202f\\u205f-\\u2064\\u3000\\ufeff]")
# Letters, digits and marks of scripts that put spaces between words; not their punctuation, and not Chinese, Japanese,
# Korean or Thai, where a word may begin anywhere.
WORD = re.compile(
    "[0-9A-Za-z\\xc0-\\u037d\\u037f-\\u0386\\u0388-\\u0559\\u0560-\\u0588\\u0591-\\u05bd\\u05bf\\u05c1\\u05c2"
    "\\u05c4-\\u05f2\\u0610-\\u061a\\u0620-\\u0669\\u066e-\\u06d3\\u06d5-\\u0963\\u0966-\\u0dff\\u10a0-\\u10fa"
    "\\u1200-\\u1360\\u1369-\\u167f\\u1810-\\u18af\\u1c80-\\u1cbf\\u1e00-\\u1fff]"
)
BEFORE = "([{\"'*_~"
"""ASCII that may be before a marker that opens, or before an address without a scheme."""
AFTER = ")]}\"'*_~.,;:!?%-"
"""ASCII that may be after a marker that closes, or after a username."""
CLOSERS = {")": "(", "]": "[", "}": "{"}
ENDINGS = frozenset(".,;:!?'*_~…‘’«»‹›–—،؛؟۔।")
"""Characters that end the sentence around a link, or that quote the link."""


def links(text: str) -> Iterator[tuple[str, str]]:
    """Cuts the text into words and links with their schemes, in order. Together they are the text."""
    at = 0
    for match in LINK.finditer(text):
        if link := trim_link(match[0]):
            yield text[at : match.start()], "text"
            yield link, "link"
            at = match.start() + len(link)
    yield text[at:], "text"


def find_link(text: str, start: int, found: str) -> tuple[int, int, str] | None:
    """Returns where a link begins and ends, and its address. `found` is what stands there, maybe more than the link."""
    link = trim_link(found)
    end = start + len(link)
    if link[:1] in ("h", "H"):
        return start, end, link
    return (start, end, f"https://{link}") if link and is_edge(text[start - 1 : start], BEFORE) else None


def trim_link(link: str) -> str:
    """Removes the punctuation that ends the sentence around a link. A bracket stays if it was opened in the link. Returns
    nothing if there is no host."""
    unopened = {closer: link.count(closer) - link.count(opener) for closer, opener in CLOSERS.items()}
    end = len(link)
    while True:
        last = link[end - 1]
        if unopened.get(last, 0) > 0:
            unopened[last] -= 1
        elif last not in ENDINGS:
            return link[:end] if HAS_HOST.match(link[:end]) else ""
        end -= 1


def find_mail(text: str, least: int, at: int) -> tuple[int, int, str] | None:
    """Returns where the mail address around an @ begins and ends, and its link. It begins at `least` or later."""
    start, domain = at, MAIL_DOMAIN.match(text, at + 1)
    while domain and start > max(least, at - MAIL_NAME_MAX) and MAIL_NAME.match(text, start - 1):
        start -= 1
    if not domain or start == at or text[start] in "._+-" or not is_edge(text[start - 1 : start], BEFORE + ":<,;"):
        return None
    return start, domain.end(), f"mailto:{text[start : domain.end()]}"


def find_mention(text: str, at: int) -> tuple[int, int] | None:
    """Returns where @username begins and ends, at an @ that is in no mail address."""
    found = MENTION.match(text, at)
    if found is None or not is_edge(text[at - 1 : at], BEFORE + ":<,;"):
        return None
    return found.span() if is_edge(text[found.end() : found.end() + 1], AFTER) else None


def is_edge(beside: str, signs: str) -> bool:
    """Whether a word may end or begin beside this character: a space, one of the signs, or none."""
    return beside in signs or bool(SPACE.match(beside)) or (beside > "\x7f" and not WORD.match(beside))
