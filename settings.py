"""Every setting: its name, default, what it means and how it is read.

Nothing else in Longboard reads the environment or the command line.
A flag wins over the environment: `--poll-seconds=20` over POLL_SECONDS=20.
"""

import argparse
import dataclasses
import os
from collections.abc import Mapping, Sequence
from typing import Any

from commands import MORE, USAGE
from setting_files import ignored_lines
from setting_files import parse as parse_file
from setting_names import Oddity, OneLineParser, odd_names, odd_variables, refuse
from setting_places import DATABASE_URL
from setting_providers import OpenIdClient, missing_for_providers, openid_clients
from setting_values import (
    Parser,
    app_secret,
    database_url,
    header_names,
    line,
    line_or_none,
    loopback,
    matching,
    one_of,
    origin,
    origins,
    origins_or_all,
    paragraphs,
    switch,
    trusted_header,
    whole,
    with_tls,
)
from version import VERSION


def setting(default: str, parse: Parser, help: str, *, secret: bool = False) -> Any:
    """Returns a field of Settings. Its name in capitals is the environment variable. A secret is never shown."""
    metadata = {"default": default, "parse": parse, "help": help, "secret": secret}
    return dataclasses.field(default=parse(default), repr=not secret, metadata=metadata)


@dataclasses.dataclass(frozen=True)
class Settings:
    """The values in force. Times are in seconds, lengths in code points."""

    port: int = setting("8080", whole(0, 65535), "TCP port to listen on; 0 takes a free one")
    address: str = setting("127.0.0.1", line(255), "address to listen on; 0.0.0.0 for all of IPv4")
    database_url: str = setting(
        DATABASE_URL,
        database_url,
        "where messages are kept: sqlite:////var/board.db is an absolute path, or postgres://user:password@host/name, better in the "
        "environment than as a flag, which others may see",
        secret=True,
    )
    public_url: str = setting(
        "", origin, "how browsers reach the board, if through a proxy: https://… makes cookies Secure and sends HSTS"
    )
    title: str = setting("Longboard", line(80), "the board's name")
    first_board: str = setting("", line_or_none(80), "the first board's name among others; else it is the title")
    posting: str = setting("guests", one_of("guests", "members"), "who may post: guests (everyone) or members")
    reading: str = setting("public", one_of("public", "members"), "who may read: public (everyone) or members")
    reading_order: str = setting("newest", one_of("newest", "oldest"), "what the first board's page has first")
    signup: str = setting("open", one_of("open", "invite", "closed"), "who may sign up: open (all), invite or closed")
    board_making: str = setting(
        "moderators", one_of("moderators", "members"), "who may make boards beside the first: moderators or members"
    )
    boards_each: int = setting("10", whole(1, 1000), "boards that a member who is no moderator may own")
    message_length: int = setting("4000", whole(1, 100_000), "characters that a message may have")
    poll_seconds: int = setting("25", whole(1, 600), "how long a poll is held; keep it below your proxy's time-out")
    max_parked: int = setting("10000", whole(0, 1_000_000), "polls held at once; more are told to come back later")
    token_hours: int = setting("4", whole(1, 8760), "hours after which an unused token from signing in is dead")
    client_header: str = setting(
        "", trusted_header, "header in which your proxy names clients, such as X-Forwarded-For; never without a proxy"
    )
    scheme_header: str = setting(
        "",
        trusted_header,
        "header in which your proxy says http or https, such as X-Forwarded-Proto: http is redirected to PUBLIC_URL",
    )
    repeats: bool = setting("on", switch, "on or off: answer a poll that repeats known bytes without parsing it again")
    varying_headers: str = setting(
        "X-Request-Id,X-Request-Start,traceparent",
        header_names,
        "headers that your proxy sets to a new value in each request: a repeated poll may differ in them",
    )
    limits: bool = setting("on", switch, "on or off: how often one may post or sign in; off is for load tests")
    facebook_app_id: str = setting(
        "", matching("[0-9]{1,32}|", "the app id of Facebook's dashboard: digits"), "turns on logging in with Facebook"
    )
    facebook_app_secret: str = setting(
        "", app_secret, "the app's secret; better in the environment than as a flag, which others may see", secret=True
    )
    facebook_graph_version: str = setting(
        "v24.0",
        matching(r"v\d{1,3}\.\d", "a version such as v24.0"),
        "version of Facebook's Graph API; each lives two years",
    )
    facebook_fake: str = setting(
        "",
        loopback,
        "for tests and for trying out: where a checkout's bin/fake-facebook runs on this machine; every page says so",
    )
    oidc: tuple[OpenIdClient, ...] = setting(
        "",
        openid_clients,
        "turns on logging in with OpenID Connect: a name, the issuer, client id and client secret, with blanks between "
        "(gitlab https://gitlab.com ID SECRET), and a comma before a second provider; better in the environment than "
        "as a flag, which others may see",
        secret=True,
    )
    passwords: bool = setting("on", switch, "on or off: sign in by a username and password, too; off takes a provider")
    privacy_text: str = setting(
        "",
        paragraphs,
        "your privacy page's text, with empty lines between paragraphs; else it says what Longboard keeps",
    )
    metrics_token: str = setting(
        "",
        matching(r"[!-~]{16,200}|", "at least 16 letters and digits, made at random"),
        "turns on /metrics, for whoever shows it as a bearer token; better in the environment than as a flag",
        secret=True,
    )
    log_format: str = setting("text", one_of("text", "json"), "lines for people, or json: an object on each line")
    dyno: str = setting("", line_or_none(255), "set by Heroku on its dynos, where a file is no place to keep a board")
    backup_dir: str = setting(
        "", line_or_none(4000), "folder for a checked copy of a SQLite board each day, best on another disk"
    )
    backup_keep: int = setting("7", whole(1, 10_000), "how many of those copies are kept; the oldest are removed")
    nodes: int = setting("1", whole(1, 64), "server processes behind the one port; more than one takes PostgreSQL")
    locales: str = setting("", line_or_none(4000), "folder with catalogues of pages' words in more languages")
    webhooks_to_loopback: bool = setting(
        "off", switch, "on or off: for tests, webhooks may go to this machine, also by http"
    )
    embed_from: tuple[str, ...] = setting(
        "", origins, "sites whose pages may show open boards in a frame: https://blog.example.org, with commas between"
    )
    cors_from: tuple[str, ...] = setting(
        "",
        origins_or_all,
        "sites whose scripts may read open boards: https://a.example, with commas between, or * for all",
    )
    log_requests: bool = setting("off", switch, "on or off: a line for each request (never its query); faults always")

    @property
    def disk_is_wiped(self) -> bool:
        """Whether the messages are in a file that is lost at the next restart."""
        return bool(self.dyno) and self.database_url.startswith("sqlite:")

    @property
    def origin(self) -> str:
        """Where browsers find the board, as far as settings tell."""
        host = f"[{self.address}]" if ":" in self.address else self.address
        return self.public_url or f"http://{host}:{self.port}"

    @property
    def app_ids(self) -> dict[str, str]:
        """The providers that are set up, with the app or issuer within which their people have ids."""
        facebook = {"facebook": self.facebook_app_id} if self.facebook_app_id else {}
        return facebook | {client.name: client.issuer for client in self.oidc}

    @property
    def trusted_scheme_header(self) -> str:
        """Heroku's router sets this, whatever clients send (https://devcenter.heroku.com/articles/http-routing)."""
        return self.scheme_header or ("X-Forwarded-Proto" if self.dyno else "")


def add_flags(parser: argparse.ArgumentParser, *, but: Sequence[str] = (), is_listed: bool = True) -> None:
    """Adds a flag for each setting, except those in `but`. The flags may be left out of --help."""
    for field in dataclasses.fields(Settings):
        if field.name not in but:
            default = field.metadata["default"] or "not set"
            help = f"{field.metadata['help']} ({field.name.upper()}; {default})".replace("%", "%%")
            flag = "--" + field.name.replace("_", "-")
            parser.add_argument(flag, metavar="VALUE", help=help if is_listed else argparse.SUPPRESS)


def read_settings(arguments: Sequence[str], environ: Mapping[str, str] = os.environ) -> Settings:
    """Reads settings from flags and environment. A bad one is named on stderr and ends the program with 2."""
    parser = OneLineParser(
        prog="longboard",
        usage=USAGE,
        description="Longboard, a live message board. Each setting is a flag or an environment variable.",
        epilog=MORE,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"Longboard {VERSION}")
    add_flags(parser)
    return settings_from(vars(parser.parse_args(arguments)), environ)


def settings_from(flags: Mapping[str, str | None], environ: Mapping[str, str]) -> Settings:
    """Like read_settings(), with the values of the flags by the names of their settings."""
    values = {}
    for field in dataclasses.fields(Settings):
        name = field.name.upper()
        flag, found = flags[field.name], environ.get(name)
        text = (found or field.metadata["default"]) if flag is None else flag  # set but empty counts as not set
        try:
            values[field.name] = field.metadata["parse"](text)
        except ValueError as expected:
            refuse(f"{name} must be {expected}" + ("" if field.metadata["secret"] else f", not {text!r}"))
    settings = Settings(**values)
    if settings.dyno:  # there, the network to the database is shared with others
        settings = dataclasses.replace(settings, database_url=with_tls(settings.database_url))
    if lack := missing_for_providers(
        settings.facebook_app_id, settings.facebook_app_secret, settings.oidc, settings.public_url, settings.address
    ):
        refuse(lack)
    if not settings.passwords and not (settings.facebook_app_id or settings.oidc):
        refuse("PASSWORDS=off takes a provider of logins, FACEBOOK_APP_ID or OIDC: nobody could sign in")
    varying = {name.strip().lower() for name in settings.varying_headers.split(",")}
    for name, header in ("CLIENT_HEADER", settings.client_header), ("SCHEME_HEADER", settings.trusted_scheme_header):
        if header.partition(":")[0].lower() in varying - {""}:
            refuse(f"{name} can't be one of VARYING_HEADERS: those must not say who is asking, or how")
    if settings.nodes > 1 and settings.database_url.startswith("sqlite:"):
        refuse(
            f"NODES={settings.nodes} takes PostgreSQL (DATABASE_URL=postgres://…): processes that share a SQLite file "
            "wait for each other's writes, and learn of each other's posts only by looking; docs/scale.md tells more"
        )
    if settings.backup_dir and not settings.database_url.startswith("sqlite:"):
        refuse("BACKUP_DIR takes copies of a SQLite file; PostgreSQL has its own tool for that: pg_dump")
    return settings


KNOWN = [*(field.name.upper() for field in dataclasses.fields(Settings)), "DATABASE_URL_TO"]
"""Names that a variable or a line of a file may have; the last one is for `bin/admin move`."""


def variables(file: str | None) -> tuple[Mapping[str, str], list[Oddity]]:
    """Returns the environment, overridden by the file, and what is odd in both. A bad file ends the program with 2."""
    odd = list(odd_variables(os.environ, KNOWN))
    if file is None:
        return os.environ, odd
    try:
        with open(file, encoding="utf-8") as opened:
            text = opened.read()
    except OSError as error:
        refuse(f"the settings in {file} can't be read: {error.strerror}")
    except UnicodeDecodeError:
        refuse(f"the settings in {file} can't be read: it is not text in UTF-8")
    odd += [Oddity(f"{file}: line {n} has no effect: it is not NAME=value", True) for n in ignored_lines(text)]
    found = parse_file(text)
    return {**os.environ, **found}, [*odd, *odd_names(file, found, KNOWN)]


def inherited_descriptors(environ: Mapping[str, str] = os.environ) -> list[int]:
    """Returns descriptors of listening sockets that systemd's socket activation has handed over (sd_listen_fds(3))."""
    if environ.get("LISTEN_PID") != str(os.getpid()) or not environ.get("LISTEN_FDS", "").isdecimal():
        return []
    return [3 + number for number in range(int(environ["LISTEN_FDS"]))]


def inherited_place(environ: Mapping[str, str] = os.environ) -> str:
    """Returns the path of this node's socket for the other nodes, from net/handover.py; "" for a single server."""
    return environ.get("LONGBOARD_NODE", "") if environ.get("LISTEN_PID") == str(os.getpid()) else ""
