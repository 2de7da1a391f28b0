"""Input from people who run a board: settings, files of settings, addresses of databases, and exports to import."""

import contextlib
import io
import json
import random

from admin.lines import to_row
from admin.rows import checked
from board.wire import iso
from fuzz.generate import octets, text
from setting_files import NAME
from setting_files import parse as parse_file
from settings import Settings, read_settings
from storage.errors import CannotOpenError, StorageError
from storage.postgres.address import parse as parse_address_of_database


def settings(rng: random.Random) -> None:
    """The result is settings, or an exit with 2 and one line, whatever is in the environment."""
    name = rng.choice([name.upper() for name in Settings.__dataclass_fields__])
    seeds = (
        "8080",
        "127.0.0.1",
        "sqlite:///board.db",
        "postgresql://a@b/c",
        "https://board.example.org",
        "on",
        "members",
        "X-Forwarded-For:2",
    )
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        try:
            read_settings([], {name: text(rng, seeds)})
        except SystemExit as end:
            assert end.code == 2 and said.getvalue().count("\n") == 1, said.getvalue()


def database_addresses(rng: random.Random) -> None:
    """The result is an address, or a refusal in words; neither shows what may be the password."""
    password = "p4ssw0rd" + text(rng, ("", "x", "%2F", "a%40b"))
    seeds = (
        f"postgres://board:{password}@db.example.org:5432/board?sslmode=require&channel_binding=require",
        f"postgres://board:{password}@one,two:5433/d?connect_timeout=15&pgbouncer=true&application_name=us",
        f"postgresql://board:{password}@/d?host=/cloudsql/project:region:name&options=-c%20a%3Db",
        f"postgres://[::1]:5432/d?user=board&password={password}&ssl=true",
    )
    url = "postgres://" + text(rng, seeds).partition("://")[2]
    try:
        address = parse_address_of_database(url)
    except CannotOpenError as error:
        assert "p4ss" not in str(error), str(error)
    else:
        assert "p4ss" not in repr(address) or "p4ss" in str(address.session) + url.rpartition("@")[2], repr(address)


def import_lines(rng: random.Random) -> None:
    """The result is a row, or a refusal that names the line. Accepted rows can be shown and stored, and pass again
    unchanged.
    """
    seeds = (
        '{"messages": {"id": 3, "seq": 5, "reply_to": 1, "author_id": null, "author_name": "Ada", "body": "words", "created_at": 5, '
        '"edited_at": 9, "key": "kkkkkkkkkkkkkkkkkkkkkk", "fingerprint": {"base64": "AAAA"}, "address": "::1"}}',
        '{"accounts": {"id": 1, "username": "ada", "name": "Ada", "role": "member", "password": null, '
        '"tutorial_name": "Ada", "created_at": 5, "suspended_at": 7}}',
        '{"blocks": {"address": "192.0.2.1", "until": 253402300799999}}',
    )
    try:
        fields = json.loads(octets(rng, seeds))
        if not isinstance(fields, dict):
            return
        table, row = to_row("file", 7, fields)
    except (ValueError, RecursionError):  # from JSON; lines() reports it
        return
    except StorageError as error:
        assert "line 7" in str(error)
        return
    assert checked(table, row) == row
    for column, value in row.items():
        if isinstance(value, str):
            assert "\0" not in value
            value.encode()
        elif isinstance(value, int):
            assert 0 <= value < 10**18
            assert len(iso(value)) == 24 or not column.endswith(("_at", "until"))


def files(rng: random.Random) -> None:
    seeds = ("TITLE=Our Board", "A='x'\"y\" z\\\nB=1", "# no=te\n C = \\", 'D="a\\"b\nc"', ";\n=\n'=\"\n")
    values = parse_file(text(rng, seeds))
    assert all(NAME.fullmatch(name) for name in values)
    plain = {name: value for name, value in values.items() if value and "'" not in value}
    assert parse_file("".join(f"{name}='{value}'\n" for name, value in plain.items())) == plain
