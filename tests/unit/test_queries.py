"""Reading a query: which of its parts are conditions, and which stay words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import BadDateError
from storage.queries import ANY, GUESTS, Conditions, parse
from storage.words import phrases

DAY_MS = 86_400_000
DAYS = 20_758
"""From 1970 to 1 November 2026."""


@pytest.mark.parametrize(("text", "words", "only"), [
    ("tide from:ada", "tide", {"author": "ada"}),
    ("FROM:@Ada_9 low tide", "low tide", {"author": "ada_9"}),
    ("from:guests", "", {"author": GUESTS}),
    ("before:2026-11-01", "", {"before": DAYS * DAY_MS}),
    ("after:2026-11-01", "", {"since": (DAYS + 1) * DAY_MS}),
    ("low Before:1970-01-01 tide After:9999-12-31", "low tide", {"before": 0, "since": 253_402_300_800_000}),
    ("has:link \"low tide\"has:link", "\"low tide\"", {"has_link": True}),
    ("from:ada from:bob before:2026-11-02 before:2026-11-01", "", {"author": "bob", "before": DAYS * DAY_MS}),
])  # fmt: skip
def test_conditions_are_taken_out_of_the_words(text, words, only):
    query = parse(text)
    assert query.phrases == phrases(words) and query.only == Conditions(**only)
    assert not query.is_empty and query.only.number == len(only)


@pytest.mark.parametrize("text", [
    "tide", "", '"from:ada"', "“before:x”", '"has:link', "from:ad", "from:", "before: 2026", "after:", "has:links", "has:", "by:ada",
    "from:ada!", "from:Адa", "from:ſam", "xfrom:ada", "from :ada", "ada:from", 'from:"ada"', "from:" + "a" * 33, "https://from:ada@x",
])  # fmt: skip
def test_all_else_stays_words_as_before(text):
    """What is in quotes, other words with a colon, and what is no username."""
    assert parse(text) == (phrases(text), ANY)


@pytest.mark.parametrize("day", [
    "x", "2026", "2026-11", "2026-13-01", "2026-02-30", "2026-11-1", "20261101", "2026-W44-7", "2026-11-01T00:00", "0000-01-01", "２026-11-01",
    "2026-11-01,", "-2026-11-01", "yesterday", "99999-01-01",
])  # fmt: skip
def test_what_is_no_day_is_refused(day):
    """Rather than to find something else than was asked for."""
    for text in (f"before:{day}", f"tide AFTER:{day} from:ada"):
        with pytest.raises(BadDateError):
            parse(text)


@given(
    st.lists(
        st.sampled_from(["from:", "before:", "after:", "has:link", "ada", "2026-11-01", '"', " ", "@", "“", "é"])
    ).map("".join)
    | st.text()
)
def test_any_query_is_read_or_refused(text):
    """And a condition in quotes is never one."""
    try:
        query = parse(text)
    except BadDateError:
        return
    assert query.only == ANY or ":" in text
    assert (
        parse(
            '"'
            + text.replace('"', "").replace("“", "").replace("”", "").translate({0x201E: "", 0xAB: "", 0xBB: ""})
            + '"'
        ).only
        == ANY
    )
