"""Two releases on one database: servers of the last one go on beside the next, and after a return to it.

Both are copies of this source tree: the next one has another version, and migrations on top of ours.
"""

import asyncio
import concurrent.futures
import contextlib
import re
import shutil
import sqlite3
import subprocess
import sys
import threading
import uuid

import asyncpg
import pytest

from storage.migrate import FOLDER, migrations
from tests.support.patience import PATIENCE
from tests.support.people import PASSWORD, Person, client, refused
from tests.support.postgres import psql
from tests.support.server import ROOT, Server, environment, until
from version import VERSION

NEXT = "77.0.0"


@pytest.fixture
def url(empty_url):
    """Without a board: it is made in the test."""
    return empty_url


def added(engine, number):
    """The next release keeps more, in every table."""
    tables = sorted(set(re.findall(r"CREATE TABLE (\w+)", "".join(one.sql for one in migrations(engine)))))
    assert {"accounts", "board", "messages"} < set(tables)
    return "".join(f"ALTER TABLE {name} ADD COLUMN added_by_the_next text DEFAULT 'x';\n" for name in tables)


def taken(engine, number):
    """The release after it takes away what the last one uses."""
    return f"ALTER TABLE accounts RENAME COLUMN name TO shown_name;\nUPDATE board SET compatible = {number};"


class Tree:
    """A copy of our source: a release with a version and with more migrations, the same ones on both engines."""

    def __init__(self, folder, version, *more):
        self.folder = folder
        folder.mkdir()
        for path in ROOT.glob("*.py"):
            shutil.copy(path, folder)
        for name in ("admin", "board", "handlers", "locale", "net", "static", "storage", "templates"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "version.py").write_text(f'VERSION = "{version}"\n')
        for engine in ("sqlite", "postgres"):
            for number, sql in enumerate(more, len(migrations(engine)) + 1):
                path = folder / FOLDER.relative_to(ROOT) / engine / f"{number:04}_more.sql"
                path.write_text(sql(engine, number))

    def admin(self, url, *arguments, check=0):
        run = subprocess.run(
            [sys.executable, "-m", "admin", f"--database-url={url}", *map(str, arguments)], cwd=self.folder,
            capture_output=True, text=True, timeout=PATIENCE, env=environment(PYTHONPATH=str(self.folder)),
        )  # fmt: skip
        assert run.returncode == check, run.stdout + run.stderr
        return run


@pytest.fixture(scope="session")
def releases(tmp_path_factory):
    """The last release, the next, which only adds, and the one after it, which takes away what the last one uses."""
    folder = tmp_path_factory.mktemp("releases")
    return (
        Tree(folder / "last", VERSION),
        Tree(folder / "next", NEXT, added),
        Tree(folder / "after", "78.0.0", added, taken),
    )


@pytest.fixture
def run_release(tmp_path):
    """Starts a server of a release on a database."""
    with contextlib.ExitStack() as stack:

        def run_release(tree, url):
            folder = tmp_path / f"node{len(list(tmp_path.iterdir()))}"
            folder.mkdir()
            kind = type("Release", (Server,), {"under": (), "program": tree.folder / "server.py"})
            server = kind(folder, database_url=url)
            stack.callback(lambda: server.process.poll() is None and server.kill())
            return server

        yield run_release


def sound(server):
    """Ends it; nothing may have gone wrong in it."""
    assert server.stop() == 0
    log = server.log.read_text()
    assert "Traceback" not in log and "ERROR" not in log, log
    return log


def walk(server, tree):
    """Does what reads and writes every table: nothing may fail."""
    url = server.settings["database_url"]
    ada, bob = Person(server), Person(server)
    tree.admin(url, "promote", ada.username)
    key = uuid.uuid4().hex
    posted = [bob.api.post("/api/v1/messages", json={"body": "low tide at six", "key": key}) for _ in range(2)]
    assert [answer.status_code for answer in posted] == [201, 200] and posted[0].json() == posted[1].json()
    path = f"/api/v1/messages/{posted[0].json()['id']}"
    assert bob.api.patch(path, json={"body": "high tide at noon"}).status_code == 200
    found = server.get("/api/v1/search", params={"q": "high tide at noon"}).json()["messages"]
    assert posted[0].json()["id"] in [message["id"] for message in found]
    bot = bob.api.post("/api/v1/tokens", json={"name": "bot", "password": PASSWORD}).json()["token"]
    assert client(server, bot).post("/api/v1/messages", json={"body": "from a bot"}).status_code == 201
    browser = bob.browser()
    for address in ("/", "/account", "/account/download", "/feed.atom", f"/m/{posted[0].json()['id']}"):
        assert browser.get(address).status_code == 200, address
    assert server.post("from a guest").status_code == 201
    assert ada.api.delete(path).status_code == 204
    assert server.client.post("/api/v1/signin", json={"username": bob.username, "password": "x"}).status_code == 401
    tree.admin(url, "suspend", bob.username)
    until(lambda: bob.api.get("/api/v1/me").status_code == 401)
    assert ada.browser().get("/audit").status_code == 200
    assert server.get("/readyz").status_code == 200 and server.get("/").status_code == 200


def keep_posting(person, stop):
    """Posts until it is told to stop; the status of each answer."""
    statuses = []
    while not stop.is_set():
        statuses.append(person.api.post("/api/v1/messages", json={"body": "all the time"}).status_code)
    return statuses


def test_a_node_of_the_last_release_goes_on_beside_new_ones(releases, run_release, new_database):
    """As a host does it: the database is migrated while the old node serves, and both serve until the old one ends."""
    last, following, _ = releases
    url = new_database()
    old, stop = run_release(last, url), threading.Event()
    people = [Person(old) for _ in range(3)]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        posts = [pool.submit(keep_posting, person, stop) for person in people]
        try:
            until(lambda: old.get("/api/v1/messages").json()["messages"])
            following.admin(url, "migrate")
            migrated = old.cursor
            until(lambda: old.cursor != migrated)
        finally:
            stop.set()
        assert {status for statuses in posts for status in statuses.result()} == {201}
        new = run_release(following, url)
        assert (old.health()["version"], new.health()["version"]) == (VERSION, NEXT)
        until(lambda: old.cursor == new.cursor)
        cursor = old.cursor
        parked = [pool.submit(node.news, cursor, 20) for node in (old, new)]
        for node in (old, new):
            node.until_parked(1)
        posted = old.post("to both").json()
        assert [reply.result()["messages"] for reply in parked] == [[posted], [posted]]
        reply = pool.submit(old.news, old.cursor, 20)
        old.until_parked(1)
        posted = new.post("to both").json()
        assert reply.result()["messages"] == [posted]
    walk(old, last)
    walk(new, following)
    sound(new)
    sound(old)


def test_a_right_that_ends_on_a_new_node_ends_on_an_old_one(releases, run_release, new_database):
    """And the other way round: a poll that is parked with it gets no news."""
    last, following, _ = releases
    url = new_database()
    nodes = run_release(last, url), run_release(following, url)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for one, other in (nodes, nodes[::-1]):
            person = Person(one)
            token = person.api.headers["Authorization"].removeprefix("Bearer ")
            reply = pool.submit(client(other, token).get, f"/api/v1/messages?after={other.cursor}")
            other.until_parked(1)
            assert person.api.post("/api/v1/signout").status_code == 204
            refused(reply.result(), 401, "invalid_token")


def test_the_last_release_starts_on_the_next_one_s_database(releases, run_release, url):
    """A node that a host restarts in between, or an operator who goes back. It says so, and loses nothing."""
    last, following, _ = releases
    new = run_release(following, url)
    kept = new.post("by the next").json()
    sound(new)
    old = run_release(last, url)
    assert old.get("/api/v1/messages").json()["messages"] == [kept]
    walk(old, last)
    doctor = last.admin(url, "doctor")
    assert re.search(r"ok +the schema is number \d+; this Longboard has \d+, and can still use it", doctor.stdout)
    assert last.admin(url, "migrate").stdout.startswith("The database is ready")
    assert "is from a newer Longboard" in sound(old)
    walk(run_release(following, url), following)


def test_what_an_older_release_would_leave_behind_it_does_not_carry(releases, url, tmp_path):
    """An export or a move by it would lack what only the next release knows; a backup has all of the file."""
    last, following, _ = releases
    following.admin(url, "migrate")
    last.admin(url, "stats")
    refusals = [last.admin(url, "export", tmp_path / "export", check=1)]
    if url.startswith("sqlite"):
        last.admin(url, "backup", tmp_path / "backup")
        refusals.append(last.admin(f"sqlite:///{tmp_path}/restored.db", "restore", tmp_path / "backup", check=1))
    for refusal in refusals:
        assert "is from a newer Longboard" in refusal.stderr and "use bin/admin of that Longboard" in refusal.stderr
    assert not (tmp_path / "export").exists() and not (tmp_path / "restored.db").exists()


def test_a_release_is_refused_when_what_it_uses_is_gone(releases, run_release, url):
    """The release after the next says how old a Longboard may be: an older one starts neither server nor command."""
    last, following, after = releases
    following.admin(url, "migrate")
    after.admin(url, "migrate")
    run = subprocess.run(
        [sys.executable, str(last.folder / "server.py"), "--port=0", f"--database-url={url}"],
        capture_output=True, text=True, timeout=PATIENCE, env=environment(),
    )  # fmt: skip
    assert run.returncode == 1 and "newer Longboard" in run.stderr and "update Longboard" in run.stderr
    assert "newer Longboard" in last.admin(url, "stats", check=1).stderr
    doctor = last.admin(url, "doctor", check=1)
    assert re.search(r"PROBLEM the schema is number \d+; this Longboard has \d+, and can't use it", doctor.stdout)


def test_a_newer_board_without_its_row_is_refused_in_words(releases, url):
    """A damaged one: nobody can say which Longboard may use it."""
    last, following, _ = releases
    following.admin(url, "migrate")
    if url.startswith("postgres"):
        psql(url, "DELETE FROM longboard.board")
    else:
        with sqlite3.connect(url.removeprefix("sqlite:///")) as db:
            db.execute("DELETE FROM board")
        db.close()
    for command in ("stats", "doctor"):
        run = last.admin(url, command, check=1)
        assert "newer Longboard" in run.stderr or "can't use it" in run.stdout, run
        assert "Traceback" not in run.stderr


async def test_a_migration_waits_for_its_turn_before_it_takes_a_table(releases, new_database):
    """It would hold one that a post needs, and wait for one that the post has: one of the two would fail."""
    last, following, _ = releases
    url = new_database()
    last.admin(url, "migrate")
    db = await asyncpg.connect(url, server_settings={"search_path": "longboard"})
    async with db.transaction():
        await db.execute("SELECT take_turn()")
        await db.execute("SELECT FROM messages")
        migrating = asyncio.create_task(asyncio.to_thread(following.admin, url, "migrate"))
        await waiting_for("advisory", db)
        await db.execute("SELECT FROM accounts")
    await migrating
    await db.close()


async def waiting_for(kind, db):
    """Returns once somebody waits for such a lock in this database; other tests have databases on the same server."""
    here = "database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    while not await db.fetchval(f"SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = '{kind}' AND {here}"):
        await asyncio.sleep(0.01)


async def test_posts_go_on_while_a_migration_waits_for_a_table(releases, run_release, new_database):
    """An export or a pg_dump has read it, and is not at its end: the migration gives back its turn between tries."""
    last, following, _ = releases
    url = new_database()
    old = run_release(last, url)
    db = await asyncpg.connect(url, server_settings={"search_path": "longboard"})
    async with db.transaction():
        await db.execute("SELECT FROM messages")
        migrating = asyncio.create_task(asyncio.to_thread(following.admin, url, "migrate"))
        for body in ("one", "two"):
            await waiting_for("relation", db)
            await asyncio.to_thread(until, lambda body=body: old.post(body).status_code == 201)
        assert not migrating.done()
    await migrating
    await db.close()
    assert [one["body"] for one in old.get("/api/v1/messages").json()["messages"]] == ["one", "two"]


# --- the rule for migrations


FIRST_TO_KNOW = {"postgres": 6, "sqlite": 8}
"""The first migrations after which a database says which Longboards may use it."""
VALUE = r"(?:\d+|'[^']*'|true|false)"
ADDS = re.compile(
    r"CREATE TABLE .+|CREATE INDEX .+|CREATE FUNCTION .+"
    rf"|ALTER TABLE \w+ ADD COLUMN (?P<new>\w+) \w+(?: DEFAULT {VALUE}| NOT NULL DEFAULT {VALUE}| DEFAULT {VALUE} NOT NULL)?"
    r"(?: CHECK \((?:NOT (?P=new)|(?P=new) = 0) OR \([^()]+\)\))?",  # only of rows that new code has marked
    re.IGNORECASE,
)
"""Statements that only add. Add another kind here if old code doesn't notice it either."""
UNIQUE = re.compile(r"CREATE UNIQUE INDEX \w+ ON (\w+) .+", re.IGNORECASE)
TRIGGER = re.compile(r"CREATE TRIGGER \w+ AFTER [\w ]+? ON (\w+)\b(.*)", re.IGNORECASE)
RAISES = re.compile(r"UPDATE board SET compatible = (\d+)", re.IGNORECASE)


def statements(sql):
    """Without comments and the bodies of functions and triggers, in one line each."""
    sql = re.sub(r"\$\$.*?\$\$|\bBEGIN\n.*?\nEND(?=;)", "''", re.sub(r"--.*", "", sql), flags=re.DOTALL)
    return [" ".join(one.split()) for one in sql.split(";") if one.strip()]


def only_adds(sql):
    new = set(re.findall(r"CREATE TABLE (\w+)", sql, re.IGNORECASE))  # no old code writes there
    columns = re.findall(r"ADD COLUMN (\w+)", sql, re.IGNORECASE)  # nor fills these

    def is_unseen(one):
        if trigger := TRIGGER.fullmatch(one):
            return trigger[1] in new or any(f"OLD.{name} IS NOT NULL" in trigger[2] for name in columns)
        return (unique := UNIQUE.fullmatch(one)) and unique[1] in new

    return all(ADDS.fullmatch(one) or is_unseen(one) for one in statements(sql))


def breaks_the_rule(sql, number, compatible):
    """Whether it takes something away, and leaves `compatible` as it was, or at the number of no schema up to its own."""
    raised = [int(found[1]) for one in statements(sql) if (found := RAISES.fullmatch(one))]
    return not (only_adds(sql) or (raised and compatible < raised[-1] <= number))


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_a_migration_that_takes_something_away_says_who_may_still_use_it(engine):
    """What the last release reads, calls or leaves out stays, or the migration raises `compatible`."""
    compatible = FIRST_TO_KNOW[engine]
    for one in migrations(engine)[compatible:]:
        assert not breaks_the_rule(one.sql, one.number, compatible), one.name
        compatible = max([compatible, *map(int, RAISES.findall(one.sql))])


COLUMN = "ALTER TABLE used ADD COLUMN x text;\n"


@pytest.mark.parametrize(
    ("sql", "breaks"),
    [
        ("CREATE TABLE boards (id bigint PRIMARY KEY, title text NOT NULL UNIQUE);", False),
        ("CREATE TABLE boards (id bigint);\nCREATE UNIQUE INDEX by_id ON boards (id);", False),
        ("CREATE INDEX by_board ON messages (board_id); -- no RENAME; none", False),
        ("CREATE FUNCTION post_to() RETURNS void LANGUAGE sql AS $$ DELETE FROM used; $$;", False),
        ("ALTER TABLE messages ADD COLUMN board_id bigint;", False),
        ("ALTER TABLE messages ADD COLUMN board_id bigint NOT NULL DEFAULT 1;", False),
        ("ALTER TABLE messages ADD COLUMN board_id bigint DEFAULT 1 NOT NULL;", False),
        ("ALTER TABLE messages DROP COLUMN address; UPDATE board SET compatible = 8;", False),
        ("ALTER TABLE messages DROP COLUMN address; UPDATE board SET compatible = 9;", False),
        ("ALTER TABLE messages DROP COLUMN address; UPDATE board SET compatible = 7;", True),
        ("ALTER TABLE messages DROP COLUMN address; UPDATE board SET compatible = 10;", True),
        ("ALTER TABLE messages DROP COLUMN address; -- UPDATE board SET compatible = 9;", True),
        ("ALTER TABLE messages DROP address;", True),
        ("ALTER TABLE messages RENAME TO posts;", True),
        ("ALTER TABLE messages ADD board_id bigint NOT NULL;", True),
        ("ALTER TABLE messages ADD COLUMN board_id bigint NOT NULL;", True),
        ("ALTER TABLE messages ADD COLUMN board_id bigint NOT NULL DEFAULT NULL;", True),
        ("ALTER TABLE messages ADD COLUMN board_id bigint CHECK (board_id > 0);", True),
        ("ALTER TABLE accounts ADD COLUMN bot boolean NOT NULL DEFAULT false CHECK (NOT bot OR (name = 'x'));", False),
        ("ALTER TABLE accounts ADD COLUMN bot boolean NOT NULL DEFAULT false CHECK (NOT new OR (name = 'x'));", True),
        ("ALTER TABLE messages ADD COLUMN board_id bigint DEFAULT 1, DROP COLUMN address;", True),
        ("ALTER TABLE messages ADD FOREIGN KEY (author_id) REFERENCES accounts;", True),
        ("CREATE UNIQUE INDEX by_body ON messages (body);", True),
        ("DROP INDEX identities_by_account;", True),
        ("DROP  TABLE used;", True),
        ("DROP SCHEMA longboard CASCADE;", True),
        ("DELETE FROM used;", True),
        ("CREATE TABLE boards (id bigint);\nCREATE TRIGGER a AFTER INSERT ON boards EXECUTE FUNCTION x();", False),
        ("CREATE TABLE boards (id bigint);\nCREATE TRIGGER a AFTER INSERT ON used EXECUTE FUNCTION x();", True),
        (f"{COLUMN}CREATE TRIGGER a AFTER DELETE ON used WHEN OLD.x IS NOT NULL BEGIN\n DROP y; END\nEND;", False),
        (f"{COLUMN}CREATE TRIGGER a AFTER DELETE ON used WHEN OLD.y IS NOT NULL BEGIN\n SELECT 1;\nEND;", True),
        (f"{COLUMN}CREATE TRIGGER a BEFORE DELETE ON used WHEN (OLD.x IS NOT NULL) EXECUTE FUNCTION x();", True),
        ("CREATE TRIGGER refuse BEFORE INSERT ON messages EXECUTE FUNCTION refuse();", True),
        ("CREATE OR REPLACE FUNCTION post_by() RETURNS void LANGUAGE sql AS $$ $$;", True),
    ],
)
def test_the_rule_for_migrations_knows_what_takes_away(sql, breaks):
    assert breaks_the_rule(sql, 9, 7) is breaks


def test_no_statement_depends_on_a_table_s_last_column():
    """The next release may add one: SQLite refuses an INSERT that doesn't name its columns then."""
    sources = [path.read_text() for path in (ROOT / "storage").rglob("*.py")]
    statements = [
        found for text in sources for found in re.findall(r"INSERT (?:OR \w+ )?INTO [{\w}]+[^\"]{0,30}", text)
    ]
    assert len(statements) > 15
    assert not [one for one in statements if re.search(r"INTO \S+\s+(?:VALUES|SELECT)", one)]
    assert not [text for text in sources if re.search(r"SELECT \* FROM \w+(?!\w*\()", text)]
