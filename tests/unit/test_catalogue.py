"""The catalogue that translators get: it is what the code has, and translations keep what they must."""

import io
import re

from babel.messages.pofile import read_po

from deploy import words
from handlers.http.catalogues import PLACE, fits
from handlers.http.sentences import escaped, joined, link, rich
from tests.support.pseudo import in_pseudo

OUR_CODE = re.compile(r"\{[{%#].*?[}%#]\}", re.DOTALL)


def test_the_template_is_up_to_date():
    """bin/words writes it."""
    assert words.POT.read_bytes() == words.pot(), "run bin/words"
    assert words.SCRIPTS.read_text() == words.scripts(), "run bin/words"


def test_placeholders_and_marks_survive_a_translation():
    """Of each msgid; and those of both numbers are alike."""
    template, checked = read_po(io.BytesIO(words.POT.read_bytes())), 0
    for message in template:
        msgids = message.id if isinstance(message.id, tuple) else (message.id,)
        for msgid in filter(None, msgids):
            checked += 1
            assert fits(msgid, in_pseudo(msgid)), msgid
            assert "%" not in PLACE.sub("", msgid), msgid
        assert len({frozenset(PLACE.findall(one)) for one in msgids}) == 1, msgids
    assert checked > 500


def test_only_what_the_template_gives_becomes_markup():
    """A catalogue's tags, attributes and entities are text; so are values, also those that look like marks."""
    sentence = rich(
        '<a>%(name)s</a> <b>x</b> <i onclick="y">&amp; <u>it\'s</u>', a=link('/?a="&b'), name="<a>%(name)s</a>"
    )
    assert sentence == (
        '<a href="/?a=&quot;&amp;b">&lt;a&gt;%(name)s&lt;/a&gt;</a> <b>x</b> '
        "&lt;i onclick=&quot;y&quot;&gt;&amp;amp; &lt;u&gt;it's&lt;/u&gt;"
    )
    assert joined("%(these)s, %(other)s", ["<a>", "b", "%(these)s"]) == "&lt;a&gt;, b, %(these)s"
    assert escaped(b"<'\"&>") == "&lt;'&quot;&amp;&gt;"


def test_attributes_of_templates_have_double_quotes():
    """So an apostrophe need not be escaped."""
    templates = list((words.ROOT / "templates").iterdir())
    assert len(templates) > 20
    for path in templates:
        text = re.sub('"[^"]*"', '""', OUR_CODE.sub("", path.read_text()))
        assert not re.search(r"<[^>]*\s[a-z-]+=(?!\")", text), path
