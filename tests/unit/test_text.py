"""What a message may contain."""

import pathlib
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from board.account_names import clean_name, name_from_elsewhere
from board.highlights import excerpt
from board.signs import beginning, first_sign
from board.text import MARKS_IN_A_ROW, BadTextError, clean
from handlers.accounts.pictures import HUES, initials_of
from handlers.http.errors import as_refused
from handlers.messages.articles import preview
from net.webhooks.events import for_slack
from storage.records import Account, Message
from storage.words import phrases, words


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ("one\r\ntwo\rthree\u2028four", "one\ntwo\nthree\nfour"),
        ("\n\n  indented\n\n", "  indented"),
        ("a\x01b\x1bc\x7fd\x85e\tf", "abcde\tf"),
        ("\u202eevil\u202c \u2066x\u2069", "evil x"),
        ("שלום\u200f!", "שלום\u200f!"),
        ("👩\u200d👩\u200d👧 ok", "👩\u200d👩\u200d👧 ok"),
        ("Z" + "\u0335" * 50 + "!", "Z" + "\u0335" * MARKS_IN_A_ROW + "!"),
        ("ནི་ཧོ", "ནི་ཧོ"),
        ("<script>{{7*7}}</script>", "<script>{{7*7}}</script>"),
        ("a" + "\n" * 3990 + "b", "a\n\n\nb"),
        ("a\n \u3000\n\u200b\n\u2800\t\n  b", "a\n\n\n  b"),
        ("```\na" + "\n" * 90 + "b\n```", "```\na\n\n\nb\n```"),
        ("a\n\n\nb\n.\n.\n", "a\n\n\nb\n.\n."),
    ],
)
def test_text_is_kept_but_for_what_would_harm_other_peoples_lines(raw, kept):
    """Every script, emoji and markup stays; controls, overrides and endless marks go."""
    assert clean(raw, 4000) == kept


@pytest.mark.parametrize(
    "blank",
    ["", " ", "\n\t ", "\u200b", "\u3164", "\u2800\u2800", "\u00ad", "\ufe0f", "\u202e", "\u0301", "\ufff0", "\uffff",
     "\U0001fffe", "\U000e0001\U000e0800", "\u17b4\u1160"],
)  # fmt: skip
def test_a_message_that_shows_nothing_is_refused(blank):
    """There is no empty message, however it is made."""
    with pytest.raises(BadTextError) as error:
        clean(blank, 4000)
    assert error.value.code == "body_empty"


@pytest.mark.parametrize(
    "newer", ["\U0001fa77", "\U0001fae8", "\U0001fae9", "\U00011f04", "\U00010d4e", "\U0001fbfa", "\uf8ff"]
)
def test_what_this_python_has_never_heard_of_may_be_seen(newer):
    """A phone's newest emoji and letters, and an icon of somebody's own font: a message, a name, and found."""
    assert clean(newer, 4000) == newer == clean_name(newer) == name_from_elsewhere(newer)
    assert words(newer) == [newer] and phrases(newer)[0].words == (newer,)


@pytest.mark.parametrize("raw", ["a\0b", "\ud800", "x\udfffy"])
def test_what_is_no_text_is_refused(raw):
    """NUL and lone surrogates are 400, not a fault later on."""
    with pytest.raises(BadTextError) as error:
        clean(raw, 4000)
    assert error.value.code == "body_not_text" and as_refused(500, error.value).status_code == 400


def test_the_limit_counts_characters_and_says_how_many_there_were():
    """4000 emoji fit where 4000 characters may be."""
    assert len(clean("😀" * 4000, 4000)) == 4000
    with pytest.raises(BadTextError, match="4000 characters; this one has 4001"):
        clean("x" * 4001, 4000)


@given(st.text())
def test_cleaning_is_done_once_and_for_all(raw):
    """What was cleaned is not changed by cleaning it again, and can always be stored."""
    try:
        kept = clean(raw, 4000)
    except BadTextError:
        return
    assert clean(kept, 4000) == kept
    assert kept.encode() and "\0" not in kept
    assert not any(unicodedata.bidirectional(c) in ("RLO", "LRO", "RLE", "LRE", "RLI", "LRI", "FSI") for c in kept)


@pytest.mark.parametrize(
    ("text", "most", "kept"),
    [
        ("plain words", 5, "plain"),
        ("x🇩🇪", 2, "x"),
        ("🇩🇪🇫🇷🇮🇹", 5, "🇩🇪🇫🇷"),
        ("👍👍🏽", 2, "👍"),
        ("x👩\u200d👩\u200d👧", 4, "x"),
        ("x🏴\U000e0067\U000e0062\U000e007f", 3, "x"),
        ("xe\u0301\u0302", 3, "x"),
        ("नक्षत्र", 3, "न"),
        ("x각".replace("각", "\u1100\u1161\u11a8"), 3, "x"),
        ("x" + "\u0301" * 90, 80, "x" + "\u0301" * 79),
        ("\u0301\u0301", 1, "\u0301"),
        ("short", 5, "short"),
        ("short", 9, "short"),
    ],
)
def test_a_text_is_shortened_between_signs(text, most, kept):
    """Never in the middle of a flag, a family or an accented letter; where one sign is endless, in it."""
    assert beginning(text, most) == kept


@given(st.text(alphabet=st.sampled_from("a \u0301\u200d🇩👍🏽क्ष")), st.integers(1, 20))
def test_a_shortened_text_is_its_beginning(text, most):
    """Not longer than it may be, and nothing only where there was nothing."""
    kept = beginning(text, most)
    assert text.startswith(kept) and len(kept) <= most and bool(kept) == bool(text)
    assert first_sign(text) == text[: len(first_sign(text))] and bool(first_sign(text)) == bool(text)


def test_a_face_has_one_colour_in_a_picture_and_beside_messages():
    css = (pathlib.Path(__file__).parents[2] / "static" / "css" / "messages.css").read_text()
    assert re.findall(r"\.hue(\d) \{\s+background: (#\w+);", css) == [(str(n), hue) for n, hue in enumerate(HUES)]
    assert f'fill="{HUES[3]}"'.encode() in initials_of(Account(11, "ada", "Ada", "member", 0, None)).content


def test_previews_pictures_and_names_are_cut_between_signs():
    """All that shortens a text does it alike."""
    assert preview("x" * 78 + "🇩🇪 and more", 80) == "x" * 78 + "…"
    assert name_from_elsewhere("x" * 49 + "👍🏽") == "x" * 49
    assert "e\u0301".upper() in initials_of(Account(1, "ada", "e\u0301mile 🇩🇪", "member", 0, None)).content.decode()
    long = Message(1, 1, None, "x" * 2998 + "🇩🇪 and more", 0, None)
    assert b"xx\xe2\x80\xa6" in for_slack(long, "")
    for text in ("x" * 99 + "🇩🇪" * 300, "👩\u200d👧" * 200 + "needle"):
        shown = "".join(part for part, _ in excerpt(text, phrases("needle"))).strip("… ")
        assert shown[0] in "x👩" and shown[-1] in "🇪👧e", shown
