"""Parsers of headers that anybody may send: addresses, hosts, tokens, accepted types."""

import random

from tornado.httputil import HTTPHeaders, HTTPServerRequest

from board.credentials import TOKEN_PREFIX, is_made_here
from fuzz.generate import text
from handlers.http.bearer import bearers, is_misplaced, our_token
from handlers.http.forwarded import entry, parse_forwarded
from handlers.http.headers import is_unmodified
from handlers.http.hosts import Names, split_host
from handlers.http.negotiation import qualities, takes_gzip, wants_json
from settings import read_settings

NAMES = Names(read_settings(["--public-url=https://board.example.org", "--scheme-header=Forwarded"], {}))
HOSTS = ("board.example.org", "board.example.org:443", "[::1]:8080", "localhost", "evil.example:80")
FORWARDED = ('for=192.0.2.1;proto=https, for="[2001:db8::1]:443"', "for=_x;by=1.2.3.4", 'for="a\\"b,c"')
LISTS = ("gzip, deflate;q=0.5, *;q=0", "text/html,application/json;q=0.9", "identity;q=1.000")
TOKENS = ("Bearer lb_2Vb8", "Basic dXNlcjpwYXNz", "Basic bGJfeDo=, Bearer lb_x", "token lb_x", "Digest a=b, c=d")


def headers(rng: random.Random) -> None:
    name, port = split_host(sent := text(rng, HOSTS))
    assert name in sent.lower() and (port == "" or port.isdecimal())
    if NAMES.is_ours(sent):
        assert name.strip("[]") == "board.example.org" or not name.endswith((".example", ".org"))
    forwarded = text(rng, FORWARDED)
    assert all(part.islower() or not part.isalpha() for pair in parse_forwarded(forwarded) for part in pair)
    of_proxy = HTTPHeaders({"Forwarded": forwarded})
    assert all(isinstance(entry(of_proxy, f"Forwarded{hops}", "for"), str) for hops in ("", ":2", ":9"))
    listed = text(rng, LISTS)
    assert all(0 <= weight <= 1 for weight in qualities(listed).values())
    assert takes_gzip(listed) in (True, False) and wants_json(listed) in (True, False)
    is_unmodified(
        HTTPHeaders({"If-Modified-Since": text(rng, ("Sun, 06 Nov 1994 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"))}), 0
    )
    request = HTTPServerRequest("GET", "/", headers=HTTPHeaders({"Host": "x"}), connection=None)
    request.headers = {"Authorization": text(rng, TOKENS)}  # type: ignore[assignment]
    token = our_token(request)
    assert token is None or (token.startswith(TOKEN_PREFIX) and token in bearers(request))
    assert is_misplaced(request) in (True, False)
    assert not is_made_here(b"key", text(rng, ("2Vb8fX.AAAAAAAAAAAA", "2Vb8fX")))
