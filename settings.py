"""Every setting: its name, default, what it means and how it is read.

Owns the environment and the command line; nothing else in Longboard reads either.
A flag wins over the environment: `--poll-seconds=20` over POLL_SECONDS=20.
"""

import argparse
import dataclasses
import os
import re
import socket
import sys
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

Parser = Callable[[str], Any]


def whole(least: int, most: int) -> Parser:
    def parse(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not least <= int(text[:18]) <= most:
            raise ValueError(f"a whole number from {least} to {most}")
        return int(text)

    return parse


def one_of(*choices: str) -> Parser:
    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(" or ".join(choices))
        return text

    return parse


def switch(text: str) -> bool:
    if text not in ("on", "off"):
        raise ValueError("on or off")
    return text == "on"


def line(most: int) -> Parser:
    def parse(text: str) -> str:
        if not text.strip() or not text.isprintable() or len(text) > most:
            raise ValueError(f"one line of 1 to {most} characters")
        return text.strip()

    return parse


def database_url(text: str) -> str:
    scheme, _, rest = text.partition("://")
    if scheme != "sqlite" or not rest.startswith("/") or rest.endswith("/") or "\0" in rest or "?" in rest:
        raise ValueError("sqlite:///file.db, with four slashes for an absolute path")
    return text


def origin(text: str) -> str:
    """`https://board.example.org`, with no path: what a browser sends as Origin. Empty means not set."""
    if not text:
        return ""
    parts = urllib.parse.urlsplit(text)
    plain = f"{parts.scheme}://{parts.netloc}"
    if parts.scheme not in ("http", "https") or not parts.hostname or text.rstrip("/") != plain or "@" in plain:
        raise ValueError("http:// or https:// and a host, with no path, such as https://board.example.org")
    return plain.lower()


def client_header(text: str) -> str:
    """`X-Forwarded-For`, or `X-Forwarded-For:2` for the second entry from the right, behind two proxies."""
    if not re.fullmatch(r"[A-Za-z0-9-]+(:[1-9])?|", text):
        raise ValueError("a header's name, such as X-Forwarded-For, or X-Forwarded-For:2 behind two proxies")
    return text


def header_names(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9-]*( *, *[A-Za-z0-9-]+)*", text):
        raise ValueError("names of headers with commas between them")
    meaningful = {"authorization", "cookie", "host", "connection", "content-length", "transfer-encoding", "expect"}
    if meaningful & {name.strip().lower() for name in text.split(",")}:
        raise ValueError("headers that mean nothing here, so no " + ", ".join(sorted(meaningful)))
    return text


def setting(default: str, parse: Parser, help: str) -> Any:
    """A field of Settings; its name in capitals is that of the environment variable."""
    return dataclasses.field(default=parse(default), metadata={"default": default, "parse": parse, "help": help})


@dataclasses.dataclass(frozen=True)
class Settings:
    """The values in force. Times are in seconds, lengths in code points."""

    port: int = setting("8080", whole(0, 65535), "TCP port to listen on; 0 takes a free one")
    address: str = setting("127.0.0.1", line(255), "address to listen on; 0.0.0.0 for all of IPv4")
    database_url: str = setting(
        "sqlite:///board.db", database_url, "where messages are kept; sqlite:////var/board.db is an absolute path"
    )
    public_url: str = setting(
        "", origin, "how browsers reach the board, if through a proxy: https://… makes cookies Secure and sends HSTS"
    )
    title: str = setting("Longboard", line(80), "the board's name")
    posting: str = setting("guests", one_of("guests", "members"), "who may post: guests (everyone) or members")
    reading: str = setting("public", one_of("public", "members"), "who may read: public (everyone) or members")
    signup: str = setting(
        "open", one_of("open", "invite", "closed"), "who may make an account: open (everyone), invite or closed"
    )
    message_length: int = setting("4000", whole(1, 100_000), "characters that a message may have")
    poll_seconds: int = setting("25", whole(1, 600), "how long a poll is held; keep it below your proxy's time-out")
    max_parked: int = setting("10000", whole(0, 1_000_000), "polls held at once; more are told to come back later")
    token_hours: int = setting("4", whole(1, 8760), "hours after which an unused token from signing in is dead")
    client_header: str = setting(
        "", client_header, "header in which your proxy names the client, such as X-Forwarded-For; never without a proxy"
    )
    repeats: bool = setting("on", switch, "on or off: answer a poll that repeats known bytes without parsing it again")
    varying_headers: str = setting(
        "X-Request-Id,X-Request-Start,traceparent",
        header_names,
        "headers that your proxy makes anew for each request, which a repeated poll may differ in",
    )
    limits: bool = setting("on", switch, "on or off: how often one may post or sign in; off is for load tests")
    log_requests: bool = setting("off", switch, "on or off: a line for each request (never its query); faults always")


def read_settings(arguments: Sequence[str], environ: Mapping[str, str] = os.environ) -> Settings:
    """Settings from flags and environment; a bad one is named on stderr and ends the program with 2."""
    fields = dataclasses.fields(Settings)
    parser = argparse.ArgumentParser(
        prog="server.py",
        description="Longboard, a live message board. Each setting is a flag or an environment variable.",
        allow_abbrev=False,
    )
    for field in fields:
        flag = "--" + field.name.replace("_", "-")
        help = f"{field.metadata['help']} ({field.name.upper()}; {field.metadata['default'] or 'not set'})"
        parser.add_argument(flag, metavar="VALUE", help=help.replace("%", "%%"))
    flags = vars(parser.parse_args(arguments))
    values = {}
    for field in fields:
        name = field.name.upper()
        text = flags[field.name]
        if text is None:
            text = environ.get(name) or field.metadata["default"]  # set but empty counts as not set
        try:
            values[field.name] = field.metadata["parse"](text)
        except ValueError as expected:
            refuse(f"{name} must be {expected}, not {text!r}")
    return Settings(**values)


def refuse(why: str) -> NoReturn:
    print(f"longboard: {why}", file=sys.stderr)
    raise SystemExit(2)


def inherited_sockets(environ: Mapping[str, str] = os.environ) -> list[socket.socket]:
    """Listening sockets handed over by systemd's socket activation (sd_listen_fds(3)), or none."""
    if environ.get("LISTEN_PID") != str(os.getpid()) or not environ.get("LISTEN_FDS", "").isdecimal():
        return []
    return [socket.socket(fileno=3 + i) for i in range(int(environ["LISTEN_FDS"]))]
