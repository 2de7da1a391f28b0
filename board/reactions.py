"""The row of reactions: what each kind looks like, and what it is called. No SQL, no HTTP."""

from board.errors import DeniedError
from storage.records import REACTIONS

EMOJI = dict(zip(REACTIONS, ("👍", "❤️", "😂", "🎉", "😮", "😢", "🙏", "👀"), strict=True))
"""By kind. static/js/reactions.js has the same row."""
KINDS = {emoji: kind for kind, emoji in EMOJI.items()}
PRESENTATION = "\ufe0f"
"""Asks for a colourful sign. Not every keyboard sends it with a heart."""


def kind_of(text: str) -> str:
    """Returns the kind that an emoji, or the name of a kind, means. Raises DeniedError."""
    if text in EMOJI:
        return text
    kind = KINDS.get(text) or KINDS.get(text + PRESENTATION)
    if kind is None:
        raise DeniedError("bad_reaction", f"There is no such reaction. These are: {' '.join(EMOJI.values())}")
    return kind


def in_words(kind: str, count: int) -> str:
    """Returns what assistive technology says: 1 heart, 3 hearts, 3 thumbs up. static/js/reactions.js does the same."""
    name = kind.replace("_", " ")
    return f"{count} {name if count == 1 or name.endswith(('s', 'up')) else name + 's'}"
