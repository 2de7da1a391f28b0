"""Turns what other programs send to an incoming webhook into the words of one message: the shapes of Slack's and
Mattermost's webhooks, and JSON with `content`, `body` or `message`.

Nothing in it is refused for what it is: an alert that is refused is lost. What is unknown is skipped, and too much is cut.
"""

from collections.abc import Iterator
from typing import Any, TypeAlias

from board.signs import beginning
from board.slack_marks import from_slack, is_titled, link, unescaped
from board.text import NOT_TEXT, is_visible, tidy

Json: TypeAlias = dict[str, Any]
MOST_PARTS = 200
"""Parts of one payload that are looked at. A report with more can't be read anyway."""
WIDEST = 6
"""Characters of a payload that may become one of the message: `&amp;`, and a little more."""
PLAIN_FIELDS = ("content", "body", "message", "text")


def words_of(payload: Json, most: int) -> str:
    """Returns the message that a payload makes, of at most so many characters; "" if there is nothing to read in it."""
    reader = Reader(most)
    reader.slack(payload)
    if not reader.parts:
        reader.other(payload)
    return cut("\n".join(reader.parts) + ("\n…" if reader.is_cut else ""), most)


def cut(text: str, most: int) -> str:
    """Returns the text as it is stored, with its end cut off if it is too long; "" if nothing in it can be seen."""
    text = tidy(NOT_TEXT.sub("", text))
    if not is_visible(text.removesuffix("…")):
        return ""
    return text if len(text) <= most else beginning(text, most - 1).rstrip() + "…"


def bold(text: str) -> str:
    text = " ".join(text.split())
    return text if not text or "**" in text else f"**{text}**"


class Reader:
    """Reads one payload, to a fixed depth: its blocks, and its attachments with their fields and blocks."""

    def __init__(self, most: int) -> None:
        self.parts: list[str] = []
        self.is_cut = False
        self._room = WIDEST * most
        self._left = MOST_PARTS

    def slack(self, payload: Json) -> None:
        text = self.marked(payload, "text")
        self.blocks(payload)
        for one in self.each(payload.get("attachments")):
            self.attachment(one, text)
        self.begin(0, text)

    def other(self, payload: Json) -> None:
        """Marks in it are taken as ours: most senders write Markdown."""
        texts = [self.text(payload, name) for name in PLAIN_FIELDS]
        text = next((text for text in texts if text.strip()), "")
        if text:
            self.add(bold(self.text(payload, "title")))
            self.add(text)

    def attachment(self, one: Json, text: str) -> None:
        """`text` is that of the payload, which an attachment's `fallback` often repeats."""
        before = len(self.parts)
        self.add(self.marked(one, "pretext"))
        self.add(self.plain(one, "author_name"))
        self.add(self.title(self.plain(one, "title"), self.text(one, "title_link")))
        words, at = self.marked(one, "text"), len(self.parts)
        for field in self.each(one.get("fields")):
            name, value = bold(self.plain(field, "title")), self.marked(field, "value")
            between = ": " if "\n" not in value.strip() else ":\n"
            self.add(between.join(part for part in (name, value) if part.strip()))
        self.blocks(one)
        self.begin(at, words)
        self.add(self.text(one, "image_url"))
        fallback = self.plain(one, "fallback")
        if len(self.parts) == before and compared(fallback) != compared(text):
            self.add(fallback)

    def title(self, title: str, address: str) -> str:
        if not address.strip() or not title.strip():
            return bold(title)
        linked = link(address.strip(), title)
        return f"**{linked}**" if is_titled(linked) else f"{bold(title)}\n{address.strip()}"

    def blocks(self, within: Json) -> None:
        for block in self.each(within.get("blocks")):
            match block.get("type"):
                case "header":
                    self.add(bold(self.of_text(block.get("text"))))
                case "section":
                    self.add(self.of_text(block.get("text")))
                    for field in self.each(block.get("fields")):
                        self.add(self.of_text(field))
                    self.add(self.image(block.get("accessory")))
                case "context":
                    elements = [self.of_text(one) or self.image(one) for one in self.each(block.get("elements"))]
                    self.add(" ".join(filter(None, elements)))
                case "image":
                    self.add(self.image(block))
                case "markdown":
                    self.add(self.text(block, "text"))

    def of_text(self, value: object) -> str:
        """Returns the words of a text object; "" for anything else."""
        if not isinstance(value, dict):
            return ""
        match value.get("type"):
            case "mrkdwn":
                return self.marked(value, "text")
            case "plain_text":
                return self.plain(value, "text")
        return ""

    def image(self, value: object) -> str:
        """Returns a link to an image. None is shown: each reader's browser would tell its address to the image's site."""
        if not isinstance(value, dict) or value.get("type") != "image":
            return ""
        address = self.text(value, "image_url").strip()
        words = self.of_text(value.get("title")) or self.plain(value, "alt_text")
        return link(address, words) if address else words

    # --- texts, and what bounds them

    def marked(self, within: Json, name: str) -> str:
        return from_slack(self.text(within, name))

    def plain(self, within: Json, name: str) -> str:
        return unescaped(self.text(within, name))

    def text(self, within: Json, name: str) -> str:
        value = within.get(name)
        if not isinstance(value, str):
            return ""
        text = value[: self._room]
        self._room -= len(text)
        self.is_cut |= len(text) < len(value)
        return text

    def each(self, values: object) -> Iterator[Json]:
        """Yields the objects of a list, as long as there may be more parts."""
        for value in values if isinstance(values, list) else ():
            if not self._left:
                self.is_cut = True
                return
            self._left -= 1
            if isinstance(value, dict):
                yield value

    def add(self, part: str) -> None:
        """Adds a part, unless nothing is in it."""
        if is_visible(part):
            self.parts.append(part.strip("\n"))

    def begin(self, at: int, text: str) -> None:
        """Puts a text before the parts from there on, unless these begin with the same words: many senders give the same in
        two shapes. Only such a whole is left out. A word that comes twice, in two fields or attachments, may say two things.
        """
        words, following = compared(text), ""
        for part in self.parts[at:]:
            following = f"{following} {compared(part)}".strip()
            if len(following) >= len(words):
                break
        if is_visible(text) and following != words:
            self.parts.insert(at, text.strip("\n"))


def compared(text: str) -> str:
    """Returns the words by which two shapes are found to say the same: without marks around them."""
    return " ".join(filter(None, (word.strip("*~") for word in text.split())))
