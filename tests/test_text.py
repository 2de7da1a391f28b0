"""What a message may contain."""

import json
import pathlib
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from board.text import MARKS_IN_A_ROW, BadText, clean, pieces

PIECES = json.loads((pathlib.Path(__file__).parent / "pieces.json").read_text())


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
    ],
)
def test_text_is_kept_but_for_what_would_harm_other_peoples_lines(raw, kept):
    """Every script, emoji and markup stays; controls, overrides and endless marks go."""
    assert clean(raw, 4000) == kept


@pytest.mark.parametrize("blank", ["", " ", "\n\t ", "\u200b", "\u3164", "\u2800\u2800", "\u00ad", "\ufe0f", "\u202e"])
def test_a_message_that_shows_nothing_is_refused(blank):
    """There is no empty message, however it is made."""
    with pytest.raises(BadText) as error:
        clean(blank, 4000)
    assert error.value.code == "body_empty"


@pytest.mark.parametrize("raw", ["a\0b", "\ud800", "x\udfffy"])
def test_what_is_no_text_is_refused(raw):
    """NUL and lone surrogates are 400, not a fault later on."""
    with pytest.raises(BadText) as error:
        clean(raw, 4000)
    assert (error.value.code, error.value.status) == ("body_not_text", 400)


def test_the_limit_counts_characters_and_says_how_many_there_were():
    """4000 emoji fit where 4000 characters may be."""
    assert len(clean("😀" * 4000, 4000)) == 4000
    with pytest.raises(BadText, match="4000 characters; this one has 4001"):
        clean("x" * 4001, 4000)


@given(st.text())
def test_cleaning_is_done_once_and_for_all(raw):
    """What was cleaned is not changed by cleaning it again, and can always be stored."""
    try:
        kept = clean(raw, 4000)
    except BadText:
        return
    assert clean(kept, 4000) == kept
    assert kept.encode() and "\0" not in kept
    assert not any(unicodedata.bidirectional(c) in ("RLO", "LRO", "RLE", "LRE", "RLI", "LRI", "FSI") for c in kept)


@pytest.mark.parametrize("case", PIECES, ids=lambda case: case["body"][:40])
def test_links_and_code_are_found_as_the_list_says(case):
    """The server finds the pieces that the page's script finds (the browser is held to the same list)."""
    assert [list(piece) for piece in pieces(case["body"])] == case["pieces"]


@given(st.text(alphabet=st.sampled_from("htps:/.()[]a <>\"'é。\n`")) | st.text())
def test_the_pieces_are_the_whole_body(body):
    """Finding links and code loses and doubles no word, and an address starts with http."""
    found = list(pieces(body))
    if "`" not in body:
        assert "".join(text for text, _ in found) == body
    assert re.sub("[`\n]", "", "".join(text for text, _ in found)) == re.sub("[`\n]", "", body)
    assert all(text.lower().startswith(("http://", "https://")) for text, kind in found if kind == "link")
    assert all(text for text, _ in found)
