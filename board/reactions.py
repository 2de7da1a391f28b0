"""The row of reactions: what each kind looks like, and what it is called. No SQL, no HTTP."""

from board.errors import DeniedError
from board.said import msgid, msgids, said, said_of
from storage.records import REACTIONS

EMOJI = dict(zip(REACTIONS, ("👍", "❤️", "😂", "🎉", "😮", "😢", "🙏", "👀"), strict=True))
"""By kind. static/js/reactions.js has the same row."""
NAMES = {
    "thumbs_up": msgid("thumbs up"),
    "heart": msgid("heart"),
    "laugh": msgid("laugh"),
    "hooray": msgid("hooray"),
    "surprise": msgid("surprise"),
    "tear": msgid("tear"),
    "thanks": msgid("thanks"),
    "eyes": msgid("eyes"),
}
COUNTED = {
    "thumbs_up": msgids("%(n)s thumbs up", "%(n)s thumbs up"),
    "heart": msgids("%(n)s heart", "%(n)s hearts"),
    "laugh": msgids("%(n)s laugh", "%(n)s laughs"),
    "hooray": msgids("%(n)s hooray", "%(n)s hoorays"),
    "surprise": msgids("%(n)s surprise", "%(n)s surprises"),
    "tear": msgids("%(n)s tear", "%(n)s tears"),
    "thanks": msgids("%(n)s thanks", "%(n)s thanks"),
    "eyes": msgids("%(n)s eyes", "%(n)s eyes"),
}
KINDS = {emoji: kind for kind, emoji in EMOJI.items()}
PRESENTATION = "\ufe0f"
"""Asks for a colourful sign. Not every keyboard sends it with a heart."""


def kind_of(text: str) -> str:
    """Returns the kind that an emoji, or the name of a kind, means. Raises DeniedError."""
    if text in EMOJI:
        return text
    kind = KINDS.get(text) or KINDS.get(text + PRESENTATION)
    if kind is None:
        raise DeniedError(
            "bad_reaction", said("There is no such reaction. These are: %(these)s", these=" ".join(EMOJI.values()))
        )
    return kind


def in_words(kind: str, count: int) -> str:
    """Returns what assistive technology says: 1 heart, 3 hearts, 3 thumbs up. static/js/reactions.js does the same."""
    return said_of(*COUNTED[kind], count)
