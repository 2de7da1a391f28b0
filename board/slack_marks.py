"""Turns the marks of Slack's and Mattermost's messages into those of board/markup.py. Each expression is linear."""

import re

from board.markup import TOKEN

CODE = re.compile(r"(```.*?(?:```|\Z)|`[^`\n]*`)", re.DOTALL)
IN_ANGLES = re.compile(r"<([^<>\n]*)>")
QUOTE = re.compile(r"^(?:>|&gt;)(?=[^\s>])", re.MULTILINE)
BOLD = re.compile(r"(?<![\w*])\*(?![\s*])([^*\n]*[^*\s])\*(?![\w*])")
"""At the edges of words: `2*3*4` and Mattermost's `**bold**` stay."""
STRIKE = re.compile(r"(?<![\w~])~(?![\s~])([^~\n]*[^~\s])~(?![\w~])")
ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))
"""In this order, so that nothing is taken twice. There are no others."""
TO_ALL = ("channel", "here", "everyone")
SCHEMES = ("https://", "http://", "mailto:")


def from_slack(text: str) -> str:
    """Returns the text with our marks. Nobody is mentioned by it: `<@U1|ada>` becomes the words @ada."""
    parts = CODE.split(text)
    parts[::2] = [marks_in(part) for part in parts[::2]]
    return unescaped("".join(parts))


def unescaped(text: str) -> str:
    for entity, sign in ENTITIES:
        text = text.replace(entity, sign)
    return text


def marks_in(text: str) -> str:
    """Returns what is outside of code with our marks, still escaped."""
    text = QUOTE.sub("> ", IN_ANGLES.sub(lambda match: in_words(match[1], match[0]), text))
    return STRIKE.sub(r"~~\1~~", BOLD.sub(r"**\1**", text))


def in_words(inner: str, whole: str) -> str:
    """Returns what stands between < and > as words or as a link; what has no meaning, as it is."""
    target, _, label = inner.partition("|")
    if target.startswith(SCHEMES):
        return link(target, label)
    name = label or target[1:]
    match target[:1]:
        case "!":
            name = label or target[1:].partition("^")[0]
            return "@" + name.removeprefix("@") if target[1:] in TO_ALL else name
        case "@":
            return "@" + name.removeprefix("@")
        case "#":
            return "#" + name.removeprefix("#")
    return whole


def link(address: str, label: str = "") -> str:
    """Returns a link with a title, where the grammar has one for it; else title and address as text."""
    label = " ".join(label.split())
    if not label or address.partition(":")[2].lstrip("/").rstrip("/") == label.rstrip("/") or label == address:
        return address
    titled = f"[{label}]({address})"
    return titled if is_titled(titled) else f"{label} ({address})"


def is_titled(text: str) -> bool:
    """Whether all of it is a link with a title."""
    found = TOKEN.fullmatch(text)
    return found is not None and found[3] is not None
