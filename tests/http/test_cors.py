"""CORS: pages of other sites read what everyone may read, if CORS_FROM names them; with no one's rights, and nothing else."""

import re

import pytest

from handlers.http.base import allowed_methods
from settings import read_settings
from tests.support.boards import make_board, post_on, promote
from tests.support.other_site import other_site
from tests.support.people import Person
from tests.support.routes import ROUTES

BLOG, OTHER = "https://blog.example.org", "https://other.example"
SHARED = {
    r"/get", r"/b/([^/]+)/get", r"/feed\.atom", r"/b/([^/]+)/feed\.atom", "/api/v1/messages", "/api/v1/messages/([^/]+)",
    "/api/v1/messages/([^/]+)/reactions", "/api/v1/boards", "/api/v1/boards/([^/]+)", "/api/v1/boards/([^/]+)/messages",
    "/api/v1/boards/([^/]+)/search", "/api/v1/search", r"/api/v1/openapi\.json", "/api/v1/stream",
}  # fmt: skip
ALLOW = "Access-Control-Allow-Origin"


@pytest.fixture
def site(start):
    def made(cors_from, **more):
        server = start(cors_from=cors_from, **more)
        server.owner = promote(server, Person(server))
        make_board(server.owner, "Rowing", "rowing")
        make_board(server.owner, "Members", "club", read_by="members")
        server.id = server.post("hello").json()["id"]
        post_on(server.client, "rowing", "on rowing")
        server.of_club = post_on(server.owner.api, "club", "of the club")["id"]
        return server

    return made


def paths(server, slug="rowing"):
    for pattern, handler, *_ in ROUTES:
        if "GET" in allowed_methods(handler) and pattern != "/api/v1/stream" and "facebook" not in pattern:
            name = str(server.id) if "messages/" in pattern or pattern.startswith("/m/") else slug
            yield pattern, re.sub(r"\([^)]*\)", "1", re.sub(r"\([^)]*\)", name, pattern, count=1)).replace("\\", "")


def cors(response):
    return {
        name.lower(): value for name, value in response.headers.items() if name.lower().startswith("access-control-")
    }


@pytest.mark.parametrize(
    "text", ["*, https://a.example", "null", "https://a.example/x", "https://*.example", "http://a.example", "**"]
)
def test_what_is_no_origin_ends_the_start(text, capsys):
    """A star stands alone, for any page."""
    with pytest.raises(SystemExit):
        read_settings([], {"CORS_FROM": text})
    assert capsys.readouterr().err.startswith("longboard: CORS_FROM must be * alone, or ")
    assert read_settings([], {"CORS_FROM": " * "}).cors_from == ("*",)


def test_guests_reading_is_shared_with_those_who_are_named_and_nothing_else_is(site):
    """Each route, as a guest, a member and a stranger's page asks for it. Never with credentials."""
    server = site(f"{BLOG}, https://b.example:8443")
    member = {"Authorization": server.owner.api.headers["Authorization"]}
    shared = set()
    for pattern, path in paths(server):
        for origin in (BLOG, "https://b.example:8443"):
            answer = server.open(headers={"Origin": origin}).get(path)
            if cors(answer):
                shared.add(pattern)
                assert (answer.headers[ALLOW], "Origin" in answer.headers["Vary"]) == (origin, True), path
                assert set(cors(answer)) == {ALLOW.lower(), "access-control-expose-headers"}, path
        for origin in (
            OTHER,
            "null",
            "https://b.example",
            BLOG.upper(),
            f"{BLOG}.evil.example",
            f"{BLOG}/",
            server.url,
            "",
        ):
            assert not cors(server.open(headers={"Origin": origin} if origin else {}).get(path)), (path, origin)
        if "openapi" not in path:  # which looks at no token
            assert not cors(server.open(headers={"Origin": BLOG, **member}).get(path)), path
    assert shared == SHARED - {"/api/v1/stream"}
    assert "Origin" in server.get("/api/v1/messages").headers["Vary"], "a cache in between may have it for another page"
    feed = server.get("/feed.atom")
    again = server.get("/feed.atom", headers={"If-None-Match": feed.headers["ETag"], "Origin": BLOG})
    assert again.status_code == 304 and again.headers["Vary"] == feed.headers["Vary"] == "Origin, Accept-Encoding"


def test_what_only_members_may_read_is_shared_with_nobody(site):
    """A page gets what any guest gets: that there is no such board, also if a member's browser asks."""
    server = site("*")
    cookies = dict(server.owner.browser().cookies)
    for path in (
        "/b/club/get",
        "/api/v1/boards/club/messages",
        "/b/club/feed.atom",
        f"/api/v1/messages/{server.of_club}",
    ):
        hidden = server.open(headers={"Origin": OTHER}).get(path)
        assert hidden.status_code == 404 and "of the club" not in hidden.text, path
        own = server.open(headers={"Origin": OTHER}, cookies=cookies).get(path)
        assert own.status_code == 200 and not cors(own), path


def test_where_members_read_nothing_is_shared(start):
    """With any setting."""
    server = start(cors_from="*", reading="members")
    for path in ("/api/v1/messages", "/get", "/feed.atom", "/api/v1/openapi.json"):
        assert not cors(server.open(headers={"Origin": OTHER}).get(path)), path


def test_a_preflight_allows_reading_and_no_more(site):
    """Also if it asks for more: no token, no cookie, nothing that writes; and for ten minutes at most."""
    server = site(BLOG)
    asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization, x"}
    for pattern, *_ in ROUTES:
        path = re.sub(r"\([^)]*\)", "1", pattern).replace("\\", "")
        for origin in (BLOG, OTHER, "null"):
            answer = server.client.options(path, headers={"Origin": origin, **asks})
            is_shared = pattern in SHARED and origin == BLOG
            expected = {
                "access-control-allow-origin": BLOG,
                "access-control-allow-methods": "GET, HEAD",
                "access-control-allow-headers": "If-Modified-Since, If-None-Match, Last-Event-ID",
                "access-control-max-age": "600",
                "access-control-expose-headers": "Date, ETag, Retry-After",
            }
            assert cors(answer) == (expected if is_shared else {}), (path, origin)
            assert ("Origin" in answer.headers.get("Vary", "")) == (pattern in SHARED), path
    sent = {"Origin": BLOG, "Sec-Fetch-Site": "cross-site"}
    crossed = server.client.post("/api/v1/messages", json={"body": "x"}, headers=sent)
    assert crossed.status_code == 403 and not cors(crossed)


@pytest.mark.parametrize("cors_from", ["", BLOG, "*"])
def test_polls_on_the_fast_path_have_the_bytes_that_they_always_had(start, cors_from):
    """A page's next poll, which is answered without being parsed, has no header of this; one of another site's page has it
    each time.
    """
    server = start(cors_from=cors_from)
    server.post("hello")
    behind = server.cursor.rpartition("-")[0] + "-0"

    plain = [server.open().get(f"/get?after={behind}&wait=0") for _ in range(2)]
    client = server.open(headers={"Origin": BLOG})
    theirs = [client.get(f"/get?after={behind}&wait=0") for _ in range(4)]
    assert [ALLOW in one.headers for one in theirs] == [bool(cors_from)] * 4
    client = server.open()
    own = [client.get(f"/get?after={behind}&wait=0") for _ in range(3)]
    assert not any("Vary" in one.headers or ALLOW in one.headers for one in own[1:])
    assert plain[0].json()["messages"] == theirs[3].json()["messages"] == own[2].json()["messages"]


@pytest.mark.browser
@pytest.mark.asyncio(loop_scope="session")
async def test_a_page_of_another_site_reads_in_a_real_browser(start, visit):
    """A reply, the feed and the stream; not with the session, and not what writes."""
    visit.expect("CORS|ERR_FAILED|status of 40")
    with other_site("127.0.0.1") as other:
        server = start(cors_from=other.origin)
        server.post("hello")
        member = Person(server)
        page = await visit(server, "/", member)
        await page.goto(other.show("<p>reads</p>"))
        said = await page.evaluate(
            """async (home) => {
                const text = (url, options) => fetch(home + url, options).then((one) => one.text(), () => "refused");
                const event = await new Promise((done) => {
                    const source = new EventSource(home + "/api/v1/stream");
                    source.onmessage = ({ data }) => (source.close(), done(data));
                    source.onerror = () => done("refused");
                });
                return [event, await text("/api/v1/messages"), await text("/feed.atom", { headers: { "If-None-Match": "x" } }),
                    await text("/api/v1/messages", { credentials: "include" }), await text("/api/v1/me"),
                    await text("/api/v1/messages", { headers: { Authorization: "Bearer lb_x" } }), await text("/"),
                    await text("/api/v1/messages", { method: "POST", body: new URLSearchParams({ body: "x" }) })];
            }""",
            server.url,
        )
    assert ["hello" in one for one in said[:3]] == [True] * 3 and said[3:] == ["refused"] * 5
    assert len(server.get("/api/v1/messages").json()["messages"]) == 1
