"""Incoming webhooks over HTTP: what is taken, what is answered, who sets them up, and that no log has a secret."""

import html
import json
import re
import subprocess

import httpx
import pytest

import handlers.hooks.page
from board.caller import Caller
from board.credentials import hash_secret
from board.site.hooks import usernames_for
from handlers.hooks.intake import PAYLOAD_BYTES
from net.logs import shown_path
from storage.errors import UnavailableError
from storage.records import Password
from tests.http.test_boards import BOARDS, bot_of, hidden, make, promoted
from tests.support.in_process import running
from tests.support.people import Person, refused

FORM = "application/x-www-form-urlencoded"


def make_hook(person, slug="first", name="Grafana"):
    """Makes a webhook by the API; its path and what the API says of it."""
    response = person.api.post(f"{BOARDS}/{slug}/hooks", json={"name": name})
    assert response.status_code == 201, response.text
    made = response.json()
    assert re.fullmatch(rf"{person.server.url}/hooks/{made['id']}/[0-9a-z]{{40}}", made["url"])
    return made["url"].removeprefix(person.server.url), made


def said(response):
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8", response.text
    return response.status_code, response.content


def bodies(server, slug="first"):
    return [one["body"] for one in server.get(f"{BOARDS}/{slug}/messages").json()["messages"]]


OK = 200, b"ok"
TAKEN = [
    ({"json": {"text": "*json*"}}, "**json**"),
    ({"data": {"payload": json.dumps({"text": "form\nfield"})}}, "form\nfield"),
    ({"content": b"payload=%7B%22text%22%3A%22no+type%22%7D"}, "no type"),
    ({"content": b"plain", "headers": {"Content-Type": "text/plain"}}, "plain"),
    ({"content": "curl -d: 100% é".encode(), "headers": {"Content-Type": FORM}}, "curl -d: 100% é"),
    ({"content": b"log: " + b"a && " * 60, "headers": {"Content-Type": FORM}}, "log: " + ("a && " * 60).strip()),
    ({"content": b'{"text": "raw\nline\tends"}', "headers": {"Content-Type": "application/json; charset=utf-8"}}, "raw\nline\tends"),
    ({"content": b'{"text": "no type"}', "headers": {"Content-Type": ""}}, None),  # the same words again: another message
    ({"content": b"caf\xe9", "headers": {"Content-Type": "text/plain"}}, "caf\ufffd"),
    ({"json": {"blocks": [{"type": "image", "image_url": "https://example.org/a.png", "alt_text": "A graph"}]}}, "[A graph](https://example.org/a.png)"),
    ({"json": {"blocks": [{"type": "new"}] * 50, "text": "<!channel|channel> up"}}, "@channel up"),
    ({"json": {"text": "x" * 9000}}, "x" * 3999 + "…"),
    ({"json": {"text": "cross-site"}, "headers": {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}}, "cross-site"),
    ({"json": {"text": "cookie"}, "headers": {"Cookie": "longboard=ended", "Authorization": "Bearer lb_wrong"}}, "cookie"),
]  # fmt: skip
REFUSED = [
    ({"json": {}}, (400, b"no_text")),
    ({"content": b""}, (400, b"no_text")),
    ({"content": b"{", "headers": {"Content-Type": "application/json"}}, (400, b"invalid_payload")),
    ({"content": b'{"a":' * 50_000, "headers": {"Content-Type": "application/json"}}, (400, b"invalid_payload")),
    ({"content": b"x" * (PAYLOAD_BYTES + 1)}, (413, b"invalid_payload")),
    ({"content": b"x" * 10_000_000}, (413, b"invalid_payload")),
    ({"content": [b"x" * 65536] * 6}, (413, b"invalid_payload")),  # in chunks
    ({"content": [b"x" * 400_000]}, (413, b"invalid_payload")),
    ({"content": b"x", "headers": {"Content-Encoding": "gzip"}}, (415, b"invalid_payload")),
    ({"files": {"payload": b"x"}}, (400, b"invalid_payload")),
]


def test_what_other_programs_send_is_posted_and_answered_as_they_expect(start):
    """With exactly two bytes. No cookie, token or origin means anything here; what can't be read is told in their words."""
    server = start()
    path, _ = make_hook(promoted(server))
    for sent, _ in TAKEN:
        answer = server.client.post(path, **sent)
        assert said(answer) == OK and "Set-Cookie" not in answer.headers, sent
        assert server.client.post(path, **sent).content == b"ok", "again within ten seconds"
    for sent, told in REFUSED:
        with server.open() as client:
            sending = {"content": iter(sent["content"])} if isinstance(sent.get("content"), list) else sent
            assert said(client.post(path, **sending)) == told, sent
    assert said(server.client.post(path.replace("/hooks/1/", "/hooks/1x"), content=b"in one part")) == OK
    expected = [words or "no type" for _, words in TAKEN] + ["in one part"]
    assert bodies(server) == expected
    [author] = {json.dumps(one["author"]) for one in server.get("/api/v1/messages").json()["messages"]}
    assert json.loads(author) == {"id": 2, "name": "Grafana", "role": "bot"}
    assert server.get("/").text.count("Grafana</bdi> <b>bot</b>") == len(expected)
    assert "<name>Grafana (bot)</name>" in server.get("/feed.atom").text


def test_a_wrong_secret_tells_nothing_and_no_other_method_is_taken(start):
    """Whether the number is known or not: the same bytes. Nothing leads elsewhere, which would lose the body."""
    server = start()
    path, made = make_hook(promoted(server))
    wrong = [path[:-1] + ("0" if path[-1] != "0" else "1"), path.replace("/1/", "/2/"), "/hooks/1/x", "/hooks/999/0"]
    answers = [server.client.post(one, content=b"x") for one in wrong]
    assert {said(one) for one in answers} == {(404, b"no_service")}
    assert len({tuple(sorted(set(one.headers.items()) - {("date", one.headers["date"])})) for one in answers}) == 1
    for method in ("GET", "HEAD", "PUT", "DELETE", "PATCH"):
        answer = server.client.request(method, path)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "POST, OPTIONS")
        assert answer.content == (b"" if method == "HEAD" else b"method_not_allowed")
    for odd in ("/hooks/", "/hooks/1", "/hooks/1/", "/hooks/a/b", "/hooks/1/A", "/hooks/1/lb_x", path + "/"):
        assert server.client.post(odd, content=b"x").status_code == 404, odd
    assert bodies(server) == [] and made["last_used_at"] is None
    elsewhere = start(
        public_url="https://board.example.org",
        scheme_header="X-Forwarded-Proto",
        client_header="X-Forwarded-For",
    )
    for headers, status in (
        ({"Host": "other.example.org"}, 421),
        ({"Host": "board.example.org", "X-Forwarded-Proto": "http"}, 403),
    ):
        for method in ("POST", "GET"):
            answer = elsewhere.client.request(method, "/hooks/1/0", headers=headers)
            assert (answer.status_code, answer.headers.get("Location")) == (status, None)
            assert answer.headers["Content-Type"] == "application/json"


async def test_posts_are_limited_for_each_webhook_and_wrong_secrets_for_each_address(tmp_path, monkeypatch):
    """Neither stops another webhook, or what people post from there."""
    async with running(tmp_path, "--limits=on") as house:
        await house.storage.create_account("ada", "Ada", Password(None))
        await house.storage.set_role(None, "ada", "moderator")
        credential = await house.storage.create_credential(1, "session", b"x" * 32, "A browser")
        secret, hook = await house.board.make_hook(Caller(credential, "192.0.2.1"), "first", "Grafana")
        monkeypatch.setattr(
            house.board.limits, "posting", type(house.board.limits.posting)(3, 60, code="too_many_posts")
        )
        limit = type(house.board.limits.posting_from)
        monkeypatch.setattr(house.board.limits, "no_hook_from", limit(5, 60, code="too_many_posts"))
        monkeypatch.setattr(house.board.limits, "posting_from", limit(1, 60, code="too_many_posts"))
        other, hook2 = await house.board.make_hook(Caller(credential, "192.0.2.1"), "first", "Other")
        url = f"http://127.0.0.1:{house.port}/hooks/{hook.id}/"
        async with httpx.AsyncClient() as client:
            answers = [await client.post(url + secret, content=b"%d" % n) for n in range(5)]
            answers += [await client.post(url + "0", content=b"x") for _ in range(6)]
            second = await client.post(f"http://127.0.0.1:{house.port}/hooks/{hook2.id}/{other}", content=b"x")
            page = await client.post(
                f"http://127.0.0.1:{house.port}/api/v1/messages", json={"body": "x", "guest_name": "Eve"}
            )
        assert said(second) == OK and page.status_code == 201, page.text
    assert [said(one) for one in answers] == [OK] * 3 + [(429, b"rate_limited")] * 2 + [(404, b"no_service")] * 5 + [
        (429, b"rate_limited")
    ]
    assert [int(one.headers.get("Retry-After", 0)) > 0 for one in answers] == [False] * 3 + [True] * 2 + [False] * 5 + [
        True
    ]


def test_what_became_of_a_webhook_or_of_its_board_is_told_in_words_that_senders_know(start):
    """Archived, suspended, revoked, deleted; until then it posts, also where only moderators write."""
    server = start()
    owner = promoted(server)
    make(owner, write_by="moderators")
    path, made = make_hook(owner, "rowing")
    other, _ = make_hook(owner, "rowing", "Other")

    def posted(words):
        return said(server.client.post(path, content=words))

    assert posted(b"1") == OK
    owner.api.patch(f"{BOARDS}/rowing", json={"archived": True})
    assert posted(b"2") == (410, b"channel_is_archived")
    owner.api.patch(f"{BOARDS}/rowing", json={"archived": False})
    id = server.get(f"{BOARDS}/rowing/messages").json()["messages"][0]["id"]
    browser = owner.browser()
    assert browser.post(f"/m/{id}/moderate", data={"act": "suspend"}).status_code == 303
    assert posted(b"2") == (403, b"action_prohibited")
    assert "Suspended: it can't post." in browser.get("/b/rowing/hooks").text
    assert browser.post(f"/m/{id}/moderate", data={"act": "unsuspend"}).status_code == 303
    assert posted(b"2") == OK
    assert owner.api.delete(f"{BOARDS}/rowing/hooks/{made['id']}").status_code == 204
    assert posted(b"3") == (404, b"no_service")
    assert bodies(server, "rowing") == ["1", "2"]
    owner.api.delete(f"{BOARDS}/rowing?name=Rowing")
    assert said(server.client.post(other, content=b"x")) == (404, b"channel_not_found")


def test_a_board_with_short_messages_takes_the_test_message(start):
    """Cut, as what programs send is."""
    server = start(message_length=50)
    owner = promoted(server)
    make_hook(owner)
    tried = owner.browser().post("/b/first/hooks/1", data={"act": "test"})
    assert tried.status_code == 303 and bodies(server) == [handlers.hooks.page.TEST[:49] + "…"]


def test_webhooks_take_no_member_s_username():
    """Also where a name has nothing of which a username can be made."""
    for name in ("Alice", "support", "Ж", "member"):
        assert all(one.startswith("bot_") for one in usernames_for(name)), name


@pytest.mark.parametrize(
    ("path", "logged"),
    [
        ("/hooks/12/5ec2e7", "/hooks/12/*"), ("/hooks/12x5ec2e7", "/hooks/12x*"), ("/hooks/5ec2e7", "/hooks/*"), ("/hooks/5ec2e7/x", "/hooks/*"),
        ("//hooks//12/5ec2e7/x", "//hooks//12/*"), ("/HOOKS/12/5ec2e7", "/HOOKS/12/*"), ("/hooks%2f12/5ec2e7", "/hooks/12/*"),
        ("/board/hooks/12/5ec2e7", "/board/hooks/12/*"), ("/b/rowing/hooks/12", "/b/rowing/hooks/12"),
        ("/api/v1/boards/x/hooks", "/api/v1/boards/x/hooks"), ("/hooks/", "/hooks/"), ("/a%20b", "/a%20b"),
        ("/hooks%252F1%252F5ec2e7", "/hooks/1/*"), ("/%2568ooks/1/5ec2e7", "/hooks/1/*"), ("/a%2520b", "/a%2520b"),
        ("/%" + "25" * 40 + "68ooks/1/5ec2e7", "*"), ("/hooks\\1\\5ec2e7", r"/hooks\\1\\*"),
        ("/hook/1/" + "5ec2e7" * 7, "/hook/1/*"), ("/b/first/hooks/" + "5EC2E7" * 7, "/b/first/hooks/*"),
    ],
)  # fmt: skip
def test_a_path_is_logged_without_its_secret(path, logged):
    """Also one that was copied wrongly, or written in another way."""
    assert shown_path(path) == logged


def test_no_log_and_no_metric_has_a_secret(start):
    """With each request logged: what is taken, refused, not found, and what fails while storage is away."""
    server = start(log_requests="on", metrics_token="m" * 32)
    owner = promoted(server)
    path, _ = make_hook(owner)
    secret = path.rpartition("/")[2]
    for way in (
        path,
        path + "/",
        path.replace("/1/", "/7/"),
        f"/hooks/{secret}",
        "/HOOKS/1/" + secret,
        "/hooks/1x" + secret,
    ):
        for method in ("POST", "GET", "PUT"):
            server.client.request(method, way, content=b"x")
    server.client.post(path, content=b"x" * 10_000_000)
    metrics = server.get("/metrics", headers={"Authorization": f"Bearer {'m' * 32}"}).text
    log = server.log.read_text()
    assert log.count("POST /hooks/1/* ") >= 3 and "longboard" in metrics
    assert secret not in log and secret not in metrics


async def test_a_fault_is_logged_without_the_secret_and_answered_in_plain_words(tmp_path, monkeypatch, caplog):
    """Storage that is away is a 503 that says when to come again; anything else is told as a fault, once."""
    async with running(tmp_path) as house, httpx.AsyncClient() as client:
        answers = []
        for fault in (UnavailableError("away"), RuntimeError("broken")):

            async def fails(*arguments, fault=fault):
                raise fault

            monkeypatch.setattr(house.storage, "hook_by", fails)
            answers.append(await client.post(f"http://127.0.0.1:{house.port}/hooks/1/5ec2e7", content=b"x"))
    assert [said(one) for one in answers] == [(503, b"unavailable"), (500, b"internal")]
    assert "Retry-After" in answers[0].headers
    assert "POST /hooks/1/* failed" in caplog.text and "5ec2e7" not in caplog.text


async def test_a_webhook_that_is_revoked_while_it_posts_posts_nothing(tmp_path, monkeypatch):
    """By another node, after its secret was found to be right: the transaction that writes looks again."""
    async with running(tmp_path) as house, httpx.AsyncClient() as client:
        await house.storage.create_account("ada", "Ada", Password(None))
        await house.storage.set_role(None, "ada", "moderator")
        ada = await house.storage.account("ada")
        hook = await house.storage.make_hook(ada, 1, "Grafana", ["bot_grafana"], hash_secret("5ec2e7"))
        found_by = house.storage.hook_by

        async def revoked_then(*arguments):
            found = await found_by(*arguments)
            await house.storage.revoke_hook(ada, 1, hook.id)
            return found

        monkeypatch.setattr(house.storage, "hook_by", revoked_then)
        answer = await client.post(f"http://127.0.0.1:{house.port}/hooks/{hook.id}/5ec2e7", content=b"x")
        assert said(answer) == (404, b"no_service")
        assert (await house.storage.before(None, 9)).messages == []


def test_the_api_sets_webhooks_up_for_those_who_moderate_the_board(start):
    """The secret is in one answer only; a new one ends the old."""
    server = start()
    owner, other = promoted(server), Person(server)
    make(owner)
    path, made = make_hook(owner, "rowing")
    listed = {name: value for name, value in made.items() if name != "url"}
    assert listed == {
        "id": made["id"], "name": "Grafana", "username": "bot_grafana", "created_at": made["created_at"],
        "last_used_at": None, "drops_repeats": True,
    }  # fmt: skip
    api = f"{BOARDS}/rowing/hooks"
    assert owner.api.get(api).json() == {"hooks": [listed]}
    changed = owner.api.patch(f"{api}/{made['id']}", json={"name": "Alerts", "drops_repeats": False})
    assert changed.json() == listed | {"name": "Alerts", "drops_repeats": False}
    for _ in range(2):
        assert said(server.client.post(path, content=b"same")) == OK
    assert bodies(server, "rowing") == ["same", "same"]
    renewed = owner.api.patch(f"{api}/{made['id']}", json={"new_secret": True}).json()
    assert said(server.client.post(path, content=b"x")) == (404, b"no_service")
    assert said(server.client.post(renewed["url"], content=b"x")) == OK
    for asker, status, code in (
        (server.client, 401, "sign_in_first"),
        (other.api, 403, "owner_only"),
        (bot_of(owner), 403, "bot_token"),
    ):
        assert refused(asker.get(api), status, code) and refused(asker.post(api, json={"name": "x"}), status, code)
        assert refused(asker.patch(f"{api}/1", json={}), status, code) and refused(
            asker.delete(f"{api}/1"), status, code
        )
    assert refused(other.api.get(f"{BOARDS}/first/hooks"), 403, "owner_only")
    for id in ("99", "x", "0" * 30):
        assert refused(owner.api.delete(f"{api}/{id}"), 404, "no_such_hook")
    assert refused(owner.api.post(api, json={"name": ""}), 422, "bad_name")
    assert refused(owner.api.post(api, json={"name": "Admin"}), 422, "name_reserved")
    assert refused(owner.api.post(api, json={}), 400, "bad_field")
    log = owner.browser().get("/audit").text
    for deed in (
        "made incoming webhook 1, bot_grafana",
        "changed incoming webhook 1",
        "gave a new secret to incoming webhook 1",
    ):
        assert deed in re.sub("<[^>]+>", "", log), deed


def test_the_page_shows_the_address_once_with_a_line_for_curl_that_works(start):
    """Made, tried, renamed, renewed and revoked by plain forms; a refusal stands on the page, with what was typed."""
    server = start()
    owner = promoted(server)
    make(owner)
    browser = owner.browser()
    page = "/b/rowing/hooks"
    assert f'href="{page}"' in browser.get("/b/rowing/settings").text
    assert 'href="/b/first/hooks"' in browser.get("/account").text
    assert browser.get("/b/first/hooks").status_code == browser.get(page).status_code == 200
    made = browser.post(page, data={"name": "River gauge"})
    [line] = re.findall(r"<pre><code>(curl [^<]+)</code>", made.text)
    curl = subprocess.run(["sh", "-c", html.unescape(line)], capture_output=True, check=True)
    assert curl.stdout == b"ok" and bodies(server, "rowing") == ["Hello"]
    secret = line.rpartition("/")[2]
    seen = browser.get(page).text
    assert secret not in seen and "River gauge" in seen and "Last used" in seen
    tried = browser.post(f"{page}/1", data={"act": "test"})
    assert (tried.status_code, tried.headers["Location"]) == (303, f"{page}?done=test")
    assert "The test message is posted" in browser.get(tried.headers["Location"]).text
    assert bodies(server, "rowing")[1] == handlers.hooks.page.TEST
    assert browser.post(f"{page}/1", data={"act": "save", "name": "Gauge"}).headers["Location"] == f"{page}?done=save"
    assert ' value="yes" checked' not in browser.get(page).text
    wrong = browser.post(f"{page}/1", data={"act": "save", "name": "Moderator"})
    assert (
        wrong.status_code == 422
        and 'value="Moderator"' in wrong.text
        and wrong.text.count("This looks like the name") == 1
    )
    odd = browser.post(f"{page}/1", data={"act": "sava", "name": "Lost"})
    assert odd.status_code == 400 and "must be test, renew, revoke or save" in odd.text
    assert "Lost" not in browser.get(page).text
    wrong = browser.post(page, data={"name": " "})
    assert wrong.status_code == 422 and "A name has 1 to 50" in wrong.text and "Gauge" in wrong.text
    renewed = browser.post(f"{page}/1", data={"act": "renew"})
    assert f"{server.url}/hooks/1/" in renewed.text and secret not in renewed.text
    assert browser.get(f"{page}/1").headers["Location"] == page
    assert browser.post(f"{page}/99", data={"act": "revoke"}).status_code == 404
    assert browser.post(f"{page}/1", data={"act": "revoke"}).status_code == 303
    assert server.client.post(f"/hooks/1/{secret}", content=b"x").content == b"no_service"
    member = Person(server).browser()
    assert member.get(page).status_code == member.post(page, data={"name": "x"}).status_code == 403
    assert server.get(page).status_code == 401 and server.client.post(page, data={"name": "x"}).status_code == 401


def test_a_hidden_board_has_webhooks_that_tell_nobody_of_it(start):
    """Its owner sets them up, moderators know of none; the log names them by number, for those who may read the board."""
    server = start()
    owner, moderator = promoted(server), promoted(server)
    slug = hidden(owner)
    path, made = make_hook(owner, slug, "Secret bell")
    assert said(server.client.post(path, content=b"x")) == OK and bodies(server) == []
    assert refused(moderator.api.get(f"{BOARDS}/{slug}/hooks"), 404, "no_such_board")
    assert moderator.browser().get(f"/b/{slug}/hooks").status_code == 404
    assert "bell" not in moderator.browser().get("/audit").text.lower()
    assert f"made incoming webhook {made['id']} on" in re.sub("<[^>]+>", "", owner.browser().get("/audit").text)
    for person in (moderator, owner):
        assert refused(
            person.api.put(f"{BOARDS}/{slug}/members/secret_bell"),
            404,
            "no_such_account" if person is owner else "no_such_board",
        )
