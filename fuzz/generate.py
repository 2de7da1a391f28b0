"""Random text that is nearly right: good examples, with small changes that have broken programs before."""

import random
import string
from collections.abc import Sequence

NASTY = (
    "\0", "\ud800", "\udfff", "\r\n", "\n", "\r", "\t", "\x0b", "\x1b", "\x7f", "\x85", "\xa0", "\u2028", "\u202e", "\u2066",
    "\u200b", "\u200d", "\ufeff", "\ufffe", "\u0301" * 20, "\u0489", "ﬀ", "ſ", "İ", "ß", "א", "ا", "漢字", "😀", "👨‍👩‍👧", "\U000e0001",
    "\U0010ffff", "٣", "²", "-", "--", "-0", "0", "00", "1", "9" * 20, "9" * 5000, "1e999", "NaN", "Infinity", "0x10", "+1", "1.", ".5",
    "%", "%00", "%0d%0a", "%ff", "%u0041", "+", "&", "=", ";", ",", ":", "/", "//", "\\", "?", "#", "@", "[", "]", "{", "}", "(", ")",
    "<", ">", '"', "'", "`", "$", "|", "*", "~", "^", "../", "..\\", "{{7*7}}", "<script>", "' OR 1=1--", "NEAR(", "AND", "NOT", "a" * 5000,
    "[" * 2000, '{"a":' * 500, "http://", "https://", "HTTP/1.1", "null", "true", "\\u0000", "\\ud800", "==", "A==", "☃",
)  # fmt: skip
LETTERS = string.ascii_letters + string.digits + string.punctuation + " "


def text(rng: random.Random, seeds: Sequence[str]) -> str:
    """Returns a good example with up to four changes."""
    made = rng.choice(seeds)
    for _ in range(rng.choice((0, 1, 1, 1, 2, 2, 4))):
        at, end = sorted((rng.randint(0, len(made)), rng.randint(0, len(made))))
        match rng.randrange(7):
            case 0 | 1:
                made = made[:at] + rng.choice(NASTY) + made[at:]
            case 2:
                made = made[:at] + made[end:]
            case 3:
                made = made[:at] + made[at:end] * rng.randint(2, 9) + made[end:]
            case 4:
                made = made[:at] + rng.choice(LETTERS) + made[at + 1 :]
            case 5:
                made = made[:at] + chr(rng.randrange(0x110000)) + made[at + 1 :]
            case 6:
                made = made[:at] + rng.choice(seeds)[: rng.randint(0, 40)] + made[at:]
    return made[:20_000]


def octets(rng: random.Random, seeds: Sequence[str]) -> bytes:
    """Returns the same as bytes, which sometimes are not those of any text."""
    made = text(rng, seeds).encode("utf-8", rng.choice(("surrogatepass", "replace")))
    if rng.random() < 0.3 and made:
        at = rng.randrange(len(made))
        made = made[:at] + rng.randbytes(rng.randint(1, 8)) + made[at + 1 :]
    return made
