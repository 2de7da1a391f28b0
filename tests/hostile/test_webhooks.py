"""Receivers of webhooks that mean harm: addresses inside, names that change, and answers that never end."""

import asyncio
import contextlib
import ipaddress
import json
import re
import socket
import sqlite3
import ssl
import subprocess
import threading

import pytest
from tornado import simple_httpclient

from board.errors import DeniedError
from board.receivers import URL_MAX, clean_url
from net.webhooks import resolver
from net.webhooks.delivery import ANSWER_BYTES, Delivery, StaleError
from net.webhooks.resolver import THREADS, InnerAddressError, JudgingResolver, is_allowed
from tests.support.boards import promote
from tests.support.patience import PATIENCE
from tests.support.people import Person, refused
from tests.support.receiver import receiving
from tests.support.server import until

INNER = """127.0.0.1 127.255.255.254 ::1 ::ffff:127.0.0.1 ::ffff:7f00:1 ::127.0.0.1 0.0.0.0 0.1.2.3 :: 10.0.0.1 172.16.0.1
172.31.255.255 192.168.1.1 ::ffff:192.168.1.1 169.254.169.254 ::ffff:169.254.169.254 fe80::1 fe80::1%eth0 fec0::1 fc00::1
fd00:ec2::254 100.64.0.1 100.127.255.255 192.0.0.8 192.0.2.1 198.18.0.1 198.51.100.7 203.0.113.9 192.88.99.1 224.0.0.1
239.255.255.250 ff02::1 ff0e::1 240.0.0.1 255.255.255.255 64:ff9b::7f00:1 64:ff9b::169.254.169.254 64:ff9b::a00:1
64:ff9b:1::1 2002:7f00:1:: 2002:a9fe:a9fe::1 2002:808:808::1 2001::1 2001:db8::1 3fff::1 100::1 5f00::1"""
OUTER = "8.8.8.8 93.184.216.34 ::ffff:8.8.8.8 64:ff9b::8.8.8.8 2606:4700:4700::1111 2a00:1450:4001:82f::200e"


def test_only_ordinary_addresses_of_the_internet_are_sent_to():
    assert [one for one in INNER.split() if is_allowed(one, to_loopback=False)] == []
    assert [one for one in OUTER.split() if not is_allowed(one, to_loopback=False)] == []
    loopback = [one for one in INNER.split() if is_allowed(one, to_loopback=True)]
    assert loopback == ["127.0.0.1", "127.255.255.254", "::1"], "and for tests, this machine as it is written there"


BAD_URLS = """http://a.example/ ftp://a.example/ file:///etc/passwd javascript:alert(1) gopher://a.example/ //a.example/ a.example
https:///x https://:443/ https://user:pass@a.example/ https://user@a.example/ https://@a.example/ https://a.example:22/
https://a.example:0/ https://a.example:99999/ https://a.example:x/ https://127.0.0.1/ https://[::1]/ https://localhost/
https://10.0.0.1:8443/ https://[::ffff:127.0.0.1]/ https://169.254.169.254/latest/ https://0.0.0.0/ https://[fe80::1]/
https://[64:ff9b::7f00:1]/ https://[2002:7f00:1::]/ https://192.88.99.1/ https://bücher.example/ https://ａ.example/ https://a.example\\@b.example/ https://a..example/ https://-a.example/
https://a_%41.example/ https://[::1/ https://a.example/ä HTTPS://USER@A.EXAMPLE/"""


def test_addresses_that_can_not_be_sent_to_are_refused_with_a_reason():
    for url in [*BAD_URLS.split(), "", " ", "https://a b.example/", "https://a.example/\x00", "https://a.example/" + "x" * 10_000,
                "https://" + "a" * 300 + ".example/", "https://a.example/a\r\nHost: b"]:  # fmt: skip
        with pytest.raises(DeniedError) as raised:
            clean_url(url)
        assert raised.value.code == "bad_url" and raised.value.words
    good = [
        "https://a.example",
        "https://A.example:8443/x?y=z%20",
        "https://xn--bcher-kva.example/",
        "https://8.8.8.8/",
        "https://[2606:4700::1]:443/",
    ]
    assert [clean_url(f" {url} ") for url in good] == [url.replace("HTTPS", "https") for url in good]
    assert clean_url("https://a.example/x#secret") == "https://a.example/x"
    assert len(clean_url("https://a.example/" + "x" * (URL_MAX - 18))) == URL_MAX
    assert clean_url("http://127.0.0.1:1/", to_loopback=True) and clean_url("http://[::1]:1/", to_loopback=True)
    with pytest.raises(DeniedError):
        clean_url("http://192.168.1.1/", to_loopback=True)


def found(*addresses):
    """A look-up that says these, one after the other at each call; a text has several addresses with blanks between."""
    calls = []

    def look_up(host, port):
        text = addresses[min(len(calls), len(addresses) - 1)]
        calls.append(host)
        families = {4: socket.AF_INET, 6: socket.AF_INET6}
        return [
            (families[ipaddress.ip_address(one).version], socket.SOCK_STREAM, 6, "", (one, port))
            for one in text.split()
        ]

    return look_up, calls


async def test_a_name_that_leads_inside_is_not_connected_to_and_the_judged_address_is():
    """Also where only one of several leads there, and where the name leads elsewhere when it is asked again."""
    async with serving(lambda reader, writer: answer(writer)) as (port, heard):
        for text in ("127.0.0.1", "8.8.8.8 127.0.0.1", "::ffff:127.0.0.1", "0.0.0.0", "169.254.169.254"):
            look_up, calls = found(text)
            outcome = await Delivery(look_up=look_up).post(f"http://evil.example:{port}/", [b"s"], "1", b"{}")
            assert outcome.error == "inner_address" and calls == ["evil.example"] and not heard, text
        for name in (
            "localhost",
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "[::1]",
            "[::ffff:127.0.0.1]",
        ):
            outcome = await Delivery().post(f"http://{name}:{port}/", [b"s"], "1", b"{}")
            assert outcome.error in ("inner_address", "no_host") and not heard, name
        look_up, calls = found("127.0.0.1", "169.254.169.254")
        delivery = Delivery(to_loopback=True, look_up=look_up)
        assert (await delivery.post(f"http://moving.example:{port}/", [b"s"], "1", b"{}")).error is None
        assert calls == ["moving.example"] and len(heard) == 1, "asked once: what was judged is connected to"
        assert b"Host: moving.example" in heard[0]
        assert (await delivery.post(f"http://moving.example:{port}/", [b"s"], "1", b"{}")).error == "inner_address"
        assert len(heard) == 1
        with pytest.raises(InnerAddressError):
            await JudgingResolver(look_up=found("8.8.8.8 10.0.0.1")[0]).resolve("half.example", 443)


async def test_a_name_server_that_hangs_holds_nothing_else(monkeypatch, caplog):
    """Its threads are few in the process, also with several clients, and none of the loop's. A late answer is dropped."""
    monkeypatch.setattr(resolver, "LOOK_UP_SECONDS", 0.3)
    release, answered = threading.Event(), []

    def hangs(host, port):
        release.wait(PATIENCE)
        answered.append(host)
        raise socket.gaierror(-2, "no such host")

    before = threading.active_count()
    delivery = Delivery(look_up=hangs)
    try:
        tries = [
            asyncio.create_task(Delivery(look_up=hangs).post("http://slow.example/", [b"s"], "1", b"{}"))
            for _ in range(THREADS + 9)
        ]
        await asyncio.to_thread(lambda: None)
        assert answered == [], "the loop's own threads are free"
        assert {(await one).error for one in tries} == {"timeout"}
        assert len([one for one in threading.enumerate() if one.name == "longboard-names"]) == THREADS
    finally:
        release.set()
    while any(one.name == "longboard-names" for one in threading.enumerate()):
        await asyncio.sleep(0.01)
    assert threading.active_count() <= before + 2 and "after timeout" not in caplog.text
    assert (await delivery.post("http://slow.example/", [b"s"], "1", b"{}")).error == "no_host"


@contextlib.asynccontextmanager
async def serving(behave):
    """A receiver that does with each connection what it is told to: its port, and the heads that it heard."""
    heard, tasks = [], []

    async def connected(reader, writer):
        tasks.append(asyncio.current_task())
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError, asyncio.CancelledError):
            heard.append(await reader.readuntil(b"\r\n\r\n"))
            await behave(reader, writer)
        writer.close()
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], heard
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def answer(writer, head=b"HTTP/1.1 204 No Content\r\n\r\n"):
    writer.write(head)
    await writer.drain()


async def endlessly(writer, head, part, pause=0.0):
    writer.write(head)
    while not writer.is_closing():
        writer.write(part)
        await writer.drain()
        await asyncio.sleep(pause)


OK = b"HTTP/1.1 200 OK\r\n"
ANSWERS = {
    "silence": (lambda reader, writer: reader.read(), "timeout"),
    "a body that drips": (lambda reader, writer: endlessly(writer, OK + b"Content-Length: 999\r\n\r\n", b"x", 0.05), "timeout"),
    "a head that drips": (lambda reader, writer: endlessly(writer, OK, b"X-A: b\r\n", 0.05), "timeout"),
    "100 for ever": (lambda reader, writer: endlessly(writer, b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.05), "any"),
    "an endless body": (lambda reader, writer: endlessly(writer, OK + b"\r\n", b"x" * 9999), None),
    "endless chunks": (lambda reader, writer: endlessly(writer, OK + b"Transfer-Encoding: chunked\r\n\r\n", b"270f\r\n" + b"x" * 9999 + b"\r\n"), None),
    "an endless head": (lambda reader, writer: endlessly(writer, OK, b"X-A: " + b"b" * 9999 + b"\r\n"), None),
    "a body of a terabyte": (lambda reader, writer: answer(writer, OK + b"Content-Length: 999999999999\r\n\r\n"), None),
    "no HTTP": (lambda reader, writer: answer(writer, b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), None),
    "nothing": (lambda reader, writer: answer(writer, b""), "closed"),
    "a redirect inside": (lambda reader, writer: answer(writer, b"HTTP/1.1 307 X\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"), "307"),
    "gone": (lambda reader, writer: answer(writer, b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n"), "410"),
    "a compressed bomb": (lambda reader, writer: answer(writer, OK + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x8b"), "none"),
}  # fmt: skip


async def test_a_try_ends_and_takes_little_with_every_answer():
    for name, (behave, expected) in ANSWERS.items():
        async with serving(behave) as (port, heard):
            delivery = Delivery(to_loopback=True)
            outcome = await delivery.post(f"http://127.0.0.1:{port}/x", [b"s"], "1", b"{}", seconds=0.6)
            wanted = {None: ("bad_answer", "closed"), "any": ("closed", "timeout"), "none": (None,)}.get(
                expected, (expected,)
            )
            assert outcome.error in wanted, (name, outcome)
            assert len(heard) == 1 and len(heard[0]) < ANSWER_BYTES, name
            delivery.close()
    assert (await Delivery(to_loopback=True).post("http://127.0.0.1:1/", [b"s"], "1", b"{}")).error == "unreachable"


async def test_each_form_of_retry_after_is_read():
    async def asked(text):
        head = b"HTTP/1.1 503 X\r\nContent-Length: 0\r\nRetry-After: " + text + b"\r\n\r\n"
        async with serving(lambda reader, writer: answer(writer, head)) as (port, _):
            outcome = await Delivery(to_loopback=True).post(f"http://127.0.0.1:{port}/", [b"s"], "1", b"{}")
            assert outcome.error == "503"
            return outcome.retry_after

    assert [await asked(one) for one in (b"7", b"0", b"", b"-3", b"soon", b"1e9", b"9" * 40)] == [
        7,
        0,
        0,
        0,
        0,
        0,
        999_999_999,
    ]
    assert await asked(b"Wed, 21 Oct 2015 07:28:00 GMT") == 0 and await asked(b"Fri, 31 Dec 9999 23:59:59 GMT") > 1e9


async def test_nothing_is_sent_that_may_not_be_sent_any_more():
    """It is asked in the step that sends the body, after the name was looked up and the connection made."""
    bodies = []

    async def hear(reader, writer):
        bodies.append(await reader.read(5))
        await answer(writer)

    for is_current, expected in ((lambda: True, b"words"), (lambda: False, b"")):
        async with serving(hear) as (port, _):
            with contextlib.nullcontext() if expected else pytest.raises(StaleError):
                await Delivery(to_loopback=True).post(f"http://127.0.0.1:{port}/", [b"s"], "1", b"words", is_current)
            async with asyncio.timeout(PATIENCE):
                while not bodies:
                    await asyncio.sleep(0.005)
        assert bodies.pop() == expected


async def test_the_certificate_must_be_that_of_the_name(tmp_path, monkeypatch):
    """Of the name in the address, although it is the judged number that is connected to."""
    files = ["-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem"]
    subject = ["-subj", "/CN=right.example", "-addext", "subjectAltName=DNS:right.example", "-days", "2", "-nodes"]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", *subject, *files], check=True, capture_output=True
    )
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    with receiving(tls) as receiver:
        port, heard = receiver.server.server_address[1], receiver.got
        delivery = Delivery(to_loopback=True, look_up=found("127.0.0.1")[0])
        for trusted, name, expected in (
            (False, "right", "bad_certificate"),
            (True, "wrong", "bad_certificate"),
            (True, "right", None),
        ):
            if trusted:
                context = ssl.create_default_context(cafile=tmp_path / "cert.pem")
                monkeypatch.setattr(simple_httpclient, "_client_ssl_defaults", lambda context=context: context)
            outcome = await delivery.post(f"https://{name}.example:{port}/", [b"s"], "1", b"{}")
            assert outcome.error == expected and len(heard) == (expected is None), (trusted, name)


def test_a_server_sends_inside_nowhere_unless_a_setting_for_tests_allows_it(start):
    """And a database in which such an address stands already is no way around that."""
    server = start()
    ada = promote(server, Person(server, "ada"))
    with receiving() as receiver:
        for url in (
            f"{receiver.url}/",
            f"https://localhost:{receiver.url.rpartition(':')[2]}/",
            "https://user:x@a.example/",
        ):
            assert refused(ada.api.post("/api/v1/boards/first/webhooks", json={"url": url}), 422, "bad_url")
        hook = ada.api.post("/api/v1/boards/first/webhooks", json={"url": "https://a.invalid/"}).json()
        with contextlib.closing(sqlite3.connect(server.database)) as db, db:
            db.execute("UPDATE webhooks SET url = ?, revision = revision + 1", (f"{receiver.url}/",))
        path = f"/api/v1/boards/first/webhooks/{hook['id']}"
        assert ada.api.post(f"{path}/test").json() == {"error": "inner_address"}
        server.post("not inside")
        until(lambda: ada.api.get(path).json()["error"] == "inner_address")
        assert not receiver.got and "private network" in ada.browser().get("/b/first/webhooks").text


def test_kill_9_in_the_middle_of_a_try_loses_nothing(start):
    """The event whose answer never came is sent again by the next process, with the same id; each at most twice."""
    server = start(webhooks_to_loopback="on")
    ada = promote(server, Person(server, "ada"))
    with receiving() as receiver:
        held = threading.Event()
        hook = ada.api.post("/api/v1/boards/first/webhooks", json={"url": f"{receiver.url}/a"}).json()
        for n in range(5):
            server.post(f"{n}")
        receiver.events("/a", 5)
        receiver.answer = lambda got, handler: held.wait(PATIENCE) and None
        server.post("5")
        receiver.events("/a", 6)
        server.kill()
        held.set()
        receiver.answer = lambda got, handler: 204
        server.start()
        server.post("6")
        until(lambda: json.loads(receiver.at("/a")[-1].body)["data"]["body"] == "6")
        bodies = [got.event["data"]["body"] for got in receiver.at("/a")]
        assert list(dict.fromkeys(bodies)) == [f"{n}" for n in range(7)] and max(map(bodies.count, bodies)) <= 2
        assert bodies.count("5") == 2 and len({got.id for got in receiver.at("/a")}) == 7
        ids = [int(got.id.rpartition("-")[2]) for got in receiver.at("/a")]
        assert ids[6:] == sorted(ids[6:]) and re.fullmatch(r"[0-9a-z]+-\d+", receiver.got[0].id)
        assert hook["state"] == "on"


def test_a_message_never_goes_round(start):
    """A channel that is an incoming webhook of the same board, or one that leads back to it: what a bot writes is left out,
    and no incoming webhook takes an event.
    """
    server = start(webhooks_to_loopback="on")
    ada = promote(server, Person(server, "ada"))
    address = ada.api.post("/api/v1/boards/first/hooks", json={"name": "Bell"}).json()["url"]
    path = address[address.index("/hooks/") :]
    assert server.post("begin").status_code == 201
    with receiving() as receiver:
        for url, shape in (
            (f"{server.url}{path}", "slack"),
            (f"{receiver.url}/a", "slack"),
            (f"{receiver.url}/b", "standard"),
        ):
            made = ada.api.post("/api/v1/boards/first/webhooks", json={"url": url, "shape": shape})
            assert made.status_code == 201, made.text
        hooks = "/api/v1/boards/first/webhooks"
        loop = ada.api.get(hooks).json()["webhooks"][0]["id"]
        assert server.client.post(path, json={"text": "from a program"}).text == "ok"
        ada.post("from a person")
        assert [one["data"]["body"] for one in receiver.events("/b", 2)] == ["from a program", "from a person"]
        assert [one["text"] for one in receiver.events("/a", 1)] == ["ada: from a person"]
        until(lambda: ada.api.get(f"{hooks}/{loop}").json()["error"] == "400")
        assert len(receiver.got) == 3, "and nothing was posted by it"
        refusal = server.client.post(path, json={"text": "x"}, headers={"webhook-id": "1-1"})
        assert (refusal.status_code, refusal.text) == (400, "webhook_event")
