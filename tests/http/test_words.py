"""The words of pages in another language: all of them, and in English as if there were no other."""

import dataclasses
import gettext
import json
import re

import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.httputil import HTTPHeaders

from board.limits import Limits
from handlers.http.base import Page
from handlers.http.catalogues import Catalogue, fits
from handlers.http.language import Language
from handlers.http.languages import Languages
from tests.support.all_pages import NAMES as NAMES_OF_PAGES
from tests.support.all_pages import AllPages
from tests.support.in_process import running
from tests.support.pseudo import TAG, in_pseudo, ours, write_catalogue
from tests.support.routes import ROUTES


def test_no_word_is_forgotten(start, tmp_path):
    """On each page, for guests, members and moderators, and with each refusal: all words are in the catalogue."""
    pages = AllPages(start, locales=write_catalogue(tmp_path / "locales"))
    forgotten, seen = {}, 0
    for who, what, response in pages.all(**{"Accept-Language": TAG}):
        seen += 1
        assert f'<html lang="{TAG}" dir="rtl">' in response.text, what
        assert response.headers["Vary"].startswith("Accept-Language"), what
        if left := ours(response.text):
            forgotten[f"{who} {what}"] = left
    assert seen > 300
    asked = [path.partition("?")[0] for path in (*pages.paths(), *(path for path, _ in pages.forms()))]
    for pattern, handler, *_ in ROUTES:
        is_asked = any(re.fullmatch(pattern, path) for path in asked)
        assert is_asked or not issubclass(handler, Page), f"tests/support/all_pages.py lacks {pattern}"
    assert not forgotten, "\n".join(f"{what}: {words}" for what, words in forgotten.items())


def test_english_pays_nothing_where_there_is_no_catalogue(start):
    """For each language that a browser asks for, the page has the same bytes, and no header or element for languages."""
    server = start()
    plain, asked = (server.get("/", headers=headers) for headers in ({}, {"Accept-Language": f"{TAG}, de;q=0.5"}))
    assert without_key(plain.text) == without_key(asked.text)
    assert plain.headers["Vary"] == asked.headers["Vary"] == "Accept-Encoding"
    assert '<html lang="en">' in plain.text and 'id="words"' not in plain.text
    assert "Vary" not in server.get("/get").headers and "set-cookie" not in plain.headers


def without_key(page):
    return re.sub(r'name="key" value="[^"]+"', "", page)


async def test_two_languages_on_one_kept_page_never_mix(tmp_path):
    """In turns, from handlers and from what is kept, before and after each change, compressed and not."""
    folder = write_catalogue(tmp_path / "locales")
    async with running(tmp_path, f"--locales={folder}", "--title=Zzq") as house:
        for number in range(4):
            await house.storage.append(None, f"zzz{number}", None)
            await house.board.waiters.deliver()
            made = [[await front(house, tag, packed) for tag in ("en", TAG) * 2] for packed in (True, False)]
            for english, pseudo, *again in made:
                assert again == [english, pseudo]
                assert '<html lang="en">' in english and f'<html lang="{TAG}" dir="rtl">' in pseudo
                assert f"zzz{number}" in english and f"zzz{number}" in pseudo
                assert "Write something" in english and not ours(pseudo), ours(pseudo)
            assert made[0] == made[1]
            kept = house.board.waiters.recent.derived["front"]
            assert [tag for _, tag, _ in kept] == ["en", TAG]
        for path in ("/m/1", "/?before=3", "/nowhere", "/search?q=zzz1"):
            english, pseudo, *again = [await front(house, tag, True, path) for tag in ("en", TAG) * 2]
            assert again == [english, pseudo], path
            assert ours(english) and not ours(pseudo), (path, ours(pseudo))


async def front(house, tag, packed, path="/"):
    """The page without what differs from visitor to visitor."""
    asked = {"Accept-Language": tag}
    answer = await AsyncHTTPClient().fetch(
        f"http://127.0.0.1:{house.port}{path}", headers=asked, decompress_response=packed, raise_error=False
    )
    assert answer.headers["Vary"].startswith("Accept-Language")
    return without_key(answer.body.decode())


@pytest.mark.parametrize(
    ("accepted", "tag"),
    [
        ("", "en"), ("ar-XB", "ar-XB"), ("AR-xb", "ar-XB"), ("ar-XB-x-more", "ar-XB"), ("ar", "ar-XB"), ("ar-EG", "ar-XB"), ("de-AT", "de"),
        ("de", "de"), ("en-GB, de", "en"), ("de;q=0.5, ar-XB;q=0.8", "ar-XB"), ("de;q=0.8, ar-XB;q=0.8", "de"),
        ("fr, de;q=0.1", "de"), ("de;q=0, ar-XB;q=0.1", "ar-XB"), ("de;q=0", "en"), ("de;q=0.000", "en"), ("*", "en"),
        ("*;q=1, de;q=0.9", "de"), ("de;q=9", "en"), ("de;q=-1", "en"), ("de;q=nan", "en"), ("de;q=1e9", "en"), ("de;q", "en"),
        (";;;,,,", "en"), ("\xe4\xff", "en"), ("d\u0435", "en"), ("de" * 5000, "en"), (",".join(["fr"] * 10_000), "en"),
        (",".join(["fr"] * 10_000 + ["de"]), "en"), ("-" * 2000, "en"), ("a-" * 1000, "en"), ("de ; Q = 0.7 , fr", "de"),
    ],
)  # fmt: skip
def test_the_language_that_a_browser_prefers(languages, accepted, tag):
    """By weights, with or without a region; all else there is no language."""
    assert languages.asked(HTTPHeaders({"Accept-Language": accepted})).tag == tag


@pytest.fixture(scope="module")
def languages(tmp_path_factory):
    """English, German and the made-up language."""
    folder = tmp_path_factory.mktemp("locales")
    write_catalogue(folder)
    return Languages(str(write_catalogue(folder, tag="de", plurals="nplurals=2; plural=n != 1;")))


def test_a_header_of_any_length_is_answered(start, tmp_path):
    server = start(locales=write_catalogue(tmp_path / "locales"))
    long, too_long = ",".join(["fr;q=0.1"] * 1500), ",".join(["fr;q=0.1"] * 10_000)
    assert server.get("/", headers={"Accept-Language": long}).status_code == 200
    assert server.get("/", headers={"Accept-Language": too_long}).status_code == 431
    pages = [server.get("/", headers=[("Accept-Language", "fr"), ("Accept-Language", TAG)]).text for _ in range(2)]
    assert all(f'lang="{TAG}"' in page for page in pages)


@pytest.mark.parametrize(
    "worse",
    [
        lambda text: re.sub(r"%\(\w+\)s", "", text),
        lambda text: text.replace("%(", "%(no_"),
        lambda text: text + " %(none)s",
        lambda text: text + " %(n)s",
        lambda text: text + " 100 %" if "%(" in text else text,
        lambda text: text + " %s %d" if "%(" in text else text,
        lambda text: text + "<script>alert(1)</script>",
        lambda text: text + '<img src=x onerror="alert(1)">',
        lambda text: text + "<b>",
        lambda text: text.replace(" ", ""),
        lambda text: re.sub(r"<(\w+)>(.*)</\1>", r"</\1>\2<\1>", text),
        lambda text: "\u202e" + text + '"></a></p><!-- \\ \x00 {{ 1 }}',
    ],
)
def test_a_translation_that_does_not_fit_stays_english_or_is_text(start, tmp_path, worse):
    """Without its placeholders, with others, and with markup: no page fails, and none has what is not ours as markup."""
    server = start(locales=write_catalogue(tmp_path / "locales", worse), **NAMES_OF_PAGES)
    server.post("zzz", guest_name="Zzz")
    for path in ("/", "/signin", "/signup", "/privacy", "/api", "/search?q=z", "/m/1", "/zzz", "/search?q=before:z"):
        page = server.get(path, headers={"Accept-Language": TAG})
        assert page.status_code in (200, 404, 422), page.text
        assert f'lang="{TAG}"' in page.text
        for bad in ("<script>", "<img src=x", "<!-- ", "%(no", 'onerror="', "</a></p><"):
            assert bad not in page.text.replace("</a></p><p", ""), (path, bad)
    assert "Traceback" not in server.log.read_text()


NO_RULES = ("n/0", "n*1000000", "n-1")


@pytest.mark.parametrize("file", [b"", b"no catalogue", b"\xde\x12\x04\x95" + b"\xff" * 40, *NO_RULES])
def test_a_catalogue_that_cannot_be_read_is_warned_of(start, tmp_path, file):
    """The board starts, in English, and says which file it is. So it does for a file whose plural rule is nonsense."""
    if file in NO_RULES:
        write_catalogue(tmp_path / "locales", plurals=f"nplurals=2; plural={file};")
    else:
        path = tmp_path / "locales" / TAG / "LC_MESSAGES" / "longboard.mo"
        path.parent.mkdir(parents=True)
        path.write_bytes(file)
    server = start(locales=tmp_path / "locales")
    page = server.get("/", headers={"Accept-Language": TAG})
    assert '<html lang="en">' in page.text and page.headers["Vary"] == "Accept-Encoding"
    assert f"{TAG}/LC_MESSAGES/longboard.mo can't be used" in server.log.read_text()


def test_the_words_of_scripts_are_in_pages_of_other_languages(start, tmp_path):
    """As JSON in an element that nothing in it can end."""
    folder = write_catalogue(tmp_path / "locales", lambda text: f"{text}</script \u2028>")
    server = start(locales=folder)
    [words] = re.findall(
        r'<script type="application/json" id="words">(.*?)</script>',
        server.get("/", headers={"Accept-Language": TAG}).text,
    )
    plurals = json.loads(words)[""]["plurals"]
    assert len(plurals) == 200 and plurals[:4] == [0, 1, 2, 3] and plurals[11] == 4 and plurals[100] == 5
    with (folder / TAG / "LC_MESSAGES" / "longboard.mo").open("rb") as file:
        catalogue = Catalogue(file)
    text = catalogue.for_scripts(["Post", "%(n)s heart", "is not there"])
    assert "<" not in text
    found = json.loads(text)
    assert found["Post"] == f"{in_pseudo('Post')}</script \u2028>" and "is not there" not in found
    assert len(found["%(n)s heart"]) == 6
    assert catalogue.ngettext("%(n)s heart", "%(n)s hearts", 10**30 + 3) == found["%(n)s heart"][3]


def test_scripts_of_a_page_get_refusals_in_its_language_and_programs_in_english(start, tmp_path):
    """With the same code. Browsers say of requests whether a page of this site makes them."""
    server = start(locales=write_catalogue(tmp_path / "locales"))
    for path in ("/add", "/api/v1/messages"):
        sent = {"data": {"s": "", "body": ""}, "headers": {"Accept": "application/json", "Accept-Language": TAG}}
        program = server.client.post(path, **sent).json()["error"]
        scripts = [{"Sec-Fetch-Site": "same-origin"}, {"Origin": server.url}]  # the second is what plain http has
        script, other = [server.client.post(path, **of_page(sent, site)).json()["error"] for site in scripts]
        assert script == other
        assert program["code"] == script["code"] == "body_empty"
        assert program["message"] == "There is nothing in this message to read. Write something first."
        assert script["message"] == in_pseudo(program["message"])


def test_a_catalogue_of_english_changes_its_words(start, tmp_path):
    """Then there is one language still, so nothing is chosen."""
    folder = write_catalogue(tmp_path / "locales", tag="en", plurals="nplurals=2; plural=n != 1;")
    page = start(locales=folder, title="Zzq").get("/")
    assert '<html lang="en">' in page.text and not ours(page.text)
    assert page.headers["Vary"] == "Accept-Encoding"


def of_page(sent, headers):
    return sent | {"headers": sent["headers"] | headers}


@pytest.mark.parametrize(
    ("tag", "direction"),
    [("ar", "rtl"), ("ar-EG", "rtl"), ("pa-Arab-PK", "rtl"), ("ar-Latn", ""), ("he", "rtl"), ("de", ""), ("de-CH", "")],
)
def test_the_direction_of_a_language_is_that_of_its_script(tag, direction):
    assert Language(tag, gettext.NullTranslations()).dir == direction


def test_a_text_that_cannot_be_sent_stays_english():
    """Half of a surrogate pair comes of a catalogue in a strange encoding. No answer could have it."""
    assert fits("Post", "Post\U0001f3fb") and not fits("Post", "Post\ud83c")


async def test_front_pages_in_many_languages_count_as_reading(tmp_path):
    """With four names of the host and nine languages: what is made for nothing is as much as with one language."""
    tags = ("aa", "ab", "af", "ak", "am", "an", "as", "av")
    for tag in tags:
        write_catalogue(tmp_path / "locales", tag=tag)
    async with running(tmp_path, f"--locales={tmp_path / 'locales'}") as house:
        limits = Limits(lambda: 0.0)
        house.application.context.site = dataclasses.replace(house.board, limits=limits)
        while not limits.reading.take("127.0.0.1"):
            pass
        asked = [{"Accept-Language": tag, "Host": host} for tag in ("en", *tags) for host in ("a", "b", "c", "d")]
        client, url = AsyncHTTPClient(), f"http://127.0.0.1:{house.port}/"
        codes = [(await client.fetch(url, headers=one, raise_error=False)).code for one in asked]
    assert codes == [200] * 4 + [429] * (len(asked) - 4)
