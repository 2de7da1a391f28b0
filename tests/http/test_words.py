"""The words of pages in another language: all of them, and in English as if there were no other."""

import re

from tests.support.all_pages import AllPages
from tests.support.pseudo import TAG, Words, write_catalogue

NAMES = {"Facebook", "UTC", "before", "after", "from", "username", "bin", "admin"}
"""What stays as it is in each language: names of fields, conditions and commands."""


def ours(page):
    """The English words on a page that are neither names nor what people wrote, who use no vowels in these tests."""
    words = {word for text in Words(page).found for word in re.findall(r"[A-Za-z_]{2,}", text)}
    return {word for word in words - NAMES if re.search("[aeiouyAEIOUY]", word)}


def test_no_word_is_forgotten(start, tmp_path):
    """On each page, for guests, members and moderators, and with each refusal: all words are in the catalogue."""
    pages = AllPages(start, locales=write_catalogue(tmp_path / "locales"))
    forgotten, seen = {}, 0
    for who, what, response in pages.all(**{"Accept-Language": TAG}):
        seen += 1
        assert f'<html lang="{TAG}" dir="rtl">' in response.text, what
        assert response.headers["Vary"].startswith("Accept-Language"), what
        if left := ours(response.text):
            forgotten[f"{who} {what}"] = left
    assert seen > 300
    assert not forgotten, "\n".join(f"{what}: {words}" for what, words in forgotten.items())
