"""Aimed at what is posted to incoming webhooks."""

import contextlib
import random

from board.payloads import cut, words_of
from board.text import clean
from fuzz.generate import octets
from handlers.hooks.intake import read
from handlers.http.errors import RefusedError

PAYLOADS = (
    '{"text": "*a* ~b~ <https://c.de|f> <!channel|channel> <@U1|g> &lt;&amp;"}',
    '{"blocks": [{"type": "header", "text": {"type": "plain_text", "text": "h"}}, {"type": "section", "fields": []}]}',
    '{"attachments": [{"title": "[i]", "title_link": "https://j.kl", "fields": [{"title": "m", "value": "n"}], "blocks": 5}]}',
    "payload=%7B%22text%22%3A%22o%22%7D",
    "plain\n```p```",
)


def payloads(rng: random.Random) -> None:
    """What is posted to a webhook."""
    kind = rng.choice(("application/json", "application/x-www-form-urlencoded", "text/plain", ""))
    with contextlib.suppress(RefusedError):
        said = read(octets(rng, PAYLOADS), kind)
        made = words_of(said, 4000) if isinstance(said, dict) else cut(said, 4000)
        assert made == "" or clean(made, 4000) == made
