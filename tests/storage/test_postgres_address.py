"""PostgreSQL's address: what hosts hand out is taken, what can't be done is refused by its name, and nothing is told."""

import pathlib
import ssl
import subprocess

import pytest

from storage import open_storage
from storage.errors import CannotOpenError
from storage.postgres.address import CHECKED, HONOURED, IMPOSSIBLE, LEFT_OUT, parse
from tests.support.admin import admin
from tests.support.postgres import psql
from tests.support.postgres_proxy import proxy

SECRET = "s3cret"
HANDED_OUT = {
    "Neon": "postgresql://board:p@ep-x-123.eu-central-1.aws.neon.tech/d?sslmode=require&channel_binding=require",
    "Neon, an older one": "postgres://board:p@ep-x-123.neon.tech/d?options=endpoint%3Dep-x-123&sslmode=require",
    "Neon, by Vercel": "postgres://board:p@ep-x-pooler.neon.tech/d?pgbouncer=true&connect_timeout=15&sslmode=require",
    "Supabase": "postgresql://postgres:p@db.x.supabase.co:5432/postgres",
    "Supabase, for Prisma": "postgres://postgres.x:p@aws-0.pooler.supabase.com:6543/d?pgbouncer=true&connection_limit=1",
    "Supabase, by Vercel": "postgres://postgres.x:p@aws-0.pooler.supabase.com:5432/d?sslmode=require&supa=base-pooler.x",
    "Heroku": "postgres://board:p@ec2-1.compute-1.amazonaws.com:5432/d",
    "Heroku, as was advised": "postgres://board:p@ec2-1.compute-1.amazonaws.com:5432/d?sslmode=no-verify",
    "Railway": "postgresql://postgres:p@x.proxy.rlwy.net:12345/railway",
    "Render": "postgresql://board:p@dpg-x-a.frankfurt-postgres.render.com/d",
    "Fly": "postgres://board:p@board-db.flycast:5432/d?sslmode=disable",
    "Aiven": "postgres://avnadmin:p@pg-x.aivencloud.com:12691/defaultdb?sslmode=require",
    "DigitalOcean": "postgresql://doadmin:p@db-x.b.db.ondigitalocean.com:25060/defaultdb?sslmode=require",
    "DigitalOcean, older": "postgresql://doadmin:p@db-x.b.db.ondigitalocean.com:25060/defaultdb?ssl=true",
    "Cloud SQL": "postgres://board:p@/d?host=/cloudsql/project:region:name",
    "Azure": "postgresql://board%40x:p@x.postgres.database.azure.com:5432/d?sslmode=require",
    "Prisma": "postgresql://board:p@localhost:5432/d?schema=public&pool_timeout=10&statement_cache_size=0",
    "libpq": "postgres://board:p@h/d?keepalives=1&keepalives_idle=30&keepalives_interval=5&keepalives_count=3"
    "&tcp_user_timeout=9&gssencmode=disable&target_session_attrs=read-write&application_name=us&sslsni=1",
}


@pytest.mark.parametrize("host", HANDED_OUT)
def test_what_hosts_hand_out_is_taken(host):
    """Pasted as it is: asyncpg is given what it understands, and the server nothing but settings of a session."""
    address = parse(HANDED_OUT[host])
    names = {part.partition("=")[0] for part in address.dsn.partition("?")[2].split("&") if part}
    assert names <= HONOURED
    assert address.session.keys() <= {"options", "application_name"}


async def test_what_longboard_does_by_itself_is_left_out(new_database):
    """A board on a real server, which knows none of it, starts."""
    query = "&".join(f"{name}=1" for name in LEFT_OUT)
    storage = await open_storage(f"{new_database()}?{query}")
    async with storage._writer._connections.acquire() as db:
        sent = await db.fetch("SELECT name FROM pg_settings WHERE source = 'client' AND setting = '1'")
    await storage.close()
    assert not {row["name"] for row in sent} & LEFT_OUT


async def test_what_is_asked_of_a_session_is_done(new_database):
    """Its name, options and other settings, but for those on which promises rest."""
    url = f"{new_database()}?application_name=us&options=-c%20work_mem%3D7MB&temp_buffers=9MB&search_path=public&jit=on"
    storage = await open_storage(url)
    async with storage._writer._connections.acquire() as db:
        shown = [await db.fetchval(f"SHOW {name}") for name in ("application_name", "work_mem", "temp_buffers")]
        assert shown == ["us", "7MB", "9MB"]
        assert [await db.fetchval(f"SHOW {name}") for name in ("search_path", "jit")] == ["longboard", "off"]
    await storage.close()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        *((f"postgres://u:{SECRET}@h/d?{name}=x", name) for name in sorted(IMPOSSIBLE)),
        *((f"postgres://u:{SECRET}@h/d?{name}={SECRET}", f"{name} in DATABASE_URL must be") for name in CHECKED),
        (f"postgres://u:{SECRET}@h/d?gssencmode=require", "gssencmode"),
        (f"postgres://u:{SECRET}@h/d?schema=theirs", "schema"),
        (f"postgres://u:{SECRET}@h/d?target_session_attrs=standby", "target_session_attrs"),
        (f"postgres://u:{SECRET}@h/d?connect_timeout=soon", "connect_timeout"),
        (f"postgres://u:{SECRET}@h/d?sslmode=disable&channel_binding=require", "channel_binding=require"),
        (f"postgres://u:{SECRET}@h:x/d", "the port"), (f"postgres://u:{SECRET}@h:99999/d", "the port"),
        (f"postgres://u:{SECRET}@h/d?port=x", "the port"),
        *((f"postgres://u:{SECRET}{c}part@h/d", "percent-encoded") for c in "/#?@[]"),
        (f"postgres://u:part/{SECRET}@h/d", "percent-encoded"), (f"postgres://u:[{SECRET}]@h/d", "percent-encoded"),
        (f"postgres://u:a?sslmode=x{SECRET}@h/d", "percent-encoded"), (f"postgres://u:a#{SECRET}", "percent-encoded"),
        (f"postgres://u:p@h/d?sslmode=verify-full&sslcert=/none&sslrootcert=system&password={SECRET}", "sslcert"),
    ],
)  # fmt: skip
def test_what_can_not_be_read_or_done_is_named_and_no_password_shown(url, words):
    """The name of a parameter, or what to encode; never a piece of what may be the password."""
    with pytest.raises(CannotOpenError, match=words) as caught:
        parse(url)
    assert SECRET not in str(caught.value) and "part" not in str(caught.value)


@pytest.mark.parametrize("command", [["stats"], ["doctor"], ["migrate"], ["export", "e.jsonl"], ["invite"]])
def test_no_command_shows_a_piece_of_the_password(command, tmp_path):
    """Whatever looks at the address."""
    run = admin(f"--database-url=postgres://u:{SECRET}/part@h/d", *command, check=1)
    said = run.stdout + run.stderr
    assert "percent-encoded" in said and SECRET not in said and "part" not in said and "Traceback" not in said


def test_move_shows_no_piece_of_the_password(tmp_path):
    """Its target is an address, too."""
    source = f"sqlite:///{tmp_path}/board.db"
    admin(f"--database-url={source}", "migrate")
    run = admin("move", "--from", source, "--to", f"postgres://u:{SECRET}#part@h/d", check=1)
    assert "percent-encoded" in run.stderr and SECRET not in run.stderr


async def test_a_setting_that_the_server_does_not_know_is_named(new_database):
    """With where it stands and what to do."""
    with pytest.raises(CannotOpenError, match=r'after the \? of DATABASE_URL.*"no_such_thing"'):
        await open_storage(f"{new_database()}?no_such_thing=1")


@pytest.mark.parametrize(
    ("rest", "words"),
    [
        ("127.0.0.1:1/d", "connection refused at 127.0.0.1:1$"), ("localhost:1/d", "connection refused at localhost:1$"),
        ("no-such-host.invalid/d", "there is no host called no-such-host.invalid:5432"),
        ("/d?host=/no/such/folder", "/no/such/folder can't be reached: No such file"),
        ("h/d?sslmode=verify-ca&sslrootcert=/no/file", "sslrootcert in DATABASE_URL names no file"),
        ("127.0.0.1:1/d?sslmode=verify-full", "certificate"),
    ],
)  # fmt: skip
async def test_why_it_can_not_be_reached_is_said_in_words(rest, words):
    """Which host, and what is the matter; never a bare number."""
    with pytest.raises(CannotOpenError, match=words) as caught:
        await open_storage(f"postgres://u:{SECRET}@{rest}")
    assert SECRET not in str(caught.value)


# --- several hosts


def test_of_several_hosts_the_primary_is_meant():
    """In whichever order they stand; who says otherwise is obeyed."""
    assert parse("postgres://u@one,two:5433/d").hosts == ("one:5432", "two:5433")
    assert parse("postgres://u@one,two/d").wants_primary and not parse("postgres://u@one/d").wants_primary
    assert not parse("postgres://u@one,two/d?target_session_attrs=any").wants_primary


# --- TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> pathlib.Path:
    """Of 127.0.0.1, signed by nobody else; with its key in one file."""
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", path, "-out", f"{path}.crt"],
        check=True, capture_output=True,
    )  # fmt: skip
    path.write_text(path.read_text() + pathlib.Path(f"{path}.crt").read_text())
    return path


@pytest.fixture
def behind_tls(new_database, certificate):
    url = new_database()
    with proxy(url) as way:
        way.tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        way.tls.load_cert_chain(certificate)
        yield way


@pytest.mark.parametrize("query", ["sslmode=require", "ssl=true", "sslmode=no-verify", "sslmode=prefer", ""])
async def test_without_a_check_of_the_certificate_any_will_do(behind_tls, query):
    """As with libpq: it is encrypted, and nobody looks who is there."""
    await (await open_storage(f"{behind_tls.url}?{query}".rstrip("?"))).close()
    assert behind_tls.encrypted


@pytest.mark.parametrize(
    "query", ["channel_binding=require", "sslmode=require&channel_binding=require", "sslrootcert=system"]
)
async def test_who_asks_for_more_has_the_certificate_checked(behind_tls, query):
    """asyncpg can't bind a channel: who asks for that is kept from somebody in the middle by the certificate."""
    with pytest.raises(CannotOpenError, match=r"the certificate of 127.0.0.1:\d+ can't be trusted"):
        await open_storage(f"{behind_tls.url}?{query}")
    assert psql(behind_tls.direct, "SELECT count(*) FROM pg_tables WHERE schemaname = 'longboard'") == "0"


@pytest.mark.parametrize("query", ["channel_binding=require", "sslmode=verify-full"])
async def test_with_its_root_certificate_the_server_is_trusted(behind_tls, certificate, query):
    """Where the host has an authority of its own."""
    await (await open_storage(f"{behind_tls.url}?{query}&sslrootcert={certificate}.crt")).close()
    assert behind_tls.encrypted


async def test_a_server_without_tls_is_refused_where_tls_is_asked_for(new_database):
    """Never in clear by accident."""
    with pytest.raises(CannotOpenError, match="SSL"):
        await open_storage(f"{new_database()}?sslmode=require")
