"""Pages that other sites show in a frame: which may, what is there, and for whom it counts."""

import re

import pytest

from handlers.http.base import allowed_methods
from handlers.http.static import FILES
from settings import read_settings
from tests.hostile.test_hidden_boards import exchanged
from tests.support.boards import make_board, post_on, promote
from tests.support.people import Person, session_of
from tests.support.routes import ROUTES

BLOG = "https://blog.example.org"
FRAMED = {r"/embed", r"/b/([^/]+)/embed", r"/m/([^/]+)/embed"}
ONLY_THEN = {*FRAMED, r"/embed\.js", "/oembed"}


@pytest.fixture
def site(start):
    server = start(embed_from=f"{BLOG}, http://localhost:9000")
    server.owner = promote(server, Person(server))
    make_board(server.owner, "Rowing", "rowing")
    server.first = server.post("on the first").json()["id"]
    server.on_rowing = post_on(server.client, "rowing", "on rowing")["id"]
    return server


def ancestors(response):
    return re.search(r"frame-ancestors ([^;]+)", response.headers["Content-Security-Policy"])[1]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("", ()),
        ("https://blog.example.org", (BLOG,)),
        (
            "HTTPS://Blog.Example.ORG:443/ , https://b.example:8443 https://b.example:8443",
            (BLOG, "https://b.example:8443"),
        ),
        ("http://localhost:9000,http://127.0.0.1", ("http://localhost:9000", "http://127.0.0.1")),
    ],
)
def test_origins_are_read_as_browsers_send_them(text, read):
    """In small letters, without the port that goes without saying, each once."""
    assert read_settings([f"--embed-from={text}"], {}).embed_from == read


@pytest.mark.parametrize(
    "text",
    [
        "*", "null", "'self'", "'none'", "https:", "https://*.example.org", "https://*", "http://blog.example.org",
        "https://a.example/blog", "https://a.example?x", "https://a.example#x", "https://user@a.example", "a.example",
        "//a.example", "data:", "https://a.example:0", "https://a.example:99999", "https://a.example:*", "https://[::1]",
        "http://[::1]", "https://bücher.example", "https://a.example; script-src *", "https://a.example;https://b.example",
        "https://a..example", "https://-", "https://.", "file://x", "ftp://a.example", "http://localhost.example.org",
        " ".join(f"https://a{n}.example" for n in range(51)),
    ],
)  # fmt: skip
def test_what_is_no_origin_of_another_site_ends_the_start(text, capsys):
    """Nothing of it gets into a header, and nobody may mean more than is said."""
    with pytest.raises(SystemExit):
        read_settings([], {"EMBED_FROM": text})
    assert capsys.readouterr().err.startswith("longboard: EMBED_FROM must be ")


def test_only_the_three_pages_may_be_framed_and_only_by_those_who_are_named(site):
    """Every other page refuses any frame, for guests and members; so does what is refused elsewhere."""
    names = {"/b/": "rowing", "/m/": str(site.first)}
    framed, others = {}, {}
    for client in (site.client, site.owner.browser()):
        for pattern, handler, *_ in ROUTES:
            if "GET" not in allowed_methods(handler) or "stream" in pattern or "facebook" in pattern:
                continue
            path = re.sub(r"\([^)]*\)", names.get(pattern[:3], "1"), pattern, count=1)
            path = re.sub(r"\([^)]*\)", "1", path).replace("\\", "")
            response = client.get(path, headers={"Sec-Fetch-Dest": "iframe", "Referer": f"{BLOG}/"})
            (framed if pattern in FRAMED else others)[path] = (response.status_code, ancestors(response))
    assert set(framed) == {"/embed", "/b/rowing/embed", f"/m/{site.first}/embed"}
    assert set(framed.values()) == {(200, f"{BLOG} http://localhost:9000")}
    assert len(others) > 60 and {allowed for _, allowed in others.values()} == {"'none'"}


@pytest.mark.parametrize("settings", [{}, {"embed_from": BLOG, "reading": "members"}])
def test_where_nothing_is_embedded_its_addresses_are_none(start, settings):
    """Without the setting, and where guests may not read: byte for byte as any address that nothing is at."""
    server = start(**settings)
    differing = []
    for pattern in ONLY_THEN:
        path = re.sub(r"\([^)]*\)", "1", pattern).replace("\\", "")
        for method in ("GET", "HEAD", "POST", "PUT", "OPTIONS"):
            body = ("application/x-www-form-urlencoded", "s=x") if method == "POST" else None
            there, nowhere = (exchanged(server, method, one, [], body) for one in (path, path[:-1] + "z"))
            if there != nowhere or not re.match(rb"HTTP/1.1 (404|405)", there):
                differing.append((method, path, there, nowhere))
    assert differing == []
    assert "framed" not in server.get("/api/v1/openapi.json").text


def test_it_is_a_guest_s_page_whatever_cookie_comes(site):
    """A member's session writes as a guest and shows nothing of a member; one that has ended is not in the way."""
    member = Person(site)
    cookie = f"longboard-{site.port}={session_of(member.browser())}"
    ended = f"longboard-{site.port}={session_of(member.browser())[:-1]}"
    for path in ("/embed", "/b/rowing/embed", f"/m/{site.on_rowing}/embed"):
        as_guest = re.sub('name="key".*', "", site.open().get(path).text)
        for one in (cookie, ended):
            page = site.open(headers={"Cookie": one}).get(path)
            assert re.sub('name="key".*', "", page.text) == as_guest and "Set-Cookie" not in page.headers
            assert member.username not in page.text and "/account" not in page.text and "moderate" not in page.text
    form = {"s": "from the frame", "as": "", "guest_name": "Zoe"}
    posted = site.open(headers={"Cookie": cookie, "Accept": "application/json"}).post("/embed", data=form)
    assert (posted.status_code, posted.json()["author"], posted.json()["guest_name"]) == (201, None, "Zoe")
    named = form | {"as": member.username}
    refused = site.open(headers={"Cookie": cookie, "Accept": "application/json"}).post("/embed", data=named)
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "signed_out")
    bearer = {"Authorization": member.api.headers["Authorization"], "Accept": "application/json"}
    posted = site.open(headers=bearer).post("/b/rowing/embed", data=form)
    assert (posted.status_code, posted.json()["author"]) == (201, None)


def test_without_scripts_the_form_posts_and_stays_in_the_frame(site):
    """And gives words back that are refused; what another site's page sends is not done."""
    guest = site.open()
    posted = guest.post("/b/rowing/embed?theme=dark", data={"s": "plain", "as": ""})
    assert (posted.status_code, posted.headers["Location"]) == (303, "/b/rowing/embed?theme=dark")
    page = guest.get("/b/rowing/embed?theme=dark")
    assert ">plain</div>" in page.text and 'action="/b/rowing/embed" target="_self"' in page.text
    assert "dark.css" in page.text and '<base target="_blank">' in page.text
    again = guest.post("/b/rowing/embed", data={"s": "long" * 1001, "as": ""})
    assert again.status_code == 422 and "longlong</textarea>" in again.text and 'action="/b/rowing/embed"' in again.text
    assert ancestors(again) == f"{BLOG} http://localhost:9000"
    crossed = guest.post("/embed", data={"s": "not mine"}, headers={"Origin": BLOG, "Sec-Fetch-Site": "cross-site"})
    assert crossed.status_code == 403 and "not mine" not in site.get("/embed").text


def test_each_colour_scheme_is_kept_by_itself_until_the_next_change(site):
    """A kept page is the same as one that was just made, and a wrong scheme is refused."""
    for path in ("/embed", "/b/rowing/embed"):
        for _ in range(2):
            pages = {theme: site.get(f"{path}?theme={theme}").text for theme in ("auto", "light", "dark")}
            assert {theme for theme, page in pages.items() if "/dark.css" in page} == {"dark"}
            assert {theme for theme, page in pages.items() if "/light.css" in page} == {"light"}
            assert 'content="light dark"' in pages["auto"] and 'content="dark"' in pages["dark"]
        refused = site.get(f"{path}?theme=x")
        assert refused.status_code == 400 and "auto, light or dark" in refused.text
    site.post("one more")
    assert "one more" in site.get("/embed?theme=dark").text
    assert b"--paper: #1c1a18" in FILES["dark.css"] and b"color-scheme:light}" in FILES["light.css"]


def test_where_guests_may_not_write_the_frame_says_who_may(start):
    """And takes nothing."""
    server = start(embed_from=BLOG, posting="members")
    assert "<textarea" not in server.get("/embed").text and "Members write here" in server.get("/embed").text
    refused = server.client.post("/embed", data={"s": "x"}, headers={"Accept": "application/json"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "sign_in_first")


def test_a_board_that_closes_is_gone_from_the_frame_at_once(site):
    """With its messages: their addresses are those of messages that never were."""
    assert site.get("/b/rowing/embed").status_code == 200
    site.owner.api.patch("/api/v1/boards/rowing", json={"read_by": "members"})
    for path in ("/b/rowing/embed", f"/m/{site.on_rowing}/embed"):
        for client in (site.client, site.owner.browser()):  # a member is a guest here
            gone = client.get(path)
            assert gone.status_code == 404 and "Rowing" not in gone.text and "on rowing" not in gone.text
    refused = site.client.post("/b/rowing/embed", data={"s": "x"}, headers={"Accept": "application/json"})
    assert refused.json()["error"]["code"] == "no_such_board"


def test_the_script_is_small_and_other_sites_may_load_it(site):
    """Less than 3 KB; it may be kept for an hour, and is no module."""
    script = site.get("/embed.js")
    assert script.status_code == 200 and len(script.content) < 3000 and "import " not in script.text
    assert script.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert (
        script.headers["Content-Type"].startswith("text/javascript")
        and "max-age=3600" in script.headers["Cache-Control"]
    )


def test_scripts_in_the_frame_ask_in_one_way_which_sends_no_cookie():
    """framed.js replaces fetch by one without: none of its scripts keeps another, or asks for something by other means."""
    names, found = ["framed.js"], {}
    for name in names:  # which gets longer
        found[name] = FILES[name].decode()
        used = re.findall(r"""(?:from |import\()["']\./([a-z_]+)\.js|\bload\("([a-z_]+)"\)""", found[name])
        names += {f"{one or other}.js" for one, other in used} - {*names}
    assert {"poller.js", "outbox.js", "tools.js", "opening.js"} <= found.keys()
    assert re.findall(r".*fetch.*", found.pop("framed.js")) == [
        "const { fetch } = window;",
        'window.fetch = (url, options) => fetch(url, { ...options, credentials: "omit" });',
    ]
    calls = {name: re.findall(r"(\S*)\bfetch\b(.)", text) for name, text in found.items() if "fetch" in text}
    assert calls == {"poller.js": [("", "(")]}
    others = "XMLHttpRequest|sendBeacon|EventSource|WebSocket|credentials|serviceWorker"
    assert [name for name, text in found.items() if re.search(others, text)] == []


# --- oEmbed


def oembed(site, id, **more):
    return site.client.get("/oembed", params={"url": f"{site.url}/m/{id}", **more})


def test_a_permalink_says_where_it_is_described_and_that_has_its_frame(site):
    """An editor that is given the address of a message finds the rest by itself."""
    link = re.search(
        r'<link rel="alternate"\s+type="application/json\+oembed".*?href="([^"]+)"',
        site.get(f"/m/{site.first}").text,
        re.S,
    )
    described = site.client.get(link[1].replace("&amp;", "&"))
    assert described.status_code == 200 and described.headers["Content-Type"] == "application/json"
    said = described.json()
    assert (said["version"], said["type"], said["provider_name"]) == ("1.0", "rich", "Longboard")
    assert said["author_name"] == "Guest" and said["title"] == "Guest: on the first"
    address = re.search(r'<iframe src="([^"]+)"', said["html"])[1]
    assert address == f"{site.url}/m/{site.first}/embed" and "on the first" in site.client.get(address).text
    assert oembed(site, site.on_rowing).status_code == 200


def test_a_frame_is_no_larger_than_the_asker_has_room_for(site):
    """Each bound is obeyed by itself, down to one pixel; what is no bound is refused."""
    long = site.post("a line\n\nand another " * 50).json()["id"]
    for most in ({}, {"maxwidth": 320}, {"maxheight": 90}, {"maxwidth": 1, "maxheight": 1}, {"maxwidth": 10**9}):
        said = oembed(site, long, **most).json()
        assert 0 < said["width"] <= most.get("maxwidth", 600) and 0 < said["height"] <= most.get("maxheight", 600)
        assert f'width="{said["width"]}" height="{said["height"]}"' in said["html"]
    assert oembed(site, site.first).json()["height"] < oembed(site, long).json()["height"] == 600
    for wrong in ({"maxwidth": 0}, {"maxheight": "x"}, {"maxwidth": "-5"}, {"maxheight": "1" * 30}):
        assert oembed(site, long, **wrong).json()["error"]["code"] == "bad_number"
    for format, status in (("json", 200), ("", 200), ("xml", 501), ("JSON", 501)):
        assert oembed(site, site.first, format=format).status_code == status


def test_what_guests_may_not_read_is_described_as_what_never_was(site):
    """Nor has its page a link to the description; other sites' addresses are none of ours."""
    reader = site.owner.browser()
    assert "json+oembed" in reader.get(f"/m/{site.on_rowing}").text
    site.owner.api.patch("/api/v1/boards/rowing", json={"read_by": "members"})
    assert "json+oembed" not in reader.get(f"/m/{site.on_rowing}").text
    never = oembed(site, 999_999)
    assert never.status_code == 404
    for client in (site.client, reader):
        hidden = client.get("/oembed", params={"url": f"{site.url}/m/{site.on_rowing}"})
        assert (hidden.status_code, hidden.content) == (404, never.content)
    id, host = site.first, site.url.removeprefix("http://")
    for url in (
        f"http://evil.example/m/{id}", f"{site.url}.evil.example/m/{id}", f"http://user@{host}/m/{id}", f"//{host}/m/{id}",
        f"/m/{id}", f"javascript://{host}/m/{id}", f"{site.url}/m/{id}/", f"{site.url}/m/{id}/edit", f"{site.url}/m/x",
        f"{site.url}/", f"http://[::1/m/{id}", f"{site.url}/m/\u0661", f"{site.url}/m/{'9' * 40}", "x" * 5000,
    ):  # fmt: skip
        answer = site.client.get("/oembed", params={"url": url})
        assert (answer.status_code, answer.content) == (404, never.content), url
    assert site.get("/oembed").json()["error"]["code"] == "bad_field"


def test_words_of_a_message_are_no_markup_in_its_description(site):
    """A consumer puts the HTML into its page as it is."""
    id = site.post('"><script>alert(1)</script>', guest_name='<b>"Zoe').json()["id"]
    html = oembed(site, id).json()["html"]
    assert re.fullmatch(r"<iframe [^<>]*></iframe>", re.sub(r'title="[^"]*"', "", html)) and "<script" not in html
