"""What gets random input inside this process. A target may raise only the errors that its code says it may raise."""

import base64
import contextlib
import hashlib
import hmac
import random
import re
import types
from collections.abc import Callable
from typing import Any

import tornado.web
from tornado.httputil import HTTPInputError, HTTPServerRequest, parse_body_arguments

from board import account_names
from board import text as words_of
from board.cursor import parse_cursor
from board.images import kind_of_image
from board.markup import flat, pieces, usernames_in
from board.passwords import check_password, normal
from board.text import BadTextError
from fuzz.generate import octets, text
from fuzz.headers import headers
from fuzz.hooks import payloads
from fuzz.operators import database_addresses, files, import_lines, settings
from handlers.accounts.sign_in import browser_name, safe_next
from handlers.boards.polls import Poll
from handlers.boards.tutorial import parse_time
from handlers.http.authentication import Authentication
from handlers.http.errors import RefusedError
from handlers.http.fields import Fields, is_id, parse_object
from handlers.login.facebook import ID, read_signed_request
from handlers.messages.api import checked_key, form_key, parse_id
from net.addresses import parse_address
from net.fast_path.known import POLL
from storage.errors import BadDateError, NotFoundError
from storage.names import has_sign
from storage.queries import ANY, parse
from storage.skeletons import skeleton
from storage.words import phrases, words

SECRET = "a secret of an app of Facebook's"
WEB = re.compile("https?://|mailto:[0-9a-z]", re.IGNORECASE)
MESSAGES = (
    "Hello, board!",
    "Two\nlines",
    "https://example.org/a?b=c&d(e)",
    "(see http://a.b/c_(d).)",
    "**a _b_ ~~c~~** `d` [e](https://f.gh/i) j@k.lm www.n.op",
    "> one\n> two\n\n- three\n- four\n```py\nfive\n```",
    "مرحبا 😀",
    "@ada and (@Joe_1), mail@ada.org",
    "\u0301" * 9 + "x",
)


def refused(*errors: type[Exception]) -> contextlib.AbstractContextManager[None]:
    return contextlib.suppress(*errors)


def cursors(rng: random.Random) -> None:
    sent = text(rng, ("k3f9x2mq-1041", "0-0", "zzzzzzzz-999999999999999999"))
    cursor = parse_cursor(sent)
    assert cursor is None or (str(cursor) == sent and 0 <= cursor.seq < 10**18)


def messages(rng: random.Random) -> None:
    with refused(BadTextError):
        cleaned = words_of.clean(text(rng, MESSAGES), 4000)
        assert 0 < len(cleaned) <= 4000 and words_of.clean(cleaned, 4000) == cleaned
        assert not words_of.DROPPED.search(cleaned) and not words_of.NOT_TEXT.search(cleaned)
        cleaned.encode()
        assert all(account_names.USERNAME.fullmatch(username) for username in usernames_in(cleaned))
        shown = list(flat(pieces(cleaned)))
        assert all(piece in cleaned for piece, kind in shown if kind in ("code", "block"))
        assert all(WEB.match(piece) for piece, kind in shown if kind == "link")


def names(rng: random.Random) -> None:
    sent = text(
        rng, ("Ada Lovelace", "ada_l", "Zoë Müller", "李", "member_2", "ada@example.org", "👩\u200d🚀", "नमस्\u200dते")
    )
    with refused(BadTextError):
        assert account_names.USERNAME.fullmatch(account_names.clean_username(sent))
    with refused(BadTextError):
        taken = account_names.clean_name(sent)
        assert 0 < len(taken) <= account_names.NAME_LENGTH and not has_sign(taken)
    name = account_names.name_from_elsewhere(rng.choice((sent, None, 7, [sent])))
    assert account_names.clean_name(name, kept=name) == name  # also one with an @, which nobody could take
    assert skeleton(name) == " ".join(skeleton(name).split())
    assert account_names.USERNAME.fullmatch(next(account_names.usernames(name)))
    browser_name(sent)


def passwords(rng: random.Random) -> None:
    with refused(BadTextError):
        check_password(sent := text(rng, ("a few random words", "пароль 密码 😀", "password")), "ada")
        assert 8 <= len(normal(sent)) <= 128


def searches(rng: random.Random) -> None:
    sent = text(
        rng, ('hello "two words"', "漢字 かな", "a OR b*", "مرحبا", "C++ x-y", "from:ada before:2026-11-01 has:link")
    )
    for found in (words(sent), phrases(sent)):
        assert len(found) <= len(sent) * 2 + 1
    with refused(BadDateError):
        wanted = parse(sent)
        assert wanted.only == ANY or ":" in sent
        assert wanted.is_empty or wanted.has_words or wanted.only != ANY


def keys(rng: random.Random) -> None:
    sent = text(rng, ("b7Jt0yVxGq2mR5sLw8aZ1c", "tutorial-0000000000000000001", "k" * 100))
    with refused(RefusedError):
        checked_key(sent)
        form_key(sent, text(rng, MESSAGES))


def numbers(rng: random.Random) -> None:
    sent = text(rng, ("1", "0", "25", "0.5", "1e3", "1700000000000", "999999999999999999"))
    with refused(NotFoundError):
        assert 0 <= parse_id(sent) < 10**18
    assert is_id(sent) == bool(re.fullmatch("[0-9]{1,18}", sent))
    with refused(RefusedError):
        assert 0 <= parse_time(sent) < 10**14
    with refused(RefusedError):
        handler = types.SimpleNamespace(config=types.SimpleNamespace(poll_seconds=25), query=lambda name: sent)
        assert 0 <= Poll.wait(handler) <= 25  # type: ignore[arg-type]


def addresses(rng: random.Random) -> None:
    named = (
        "192.0.2.1",
        "10.0.0.1, 192.0.2.1",
        "2001:db8::1",
        "[2001:db8::1]:443",
        "::ffff:1.2.3.4",
        "fe80::1%eth0",
        "192.0.2.1:80",
    )
    sent = text(rng, named)
    request = types.SimpleNamespace(headers={"X-Forwarded-For": sent}, remote_ip=text(rng, named), path="/get")
    config = types.SimpleNamespace(client_header=rng.choice(("", "X-Forwarded-For", "X-Forwarded-For:2")))
    get: Callable[[Any], str] = Authentication.client_address.fget  # type: ignore[attr-defined]
    found = get(types.SimpleNamespace(request=request, config=config))
    assert found == "unknown" or parse_address(found.partition("/")[0]) == found, found


def nexts(rng: random.Random) -> None:
    path = safe_next(text(rng, ("/account?x=1", "//e.example", "/\\e", "https:e", "/%09/e", "/#m1")))
    assert re.fullmatch(r"/([!-.0-\[\]-~][!-\[\]-~]*)?", path), path


def objects(rng: random.Random) -> None:
    seeds = (
        '{"body": "Hello", "key": "b7Jt0yVxGq2mR5sLw8aZ1c", "reply_to": 1041, "guest_name": "Zoe"}',
        '{"a": [1, 2.5, -0, null, true], "b": {}}',
        '"\\ud83d\\ude00"',
        "[]",
    )
    with refused(RefusedError):
        assert isinstance(parse_object(octets(rng, seeds)), dict)


def forms(rng: random.Random) -> None:
    arguments: dict[str, list[bytes]] = {}
    kind = text(
        rng,
        (
            "application/x-www-form-urlencoded",
            "application/x-www-form-urlencoded; charset=utf-8",
            "multipart/form-data; boundary=x",
        ),
    )
    body = octets(
        rng, ("s=Hello&key=b7Jt0yVxGq2mR5sLw8aZ1c&as=", "body=%F0%9F%98%80+x", "a=1&a=2&&=&b", "--x\r\n\r\nx\r\n--x--")
    )
    with refused(HTTPInputError):
        parse_body_arguments(kind, body, arguments, {})
    for name in arguments:
        with refused(RefusedError):
            Fields._last(None, arguments, name)  # type: ignore[arg-type]


def cookies(rng: random.Random) -> None:
    seeds = (
        "longboard=2Vb8fX",
        '__Host-longboard="a b"; x=y',
        "longboard-facebook=2|1:0|10:1700000000|4:name|4:dmFs|0123",
    )
    request = HTTPServerRequest("GET", "/", connection=None)
    sent = octets(rng, seeds).decode("latin-1")  # as Tornado reads headers; more than any header can have
    request.headers = {"Cookie": sent}  # type: ignore[assignment]
    for morsel in request.cookies.values():
        tornado.web.decode_signed_value({1: SECRET}, morsel.key, morsel.value, min_version=2)


def signed_requests(rng: random.Random) -> None:
    """A request with a bad signature is never accepted. One with a good signature is accepted only if it is valid."""
    seeds = (
        '{"algorithm": "HMAC-SHA256", "user_id": "218471", "issued_at": 1700000000}',
        '{"algorithm":"HMAC-SHA256","user_id":7}',
        "[]",
    )
    payload = base64.urlsafe_b64encode(octets(rng, seeds)).decode().rstrip("=")
    good = base64.urlsafe_b64encode(hmac.digest(SECRET.encode(), payload.encode(), hashlib.sha256)).decode().rstrip("=")
    with refused(RefusedError):
        assert ID.fullmatch(read_signed_request(f"{good}.{payload}", SECRET)[0])
    spoilt = text(rng, (f"{good}.{payload}",))
    with refused(RefusedError):
        read_signed_request(spoilt, SECRET)
        assert base64.urlsafe_b64decode(spoilt.partition(".")[0] + "==") == base64.urlsafe_b64decode(good + "==")
    kind_of_image(octets(rng, ("\x89PNG\r\n\x1a\n", "GIF89a", "RIFF____WEBP")))


def polls(rng: random.Random) -> None:
    match = POLL.match(
        octets(rng, ("GET /get?after=k3f9x2mq-1041 HTTP/1.1\r\n", "GET /api/v1/messages?after=a-0&wait=5 HTTP/1.1\r\n"))
    )
    assert match is None or parse_cursor(f"{match[1].decode()}-{match[2].decode()}") is not None


TARGETS: dict[str, tuple[int, Callable[[random.Random], None]]] = {
    "cursors": (10, cursors),
    "messages": (14, messages),
    "names": (8, names),
    "passwords": (6, passwords),
    "searches": (10, searches),
    "keys": (6, keys),
    "numbers": (8, numbers),
    "addresses": (6, addresses),
    "next": (6, nexts),
    "JSON": (8, objects),
    "forms": (5, forms),
    "cookies": (4, cookies),
    "signed requests": (4, signed_requests),
    "settings": (1, settings),
    "files of settings": (2, files),
    "repeated polls": (4, polls),
    "addresses of databases": (4, database_addresses),
    "import lines": (4, import_lines),
    "headers": (4, headers),
    "payloads": (4, payloads),
}
"""Each target with its share. Slow targets have smaller ones."""
