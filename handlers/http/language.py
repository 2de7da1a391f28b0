"""The words and dates of one language, as pages show them."""

import datetime
import gettext

from tornado.locale import GettextLocale

from board.said import Said, msgid
from board.wire import moment

RIGHT_TO_LEFT = frozenset(("ar", "arc", "ckb", "dv", "fa", "he", "ks", "nqo", "ps", "sd", "syr", "ug", "ur", "yi"))
"""Languages, if their tag says no script."""
SCRIPTS_RIGHT_TO_LEFT = frozenset(("adlm", "arab", "hebr", "nkoo", "rohg", "syrc", "thaa"))
MONTHS = msgid("January February March April May June July August September October November December")
SHORT = msgid("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec")


class Language(GettextLocale):
    """The words and dates of one language. Templates have `_` and `language` from it."""

    def __init__(self, tag: str, translations: gettext.NullTranslations, scripts: str = "") -> None:
        super().__init__(tag, translations)
        self.tag = tag
        """As HTML has it: pt-BR."""
        self.dir = "rtl" if is_right_to_left(tag) else ""
        self.scripts = scripts
        """The words of scripts, as JSON that may stand in HTML; nothing in English, which scripts have in them."""

    def tell(self, words: str) -> str:
        """Puts what a refusal or another part of the site says into this language."""
        if not isinstance(words, Said):
            return self.translate(words) if words else ""
        text = self.translate(words.msgid, words.many, words.number)
        values = {name: self.tell(one) if isinstance(one, Said) else one for name, one in words.values.items()}
        return text % values if values else text

    def day(self, day: datetime.date) -> str:
        """The line above the messages of a day in UTC."""
        values = {"day": day.day, "month": self.month(MONTHS, day.month), "year": day.year}
        return self.translate("%(day)s %(month)s %(year)s, UTC") % values

    def human(self, ms: int) -> str:
        """A day with its time, as pages show it without JavaScript. With JavaScript they show local time instead."""
        at = moment(ms)
        values = {"day": at.day, "month": self.month(SHORT, at.month), "year": at.year, "time": f"{at:%H:%M}"}
        return self.translate("%(day)s %(month)s %(year)s, %(time)s UTC") % values

    def month(self, names: str, number: int) -> str:
        """`names` are those of all months. A translation that has not twelve is left out."""
        found = self.translate(names).split()
        return (found if len(found) == 12 else names.split())[number - 1]


def is_right_to_left(tag: str) -> bool:
    name, _, rest = tag.lower().partition("-")
    script = rest.partition("-")[0]
    return script in SCRIPTS_RIGHT_TO_LEFT if len(script) == 4 else name in RIGHT_TO_LEFT


ENGLISH = Language("en", gettext.NullTranslations())
