"""Runs of messages by one author, and the faces beside them."""

import pathlib
import re

import pytest

from board.signs import initials
from handlers.messages.articles import RUN_MS, as_next, follows, render
from storage.records import Author, Message

ADA, JOE = Author(1, "Ada"), Author(2, "Joe")
CSS = (pathlib.Path(__file__).parents[2] / "static/css/messages.css").read_text()


def message(author: Author | None, at: int) -> Message:
    return Message(id=7, seq=7, author=author, body="words", created_at=at, edited_at=None)


@pytest.mark.parametrize(
    ("above", "below", "is_next"),
    [
        (message(ADA, 10**9), message(ADA, 10**9 - RUN_MS), True),
        (message(ADA, 10**9), message(ADA, 10**9 + RUN_MS), True),  # as on a page that begins with the oldest
        (message(ADA, 10**9), message(Author(1, "Ada Byron"), 10**9), True),
        (message(ADA, 10**9), message(ADA, 10**9 - RUN_MS - 1), False),
        (message(ADA, 10**9), message(JOE, 10**9), False),
        (message(None, 10**9), message(None, 10**9), False),  # two guests may be two people
        (message(None, 10**9), message(ADA, 10**9), False),
        (message(ADA, 10**9), message(None, 10**9), False),
        (None, message(ADA, 10**9), False),
    ],
)
def test_a_run_is_of_one_author_with_five_minutes_between_two_messages_at_most(above, below, is_next):
    """Either of the two may be the older one."""
    assert follows(below, above) is is_next


def test_the_next_message_of_a_run_differs_by_one_class_from_what_is_kept():
    """Words that look like markup do not change with it."""
    kept = render(Message(7, 7, ADA, 'class="message"', 10**9, None), False)
    assert as_next(kept).replace(b'<article class="message next"', b'<article class="message"') == kept
    assert as_next(kept) != kept and as_next(kept).count(b"next") == 1
    this = render(Message(7, 7, ADA, "words", 10**9, None), True)
    assert b'<article class="message next this"' in as_next(this)


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Ada Byron", "AB"), ("ada", "A"), ("Ada King Byron", "AB"), ("小林さくら", "小"), ("Надя", "Н"), ("ليلى", "ل"),
     ("(Joe) 7", "J7"), ("🦊 Fox", "F"), ("🦊", "🦊"), ("ßeta", "SS"), ("_ -", "_"), ("", "")],
)  # fmt: skip
def test_a_face_has_the_first_letters_of_the_first_and_the_last_word(name, letters):
    """Of any script; signs that are no letters only if there is nothing else."""
    assert initials(name) == letters


def test_white_letters_can_be_read_on_every_face():
    """WCAG 1.4.3: 4.5 to 1, for eight hues and for guests; they are the same by day and by night."""
    colours = re.findall(r"\.(?:face|hue\d) \{[^}]*background: #([0-9a-f]{3});", CSS)
    assert len(colours) == 9 and len(set(colours)) == 9
    for colour in colours:
        parts = [int(2 * digit, 16) / 255 for digit in colour]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        light = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
        assert 1.05 / (light + 0.05) >= 4.5, colour
