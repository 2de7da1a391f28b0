"""What is brought in is as strict as what is posted: whatever passes can be kept, shown and searched on both engines."""

import argparse
import asyncio
import json
import sqlite3

import pytest

from admin.exchange import bring_in, export
from admin.rows import CHECKS, checked
from board.text import BODY_MAX
from board.wire import LAST_MS, iso
from settings import Settings, read_settings
from storage import open_storage, open_transfer
from storage.boards import BoardChange
from storage.errors import SlugTakenError, StorageError
from storage.records import GUEST, OPERATOR, Asker
from storage.tables import EXPORTED
from storage.transfer import RowRefusedError
from tests.storage.test_move import run
from tests.support.admin import admin

HASH = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$aGFzaA"
PNG = {"base64": "iVBORw0KGgo="}
ROWS = {
    "accounts": {"id": 1, "username": "ada", "name": "Ada", "role": "member", "password": HASH, "tutorial_name": None,
                 "created_at": 5, "suspended_at": None},
    "identities": {"id": 1, "account_id": 1, "app_id": "1", "facebook_id": "2", "name": "Ada", "picture_kind": "image/png",
                   "picture": PNG, "created_at": 5},
    "messages": {"id": 1, "seq": 1, "author_id": 1, "author_name": "Ada", "body": "words", "created_at": 5,
                 "edited_at": None, "key": "k" * 22, "fingerprint": {"base64": "AAAA"}, "address": "192.0.2.1"},
    "blocks": {"address": "192.0.2.1", "until": 5},
    "erasures": {"code": "code", "at": 5},
    "suspensions": {"salt": {"base64": "AAAA"}, "identity_hash": {"base64": "AAAA"}, "username_hash": {"base64": "AAAA"},
                    "until": 5},
    "audit": {"id": 1, "at": 5, "actor_id": None, "actor_name": "board", "action": "delete", "target": "message 1"},
    "boards": {"id": 2, "slug": "rowing", "name": "Rowing", "about": "", "rules": "",
               "read_by": "members", "write_by": "members", "owner_id": 1, "created_at": 5, "archived_at": None,
               "deleted_at": None, "floor": 1, "changed": 1},
    "slugs": {"slug": "rowing", "board_id": 2, "ended": False},
    "invitations": {"id": 1, "board_id": 2, "account_id": 1, "at": 5},
    "marks": {"id": 1, "board_id": 2, "account_id": 1, "last_read": 8},
    "posts": {"id": 8, "seq": 8, "board_id": 2, "author_id": 1, "author_name": "Ada", "body": "words elsewhere",
              "created_at": 5, "edited_at": None, "key": "k" * 22, "fingerprint": {"base64": "AAAA"},
              "address": "192.0.2.1"},
    "reactions": {"id": 1, "message_id": 8, "account_id": 1, "kind": "heart", "created_at": 5},
}  # fmt: skip


@pytest.fixture
def url(empty_url):
    """Without a board: it is made in the test."""
    return empty_url


def lines(changes=(), more=(), seq=9):
    """An export with a row of everything in a line of its own, changed: (table, column, value)."""
    rows = {table: dict(row) for table, row in ROWS.items()}
    for table, column, value in changes:
        rows[table][column] = value
    head = {"longboard": 3, "seq": seq, "floor": 0, "last": {}, "counts": {}}
    listed = [*({table: rows[table]} for table in EXPORTED), *more]
    return "".join(json.dumps(line) + "\n" for line in [head, *listed, {"end": len(listed)}])


async def import_into(url, text, tmp_path):
    file = tmp_path / "export.jsonl"
    file.write_text(text)
    await bring_in(read_settings([f"--database-url={url}"], {}), argparse.Namespace(file=str(file)))


def line_of(table):
    return list(EXPORTED).index(table) + 2


async def test_what_a_board_exports_is_brought_in(url, tmp_path):
    """A row of everything: so the tests below refuse for one reason each."""
    await import_into(url, lines(), tmp_path)
    storage = await open_storage(url)
    assert (await storage.message(1, GUEST)).body == "words"
    assert (await storage.identity("facebook", "1", "2")).provider == "facebook", "exports of older versions name none"
    await storage.close()


REFUSED = [
    *(("messages", column, value) for column in ("created_at", "edited_at") for value in (-1, 253402300800000, 1764155333000000, "x", 1.5, True)),
    *(("messages", column, value) for column in ("id", "seq") for value in (0, -1, 10**18, 2**63 - 1, None, "1")),
    *(("messages", "body", value) for value in ("nul\0", "", " \n ", "x" * (BODY_MAX + 1), 7, PNG)),
    *(("messages", "author_name", value) for value in ("\0", "", "x" * 51, "\u202e")), ("messages", "author_id", 0),
    *(("messages", "pinned_at", value) for value in (-1, True, "now")), ("messages", "key", "😀"), ("messages", "key", "x" * 101), ("messages", "address", "two words"),
    ("messages", "address", "x" * 65), ("messages", "fingerprint", "text"), ("messages", "fingerprint", {"base64": "A" * 400}),
    *(("accounts", "username", value) for value in ("Ada", "ada ", "ad", "a" * 33, "ада", "", None)),
    *(("accounts", "name", value) for value in ("", "\u2066", "x" * 51, None)), ("accounts", "role", "owner"),
    *(("accounts", "password", value) for value in ("plain", HASH.replace("19456", "999999"), HASH.replace("t=2", "t=99"), "$2b$12$x")),
    ("accounts", "tutorial_name", "\0"), ("accounts", "created_at", None), ("accounts", "suspended_at", 10**15),
    *(("identities", column, value) for column in ("app_id", "facebook_id") for value in ("", "zwei Wörter", "x" * 256, 1, None)),
    ("identities", "provider", "Face book"), ("identities", "provider", None), ("identities", "picture_kind", "text/html"),
    ("identities", "picture", {"base64": "PHNjcmlwdD4="}), ("identities", "picture", None), ("identities", "picture_kind", None),
    ("blocks", "address", None), ("blocks", "until", 2**62), ("erasures", "code", ""), ("erasures", "at", -5),
    ("suspensions", "salt", {"base64": ""}), ("suspensions", "username_hash", None), ("suspensions", "until", -1),
    *(("boards", "slug", value) for value in ("", "Rowing", "-rowing", "rowing-", "r" * 41, "ｒowing", "\u212ayoto", "a b", None)),
    ("boards", "id", 1), ("boards", "read_by", "all"), ("boards", "write_by", "everyone"), ("boards", "reading_order", "random"),
    ("boards", "rules", "x" * 1001), ("slugs", "slug", "../x"), ("slugs", "ended", "no"),
    *((table, "board_id", 3) for table in ("slugs", "invitations", "posts", "marks")), ("posts", "board_id", 1), ("posts", "body", ""), ("audit", "board_id", 3),
    ("boards", "slug", "diving"), *(("boards", column, value) for column in ("floor", "changed") for value in (0, None)),
    *(("reactions", "kind", value) for value in ("👍", "", "hearts", None)), ("reactions", "message_id", 0), ("reactions", "created_at", -1),
    ("audit", "actor_name", "\0"), ("audit", "action", "\0"), ("audit", "target", "x" * 1001), ("audit", "actor_id", -1),
]  # fmt: skip


@pytest.mark.parametrize(("table", "column", "value"), REFUSED)
async def test_what_could_not_be_kept_or_shown_is_refused_with_its_line(tmp_path, table, column, value):
    """Before anything is written; the line and the column are named."""
    with pytest.raises(StorageError, match=f"line {line_of(table)}: .*({column}|picture|no row|no board)"):
        await import_into(f"sqlite:///{tmp_path}/board.db", lines([(table, column, value)]), tmp_path)
    assert not (tmp_path / "board.db").exists()


async def test_what_contradicts_the_first_line_or_itself_is_refused(tmp_path):
    """A change beyond the last one would be given again; no message changes before it is posted."""
    url = f"sqlite:///{tmp_path}/board.db"
    with pytest.raises(StorageError, match=r"line 4: .*after the last"):
        await import_into(url, lines([("messages", "seq", 10)]), tmp_path)
    with pytest.raises(StorageError, match=r"line 4: seq"):
        await import_into(url, lines([("messages", "id", 3)]), tmp_path)
    for column in ("floor", "changed"):
        with pytest.raises(StorageError, match=rf"line {line_of('boards')}: .*after the last"):
            await import_into(url, lines([("boards", column, 10)]), tmp_path)


@pytest.mark.parametrize(
    ("table", "changes", "words"),
    [
        *((table, {}, f"{EXPORTED[table].key} of {table} are those") for table in EXPORTED if table != "posts"),
        ("accounts", {"id": 2}, "username of accounts"), ("messages", {"id": 2, "seq": 10, "key": None}, "seq of messages"),
        ("messages", {"id": 2, "seq": 3}, "author_id and key of messages"),
        ("posts", {"id": 1, "seq": 9, "key": None}, "id of messages"),
        ("posts", {"id": 9, "seq": 10, "key": None}, "seq of messages"), ("posts", {"id": 9, "seq": 9}, "author_id and key and board_id"),
        ("boards", {"id": 3}, "slug of boards"), ("invitations", {"id": 2}, "board_id and account_id of invitations"),
        ("marks", {"id": 2}, "board_id and account_id of marks"),
        ("reactions", {"id": 2}, "message_id and account_id and kind of reactions"),
        ("identities", {"id": 2, "facebook_id": "9"}, "account_id and provider of identities"),
        ("identities", {"id": 2, "account_id": 2}, "app_id and facebook_id of identities"),
    ],
)  # fmt: skip
async def test_what_two_rows_can_not_both_have_is_refused_with_both_lines(tmp_path, table, changes, words):
    """Before anything is written, however far apart they are."""
    others = [{"messages": {**ROWS["messages"], "id": n, "seq": n, "key": None}} for n in range(10, 20)]
    text = lines(more=[*others, {table: {**ROWS[table], **changes}}], seq=20)
    line = len(EXPORTED) + len(others) + 2
    first = len(EXPORTED) + 2 if "seq of" in words else line_of("messages" if "id of messages" in words else table)
    with pytest.raises(StorageError, match=f"line {line}: {words}.* line {first}$"):
        await import_into(f"sqlite:///{tmp_path}/board.db", text, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["export.jsonl"]


FORMAT_1 = """\
{"longboard": 1, "exported_at": "then", "seq": 9, "floor": 0, "last": {"accounts": 1, "identities": 1, "audit": 1}, \
"counts": {"accounts": 1, "identities": 1, "messages": 1, "blocks": 1, "erasures": 1, "suspensions": 1, "audit": 1}}
{"accounts": {"id": 1, "username": "ada", "name": "Ada", "role": "member", "password": "HASH", "tutorial_name": null, \
"created_at": 5, "suspended_at": null, "password_at": null}}
{"identities": {"id": 1, "account_id": 1, "app_id": "1", "facebook_id": "2", "name": "Ada", "picture_kind": "image/png", \
"picture": {"base64": "iVBORw0KGgo="}, "created_at": 5, "notice_at": null, "provider": "facebook"}}
{"messages": {"id": 1, "seq": 1, "author_id": 1, "author_name": "Ada", "body": "words", "created_at": 5, \
"edited_at": null, "key": "kkkkkkkkkkkkkkkkkkkkkk", "fingerprint": {"base64": "AAAA"}, "address": "192.0.2.1"}}
{"blocks": {"address": "192.0.2.1", "until": 5}}
{"erasures": {"code": "code", "at": 5}}
{"suspensions": {"salt": {"base64": "AAAA"}, "identity_hash": {"base64": "AAAA"}, "username_hash": {"base64": "AAAA"}, \
"until": 5}}
{"audit": {"id": 1, "at": 5, "actor_id": null, "actor_name": "board", "action": "delete", "target": "message 1"}}
{"end": 7}
""".replace("HASH", HASH)


async def test_a_site_with_one_board_exports_as_the_last_release_does(url, tmp_path, monkeypatch):
    """Byte for byte, so that this one reads it."""
    monkeypatch.setattr("admin.exchange.iso", lambda _: "then")
    await import_into(url, FORMAT_1, tmp_path)
    assert await exported(url, tmp_path) == FORMAT_1


async def exported(url, tmp_path):
    file = tmp_path / "out.jsonl"
    await export(read_settings([f"--database-url={url}"], {}), argparse.Namespace(file=str(file)))
    return file.read_text()


async def test_a_site_with_boards_exports_them(url, tmp_path):
    """In format 3 if there are reactions, else in 2, which older versions refuse; and what a node has kept of boards is read
    again.
    """
    await import_into(url, lines(), tmp_path)
    storage = await open_storage(url)
    assert (await storage.log_after(0, 1)).head.boards == 1
    with pytest.raises(SlugTakenError):
        await storage.create_board(None, "rowing", "Rowing")
    assert (await storage.message(8, OPERATOR)).reactions == (("heart", 1),)
    await storage.close()
    text = await exported(url, tmp_path)
    assert text.startswith('{"longboard": 3,') and '"board_id": null' in text
    await import_into(f"sqlite:///{tmp_path}/other.db", text, tmp_path)
    (again := tmp_path / "again").mkdir()
    assert (await exported(f"sqlite:///{tmp_path}/other.db", again)).splitlines()[1:] == text.splitlines()[1:]
    storage = await open_storage(url)
    await storage.withdraw(8, "heart", Asker(1))
    await storage.close()
    (without := tmp_path / "without").mkdir()
    text = await exported(url, without)
    assert text.startswith('{"longboard": 2,') and "reactions" not in text


async def test_a_board_comes_with_its_order(url, tmp_path):
    """In format 3, also without reactions; of an older format, with the newest message first."""
    await import_into(url, lines(), tmp_path)
    storage = await open_storage(url)
    assert (await storage.board("rowing", OPERATOR)).order == "newest"
    await storage.withdraw(8, "heart", Asker(1))
    await storage.set_board(None, 2, BoardChange(order="oldest"))
    await storage.close()
    text = await exported(url, tmp_path)
    assert text.startswith('{"longboard": 3,')
    await import_into(f"sqlite:///{tmp_path}/other.db", text, tmp_path)
    storage = await open_storage(f"sqlite:///{tmp_path}/other.db")
    assert (await storage.board("rowing", OPERATOR)).order == "oldest"
    await storage.close()


@pytest.mark.parametrize("table", ["messages", "posts"])
async def test_rows_come_in_with_as_many_statements_as_ever(url, tmp_path, table):
    """Two for each, and one for a chunk that looks for their numbers among the messages of other boards."""
    await import_into(url, lines(), tmp_path)
    transfer = await open_transfer(url, create=False)
    row = tuple(
        checked(
            table, {**ROWS[table], "fingerprint": None, "reply_to": None, "mentions": None, "pinned_at": None}
        ).values()
    )
    transfer.tx = counting = Counting(transfer.tx)
    places = {name: place for place, name in enumerate(EXPORTED[table].names)}
    rows = [[n if places[name] in (0, 1) else None if name == "key" else row[places[name]] for name in places]
            for n in range(20, 70)]  # fmt: skip
    assert await transfer.put(table, [tuple(row) for row in rows]) == 50
    assert counting.count <= 101
    with pytest.raises(RowRefusedError, match="another row"):
        await transfer.put("posts" if table == "messages" else "messages", [other_row(table, 20)])
    await transfer.aclose()


def other_row(table, number):
    """A row of the other table of messages with this number."""
    other = "posts" if table == "messages" else "messages"
    return tuple(
        checked(
            other,
            {
                **ROWS[other],
                "id": number,
                "seq": number,
                "fingerprint": None,
                "key": None,
                "reply_to": None,
                "mentions": None,
                "pinned_at": None,
            },
        ).values()
    )


class Counting:
    """A transaction that counts statements."""

    def __init__(self, tx):
        self._tx = tx
        self.count = 0

    def __getattr__(self, name):
        self.count += 1
        return getattr(self._tx, name)


async def test_guests_share_their_keys_and_nobody_else_does(url, tmp_path):
    """As posting has it: so a board's own export is never refused."""
    message = {**ROWS["messages"], "id": 2, "seq": 2, "author_id": None}
    await import_into(url, lines(more=[{"messages": message}, {"messages": {**message, "id": 3, "seq": 3, "key": None}},
                                       {"messages": {**message, "id": 4, "seq": 4, "key": None}}]), tmp_path)  # fmt: skip
    doubled = [{"messages": message}, {"messages": {**message, "id": 3, "seq": 3}}]
    with pytest.raises(StorageError, match="author_id and key of messages"):
        await import_into(url, lines(more=doubled), tmp_path)


async def test_what_the_board_can_not_take_is_refused_with_the_line_and_what_stays(url, tmp_path):
    """Only the database knows this; the rows of the parts before it are there, and all comes when the file is mended."""
    more = [{"blocks": {"address": f"192.0.2.{n}", "until": 5}} for n in range(2, 9)]
    orphan = {"identities": {**ROWS["identities"], "id": 2, "facebook_id": "9", "account_id": 77}}
    words = f"line {len(EXPORTED) + len(more) + 2}: this board can't take it.*[Ff](OREIGN KEY|oreign key).*before it stays: {len(ROWS) + len(more)} rows"
    with pytest.raises(StorageError, match=words):
        await import_into(url, lines(more=[*more, orphan]), tmp_path)
    await import_into(url, lines(more=more), tmp_path)
    unknown = {"reactions": {**ROWS["reactions"], "id": 2, "message_id": 7}}
    with pytest.raises(StorageError, match="this board can't take it: there is no such message"):
        await import_into(url, lines(more=[unknown]), tmp_path)


async def test_text_comes_as_posting_would_leave_it(url, tmp_path):
    """Line ends, controls and bidi overrides; and once more brings nothing new."""
    changes = [("messages", "body", "\n\r\none\r\ntwo\u202e\x1b \n"), ("accounts", "name", " Ada \u2066 L ")]
    await import_into(url, lines(changes), tmp_path)
    await import_into(url, lines(changes), tmp_path)
    storage = await open_storage(url)
    assert (await storage.message(1, GUEST)).body == "one\ntwo"
    assert (await storage.account("ada")).name == "Ada L"
    await storage.close()


async def test_numbers_go_on_after_the_highest_that_came(url, tmp_path):
    """Also where the first line doesn't say so: no account's number is given to somebody else."""
    from storage.records import Password

    await import_into(
        url,
        lines(
            [
                ("accounts", "id", 41),
                ("identities", "account_id", 41),
                ("messages", "author_id", 41),
                ("boards", "owner_id", 41),
                ("invitations", "account_id", 41),
                ("marks", "account_id", 41),
                ("reactions", "account_id", 41),
            ]
        ),
        tmp_path,
    )
    storage = await open_storage(url)
    assert (await storage.create_account("next", "Next", Password(None))).id == 42
    assert (await storage.append(None, "next", None))[0].id == 10
    await storage.close()


async def test_a_board_comes_with_its_pinned_message_and_not_with_two(url, tmp_path):
    """In format 3, also without replies and reactions. A deleted one may have its mark still, from an older node."""
    pins = [("messages", "pinned_at", 7), ("posts", "pinned_at", 7)]
    for table in ("messages", "posts"):
        second = {**ROWS[table], "id": 9, "seq": 9, "key": None, "pinned_at": 8}
        with pytest.raises(
            StorageError, match=f"row 9 in {table} is pinned, and so is message [18] of its board. Unpin that one first"
        ):
            await import_into(url, lines(pins, more=[{table: second}]), tmp_path)
    await import_into(url, lines(pins, more=[{table: {**second, "body": None}}]), tmp_path)
    storage = await open_storage(url)
    assert [(await storage.message(id, OPERATOR)).is_pinned for id in (1, 8)] == [True, True]
    await storage.withdraw(8, "heart", Asker(1))
    await storage.close()
    text = await exported(url, tmp_path)
    assert text.startswith('{"longboard": 3,') and text.count('"pinned_at": 7') == 2


async def test_a_line_without_end_is_refused(tmp_path, monkeypatch):
    """Before it fills the memory."""
    monkeypatch.setattr("admin.lines.LONGEST_LINE", 10_000)
    with pytest.raises(StorageError, match="line 4 is longer"):
        await import_into(f"sqlite:///{tmp_path}/board.db", lines([("messages", "body", "x" * 20_000)]), tmp_path)


def test_every_column_has_its_rule():
    """A new one can't come in by the side door; and no message can be longer than one that may be posted."""
    assert {column.kind for table in EXPORTED.values() for column in table.columns} == CHECKS.keys()
    parse = Settings.__dataclass_fields__["message_length"].metadata["parse"]
    assert parse(str(BODY_MAX)) == BODY_MAX
    with pytest.raises(ValueError, match="whole number"):
        parse(str(BODY_MAX + 1))


# --- what is there from before, and other doors


def test_a_time_that_no_calendar_has_is_shown_as_the_nearest(start, new_database):
    """An import of old may have brought one: the board is served all the same."""
    server = start()
    server.post("first")
    db = sqlite3.connect(server.database)
    db.execute("UPDATE messages SET created_at = 1764155333000000, edited_at = -5, seq = 2")
    db.execute("UPDATE board SET seq = 2")
    db.commit()
    db.close()
    server.stop()
    server.start()
    assert server.get("/api/v1/messages").json()["messages"][0]["created_at"][:19] == iso(LAST_MS)[:19]
    for path in ("/", "/feed.atom", "/m/1", "/get?t=0", "/search?q=first"):
        assert server.get(path).status_code == 200, path
    assert server.stop() == 0 and "Traceback" not in server.log.read_text()


async def test_a_nul_in_an_old_board_does_not_keep_it_from_moving(tmp_path, new_database, capsys):
    """SQLite keeps one, PostgreSQL does not: it comes without."""
    source, target = f"sqlite:///{tmp_path}/board.db", new_database()
    storage = await open_storage(source)
    await storage.append(None, "words", None)
    await storage.close()
    db = sqlite3.connect(tmp_path / "board.db")
    db.execute("UPDATE messages SET body = 'nul' || char(0) || '!'")
    db.commit()
    db.close()
    await run(source, target)
    storage = await open_storage(target)
    assert (await storage.message(1, GUEST)).body == "nul!"
    await storage.close()


def test_a_tutorial_brings_nothing_that_could_not_be_kept(tmp_path, url):
    """Messages beyond all measure and users whose names are no text are left out and named; all others come."""
    db = sqlite3.connect(tmp_path / "data.db")
    db.execute("CREATE TABLE messages (msg_content TEXT, msg_time INTEGER)")
    db.execute("CREATE TABLE users (uusr TEXT, upwd TEXT)")
    db.executemany(
        "INSERT INTO messages VALUES (?, ?)", [("a", 10**15), ("x" * (BODY_MAX + 1), 5), ("b", -1), ("c", 10**17)]
    )
    users = [("nul\0name", "0" * 40), ("x" * 5000, "0" * 40), (None, "0" * 40), ("ada", "0" * 40), (b"\xff", "0" * 40)]
    db.executemany("INSERT INTO users VALUES (?, ?)", users)
    db.commit()
    db.close()
    admin(f"--database-url={url}", "migrate")
    for new in (True, False):
        said = admin(f"--database-url={url}", "import-tutorial", tmp_path / "data.db").stdout
        assert (
            f"{3 * new} messages brought in; {3 * (not new)} were here already" in said and "message of row 2" in said
        )
        assert (
            f"{'1 user' if new else '0 users'} brought in, of 5" in said
            and said.count("is left out: that is not a name") == 4
        )
    assert asyncio.run(times(url)) == sorted(asyncio.run(times(url)))


async def times(url):
    storage = await open_storage(url)
    found = [message.created_at for message in (await storage.before(None, 9)).messages]
    await storage.close()
    assert len(found) == 3 and max(found) < LAST_MS
    return found
