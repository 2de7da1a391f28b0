"""At which names a board answers, over http and https, and what is believed of a Host and of a proxy."""

import email.utils
import json
import time

import pytest

from handlers import ROUTES
from handlers.http.forwarded import entry, parse_forwarded
from handlers.http.hosts import Names, split_host
from settings import read_settings
from tests.support.people import refused
from tests.support.server import ROOT, Server

URL = "https://board.example.org"
OURS = {"Host": "board.example.org"}
THEIRS = {"Host": "evil.example:8080"}
CLEAR = {"X-Forwarded-Proto": "http"}
HEALTH = {"/healthz", "/readyz", "/metrics"}


@pytest.fixture(scope="module")
def public(tmp_path_factory):
    """A board behind https://board.example.org, whose proxy says how it was asked."""
    server = Server(
        tmp_path_factory.mktemp("public"), public_url=URL, scheme_header="X-Forwarded-Proto", metrics_token="m" * 20
    )
    yield server
    assert server.stop() == 0
    assert "Traceback" not in server.log.read_text()


def paths():
    return [
        pattern.replace("([0-9a-f]{12})/(.+)", "000000000000/board.css").replace("([0-9]{1,18})", "1")
        .replace("([^/]+)", "1").replace("\\", "")
        for pattern, *_ in ROUTES
    ] + ["/nothing"]  # fmt: skip


def is_data(path):
    return path == "/get" or path.startswith(("/api/v1/", "/hooks/"))


@pytest.mark.parametrize("path", paths())
def test_what_is_asked_at_another_name_is_sent_to_the_board_s_own(public, path):
    """Every address: pages are, data and whatever changes something is refused; how the board is, is told to all."""
    answers = {
        method: public.client.request(method, path, headers=THEIRS) for method in ("GET", "HEAD", "POST", "DELETE")
    }
    if path in HEALTH:
        assert answers["GET"].status_code in (200, 401)
        return
    for method in ("GET", "HEAD"):
        if is_data(path):
            assert answers[method].status_code == 421
        else:
            assert (answers[method].status_code, answers[method].headers["Location"]) == (301, URL + path)
    for method in ("POST", "DELETE"):
        assert answers[method].status_code == 421 and "Set-Cookie" not in answers[method].headers
    assert "board.example.org" in answers["POST"].text


@pytest.mark.parametrize("path", paths())
def test_what_comes_in_clear_is_sent_to_https_or_refused(public, path):
    """As the trusted proxy says: pages go on, nothing that holds a secret does, and a probe without one is answered."""
    answers = {method: public.client.request(method, path, headers=OURS | CLEAR) for method in ("GET", "POST")}
    with_token = public.client.get(path, headers=OURS | CLEAR | {"Authorization": "Bearer lb_x"})
    with_body = public.client.request("GET", path, content=b"x", headers=OURS | CLEAR)
    for answer in (answers["POST"], with_token, with_body):
        if answer is answers["POST"] and path in HEALTH:
            continue
        if answer is with_body and path in HEALTH:
            continue
        assert answer.status_code == 403 and "unencrypted" in answer.text
    if path in HEALTH:
        assert answers["GET"].status_code in (200, 401)
    elif is_data(path):
        assert refused(answers["GET"], 403, "https_only")
    else:
        assert (answers["GET"].status_code, answers["GET"].headers["Location"]) == (301, URL + path)


def test_a_redirect_keeps_the_query_and_leads_nowhere_else(public):
    """What is in the address stays there, whatever it is; nothing is kept by a cache."""
    for path in ("/?before=5&x=1", "//evil.example/x", "/m/1?a=%0d%0aX: y", "/@evil.example"):
        answer = public.client.get(public.url + path, headers=THEIRS)
        assert answer.status_code == 301 and answer.headers["Location"] == URL + path.replace(" ", "%20")
        assert answer.headers["Cache-Control"] == "no-store"


def test_a_rebound_name_can_neither_read_nor_post(public):
    """A page of another site whose name leads to this address is of the same origin with it, and gets nothing."""
    same = THEIRS | {"Origin": "http://evil.example:8080", "Sec-Fetch-Site": "same-origin"}
    refused(public.client.post("/api/v1/messages", json={"body": "rebound"}, headers=same), 421, "wrong_host")
    refused(public.get("/api/v1/messages", headers=same), 421, "wrong_host")
    assert public.client.post("/add", data={"s": "rebound"}, headers=same).status_code == 421
    assert "rebound" not in public.get("/api/v1/messages", headers=OURS).text


@pytest.mark.parametrize(
    "host",
    ["board.example.org", "BOARD.Example.org", "board.example.org:443", "board.example.org.", "board.example.org:80",
     "localhost", "localhost:8080", "127.0.0.1:9", "[::1]:8080", "[::1]"],
)  # fmt: skip
def test_the_board_s_name_may_be_written_in_many_ways(public, host):
    """As browsers and proxies do; and those of this machine, which no other site can take, are its operator's."""
    assert public.client.post("/api/v1/messages", json={"body": host}, headers={"Host": host}).status_code == 201


@pytest.mark.parametrize(
    "host",
    ["board.example.org:8080", "example.org", "board.example.org.evil.example", "xboard.example.org", "localhost.evil.example",
     "10.0.0.1", "[::2]:80", "board", "127.0.0.1.evil.example", "0.0.0.0"],
)  # fmt: skip
def test_no_other_name_looks_like_it(public, host):
    """Nor another port: that is another address, as for cookies."""
    assert public.client.post("/api/v1/messages", json={"body": host}, headers={"Host": host}).status_code == 421


def test_a_public_address_with_a_port_has_that_port(start):
    """A proxy may leave it out of the Host that it passes on."""
    names = Names(read_settings(["--public-url=http://board.example.org:8080"], {}))
    assert all(
        names.is_ours(host) for host in ("board.example.org:8080", "board.example.org", "Board.example.org:8080")
    )
    assert not any(names.is_ours(host) for host in ("board.example.org:9090", "board.example.com:8080"))


@pytest.mark.parametrize(
    ("host", "name", "port"),
    [("a.example", "a.example", ""), ("A.example.:80", "a.example", ""), ("x:8080", "x", "8080"), ("[::1]", "[::1]", ""),
     ("[::1]:8080", "[::1]", "8080"), ("x:", "x", ""), ("x:y", "x:y", ""), ("x:123456", "x:123456", "")],
)  # fmt: skip
def test_a_host_is_a_name_and_a_port(host, name, port):
    """Whatever somebody writes there."""
    assert split_host(host) == (name, port)


def test_without_a_public_address_every_name_is_answered(server):
    """In a LAN, say, where a board has several."""
    for host in ("10.0.0.5:8080", "board", "evil.example"):
        assert server.get("/", headers={"Host": host}).status_code == 200
        answer = server.client.post("/api/v1/messages", json={"body": "x"}, headers={"Host": host} | CLEAR)
        assert answer.status_code == 201


def test_the_log_says_once_that_a_proxy_hides_the_name(start):
    """Else its operator would see a page that leads to itself, and nothing else."""
    server = start(public_url=URL)
    for _ in range(3):
        server.get("/", headers={"Host": "backend:8080"})
    server.stop()
    log = server.log.read_text()
    assert log.count("backend:8080") == 1 and "pass on the Host" in log


# --- who says that it came in clear


def test_nobody_but_the_proxy_says_how_it_was_asked(start):
    """Without the setting a header is only a client's word; on a dyno, the router's is believed."""
    plain = start(public_url=URL)
    dyno = start(public_url=URL, dyno="web.1")
    assert plain.get("/", headers=OURS | CLEAR).status_code == 200
    assert dyno.get("/", headers=OURS | CLEAR).status_code == 301
    assert dyno.get("/", headers=OURS | {"X-Forwarded-Proto": "https"}).status_code == 200
    assert dyno.get("/", headers=OURS).status_code == 200
    refused(dyno.client.post("/api/v1/signin", json={}, headers=OURS | CLEAR), 403, "https_only")


def test_the_last_entry_is_the_proxy_s(start):
    """What a client claimed stands before it."""
    server = start(public_url=URL, scheme_header="X-Forwarded-Proto")
    assert server.get("/", headers=OURS | {"X-Forwarded-Proto": "https, http"}).status_code == 301
    assert server.get("/", headers=OURS | {"X-Forwarded-Proto": "http, https"}).status_code == 200
    assert server.get("/", headers=OURS | {"X-Forwarded-Proto": "HTTP"}).status_code == 301
    forwarded = start(public_url=URL, scheme_header="Forwarded")
    assert forwarded.get("/", headers=OURS | {"Forwarded": "for=192.0.2.1;proto=http"}).status_code == 301
    assert forwarded.get("/", headers=OURS | {"Forwarded": 'for=192.0.2.1; Proto="https"'}).status_code == 200


def test_a_known_poll_in_clear_is_refused_like_any_other(public):
    """The fast way knows bytes, and these are others."""
    cursor = public.get("/get", headers=OURS).json()["cursor"]
    for _ in range(3):
        assert public.get(f"/get?after={cursor}&wait=0", headers=OURS).status_code == 200
        refused(public.get(f"/get?after={cursor}&wait=0", headers=OURS | CLEAR), 403, "https_only")
        refused(public.get(f"/get?after={cursor}&wait=0", headers=THEIRS), 421, "wrong_host")


def test_on_a_dyno_without_an_address_the_log_is_loud(start):
    """And with one it is not; the button asks for it."""
    loud, calm = start(dyno="web.1"), start(dyno="web.1", public_url=URL)
    for server in (loud, calm):
        server.stop()
    assert "UNENCRYPTED" in loud.log.read_text() and "UNENCRYPTED" not in calm.log.read_text()
    assert json.loads((ROOT / "app.json").read_text())["env"]["PUBLIC_URL"]["required"] is True


# --- the origin of a form


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": URL} | OURS, 201),
        ({"Origin": "http://board.example.org"} | OURS, 403),
        ({"Origin": "https://localhost:7"} | {"Host": "localhost:7"}, 403),
        ({"Origin": "http://localhost:7"} | {"Host": "localhost:7"}, 201),
        ({"Origin": "http://localhost:8"} | {"Host": "localhost:7"}, 403),
        ({"Origin": "null"} | OURS, 403),
        ({"Origin": "http://[x"} | OURS, 403),
        (OURS, 201),
    ],
)
def test_an_origin_has_a_scheme(public, headers, status):
    """Older browsers send nothing but Origin: the same name by http is another site than by https."""
    assert public.client.post("/api/v1/messages", json={"body": "x"}, headers=headers).status_code == status


def test_without_a_public_address_the_scheme_is_ours_unless_a_proxy_is_there(server):
    """We speak http alone; what a proxy speaks is not known."""
    host = {"Host": "a.example", "Origin": "https://a.example"}
    refused(server.client.post("/api/v1/messages", json={"body": "x"}, headers=host), 403, "cross_origin")
    behind = host | {"X-Forwarded-For": "192.0.2.1"}
    assert server.client.post("/api/v1/messages", json={"body": "x"}, headers=behind).status_code == 201


# --- Forwarded (RFC 7239)


@pytest.mark.parametrize(
    ("header", "elements"),
    [
        ("for=192.0.2.60;proto=http;by=203.0.113.43", [{"for": "192.0.2.60", "proto": "http", "by": "203.0.113.43"}]),
        ('For="[2001:db8:cafe::17]:4711"', [{"for": "[2001:db8:cafe::17]:4711"}]),
        ('for=a, for="b,c;d" ; proto=https', [{"for": "a"}, {"for": "b,c;d", "proto": "https"}]),
        (r'for="a\"b"', [{"for": 'a"b'}]),
        ("for=unknown", [{"for": "unknown"}]),
        ('for="192.0.2.1', []),
        ("192.0.2.1", []),
        ("for=1.2.3.4 5.6.7.8", []),
        ('for="x"y, for=192.0.2.1', []),
    ],
)
def test_forwarded_is_read_as_the_rfc_has_it(header, elements):
    """Quotes, commas within them, names in any case; and nothing at all of what is not one."""
    assert parse_forwarded(header) == elements


def test_the_client_is_found_in_forwarded(start):
    """From the right, as in the other headers; and what can't be read is said once."""
    server = start(client_header="Forwarded", metrics_token="m" * 20)
    token = {"Authorization": f"Bearer {'m' * 20}"}

    def client(value):
        return server.get("/healthz", headers=token | {"Forwarded": value}).json()["client"]

    assert client("for=198.51.100.1, for=203.0.113.7;proto=https") == "203.0.113.7"
    assert client('for="203.0.113.8:1234"') == "203.0.113.8"
    assert client('for="[2001:db8:1:2:3::4]:1234"') == "2001:db8:1:2::/64"
    assert client("for=_hidden") == client("nonsense") == "127.0.0.1"
    for _ in range(3):
        assert server.post("without it").status_code == 201
    server.stop()
    assert server.log.read_text().count("CLIENT_HEADER is Forwarded") == 1


def test_the_second_from_the_right_is_the_second_from_the_right():
    """Of any header, and the last one where there are not so many."""
    from tornado.httputil import HTTPHeaders

    headers = HTTPHeaders({"X-Forwarded-For": "1, 2, 3", "Forwarded": "for=1, for=2, for=3"})
    for name in ("X-Forwarded-For", "Forwarded"):
        assert [entry(headers, f"{name}{hops}", "for") for hops in ("", ":1", ":2", ":9")] == ["3", "3", "2", "1"]


# --- what is kept by Host


def test_hosts_that_alternate_change_nothing_for_a_feed_s_readers(start):
    """Last-Modified is of the state, not of who asked, and never to come; what is kept is for a few names only."""
    server = start()
    made = set()
    for number in range(30):
        answer = server.get("/feed.atom", headers={"Host": f"host{number % 7}.example"})
        assert f"http://host{number % 7}.example/" in answer.text
        made.add(answer.headers.get("Last-Modified"))
        date = email.utils.parsedate_to_datetime(answer.headers["Date"])
        assert email.utils.parsedate_to_datetime(answer.headers["Last-Modified"]) <= date
    assert len(made) == 1


def test_many_changes_in_a_second_never_put_the_feed_s_time_ahead(start):
    """A state that shares its second with another has no time of its own for the moment; by ETag it is told apart."""
    server = start()
    etags = set()
    for number in range(20):
        server.post(f"number {number}")
        answer = server.get("/feed.atom")
        etags.add(answer.headers["Etag"])
        if said := answer.headers.get("Last-Modified"):
            assert email.utils.parsedate_to_datetime(said).timestamp() <= time.time()
            known = server.get("/feed.atom", headers={"If-Modified-Since": said})
            assert known.status_code == 304
    assert len(etags) == 20


def test_a_time_from_a_wrong_clock_is_no_reason_for_304(server):
    """Only the very time that was given counts, in any of HTTP's forms; without a zone it is UTC."""
    server.post("news")
    said = None
    while said is None:
        said = server.get("/feed.atom").headers.get("Last-Modified")
    at = email.utils.parsedate_to_datetime(said)
    for value, status in (
        (said, 304), (at.strftime("%a %b %e %H:%M:%S %Y"), 304), ("Fri, 01 Jan 2100 00:00:00 GMT", 200),
        ("Fri Jan  1 00:00:00 2100", 200), ("garbage", 200), ("", 200), ("Thu, 99 Foo 2026 00:00:00 GMT", 200),
    ):  # fmt: skip
        assert server.get("/feed.atom", headers={"If-Modified-Since": value}).status_code == status, value
    from handlers.http.static import static_url

    file = server.get(static_url("board.css"))
    for value, status in ((file.headers["Last-Modified"], 304), ("Fri, 01 Jan 2100 00:00:00 GMT", 200)):
        assert server.get(static_url("board.css"), headers={"If-Modified-Since": value}).status_code == status


def test_a_member_of_a_board_elsewhere_stays_one(public):
    """At its own address all goes on as before, behind a proxy that says https."""
    form = {"username": "ada_hosts", "password": "correct horse battery"}
    https = OURS | {"X-Forwarded-Proto": "https"}
    assert public.client.post("/api/v1/signup", json=form, headers=https).status_code == 201
    answer = public.client.post("/signin", data=form, headers=https)
    assert answer.status_code == 303 and answer.headers["Set-Cookie"].startswith("__Host-longboard=")


def test_who_signs_in_where_cookies_may_be_dropped_is_told_so(public):
    """On this machine by http, say: a browser that drops Secure cookies there would show a guest's page without a word."""
    for path in ("/signin", "/signup"):
        assert "may not remember you" in public.get(path, headers={"Host": "localhost:8080"}).text
        assert "may not remember you" not in public.get(path, headers=OURS).text
        assert "may not remember you" not in public.get(path, headers={"X-Forwarded-For": "192.0.2.1"}).text
