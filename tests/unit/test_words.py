"""How text is cut into the words by which it is found."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.words import FOLDED, KINDS, MOST_KNOWN, WORD_MAX, Phrase, fold, phrases, words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Hello, World! It's 3.14", "hello world it s 3 14"),
        ("https://Example.org/a?b=read_page", "https example org a b read page"),
        ("Grüße, ŁÓDŹ, İstanbul, Ærø, Ёлка, Άλφα", "grusse lodz istanbul aero елка αλφα"),
        ("ＡＢＣ１２ ﬁne ①", "abc12 fine 1"),
        ("你好，世界", "你好 好 世界 界"),
        ("Python入門2026年", "python 入門 門 2026 年"),
        ("カタカナ ｶﾞ", "カタ タカ カナ ナ ガ"),
        ("안녕하세요 여러분", "안녕 녕하 하세 세요 요 여러 러분 분"),
        (unicodedata.normalize("NFD", "한국 が"), "한국 국 が"),
        ("สวัสดี", "สว วั ัส สด ดี ี"),
        ("ສະບາຍ", "ສະ ະບ ບາ າຍ ຍ"),
        ("សួស្តី", "សួ ួស ស្ ្ត តី ី"),
        ("हिन्दी में", "हिन्दी में"),
        ("שָׁלוֹם مَرْحَبًا", "שלום مرحبا"),
        ("٢٠٢٦ २०२६", "2026 2026"),
        ("می\u200cخواهم co\u00adoperate", "میخواهم cooperate"),
        ("👍🏽👩\u200d👩\u200d👧 ☺\ufe0f €5", "👍 👩 👩 👧 ☺ € 5"),
        ("!?… -- \u0301 \0", ""),
        ("x" * 100 + " y", "x" * WORD_MAX + " y"),
    ],
)  # fmt: skip
def test_text_is_cut_in_every_script(text, found):
    """Case, width, accents and what can't be seen make no difference; scripts without spaces become pairs."""
    assert words(text) == found.split()


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("low tide", [("low", False), ("tide", True)]),
        ('"low tide" at', [("low tide", False), ("at", True)]),
        ("„low tide“ „never closed", [("low tide", False), ("never closed", False)]),
        ("example.org", [("example org", True)]),
        ("你好", [("你好", False)]),
        ("你好世界", [("你好 好世 世界", False)]),
        ("好", [("好", True)]),
        ("“好” x", [("好", True), ("x", True)]),
        ("第3章", [("第 3 章", True)]),
        ("ดี", [("ดี", False)]),
        ("C++", [("c", False)]),
        ("low C#", [("low", False), ("c", False)]),
        ("tide!", [("tide", False)]),
        ("C+ tide", [("c", False), ("tide", True)]),
        ("好!", [("好", True)]),
        ('"' + "a b " * 20 + '"', [(" ".join(["a", "b"] * 8), False)]),
        ("low LOW low", [("low", False), ("low", True)]),
        ('" -- * ( AND', [("and", False)]),
        ("!!! \0 \ud800", []),
        ("", []),
    ],
)
def test_a_query_is_cut_the_same_way(query, wanted):
    """Words, quoted phrases, and a last word that may go on."""
    assert phrases(query) == [Phrase(tuple(text.split()), is_beginning) for text, is_beginning in wanted]


def test_no_text_grows_beyond_bounds_when_it_is_folded():
    """Some signs stand for many letters; what stands for a sentence stays one."""
    everything = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    assert max(len(fold(c)) for c in everything) <= 6
    assert words("\ufdfa x \ufdfb\ufdfa Ａ") == ["\ufdfa", "x", "\ufdfb\ufdfa", "a"]
    assert len(FOLDED) <= MOST_KNOWN and len(KINDS) <= MOST_KNOWN


@given(st.text())
def test_words_are_safe_and_stay_as_they_are(text):
    """No word has a space or a sign of any query language in it, and to cut the words again changes nothing."""
    cut = words(text)
    assert all(word and all(c.isalnum() for c in word if c.isascii()) for word in cut)
    assert all(words(word)[0][:1] == word[:1] for word in cut)


@given(st.text(max_size=60), st.text(max_size=10), st.text(max_size=10))
def test_a_message_has_what_was_copied_from_it(text, before, after):
    """What stands between spaces in a message is a phrase of its words, in whatever script."""
    kept = words(f"{before} {text} {after}")
    for phrase in phrases(f'"{text}"'):
        assert holds(kept, phrase), (kept, phrase)


def holds(kept, phrase):
    exact, last = list(phrase.words[:-1]), phrase.words[-1]
    return any(
        kept[at : at + len(exact)] == exact
        and (kept[at + len(exact)].startswith(last) if phrase.is_beginning else kept[at + len(exact)] == last)
        for at in range(len(kept) - len(exact))
    )
