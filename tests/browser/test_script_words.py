"""Pages in another language than English: what scripts say there, and what they do with translations that are no good."""

import json
import re

from playwright.async_api import expect

from handlers.http.static import static_url
from tests.browser.test_tools import point_at, use
from tests.support.boards import make_board, post_on, promote
from tests.support.browser import BROWSER_TEST, NETWORK, message, write
from tests.support.people import Person
from tests.support.script_words import texts

pytestmark = BROWSER_TEST

PLURALS = [0 if count == 1 else 1 for count in range(200)]
ENGLISH = r"""(html) => {
    const shows = (root) => {
        const found = [];
        const nodes = document.createNodeIterator(root, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
        for (let node = nodes.nextNode(); node; node = nodes.nextNode()) {
            const element = node instanceof Element ? node : node.parentElement;
            if (element?.closest(".body, bdi, [lang=''], [dir=auto], time, script, noscript, style, blockquote, .day")) continue;
            const names = ["aria-label", "placeholder", "title"];
            found.push(...(node instanceof Element ? names.map((name) => node.getAttribute(name)) : [node.data]));
            if (node instanceof HTMLTemplateElement) found.push(...shows(node.content));
        }
        return found.map((words) => (words ?? "").trim());
    };
    const ofServer = new Set(shows(new DOMParser().parseFromString(html, "text/html")));
    return shows(document.documentElement)
        .filter((words) => /\p{L}{2}/u.test(words.replace(/⟦.*?⟧/gsu, "").replace(/@\w+|https:/g, "")) && !ofServer.has(words));
}"""
"""What the page shows and the server did not send, without what people wrote, if it is not translated."""

NAME_OF_DELETED = """(url) => import(url).then(({ makeArticle }) => {
    const author = { id: 1, name: "deleted account" };
    const article = makeArticle({ id: 0, body: "", author, created_at: "2026-01-01T00:00:00Z", edited_at: null });
    return article.querySelector(".author").textContent;
})"""


def pseudo():
    """A translation in which each text of ours is marked, with its values in it."""
    plain, counted = texts()
    assert len(plain) > 100 and not plain & {one for one, _ in counted}
    words = {text: f"⟦{text}⟧" for text in plain}
    words |= {one: [f"⟦{one}⟧", f"⟦{many}⟧"] for one, many in counted}
    return words | {"": {"plurals": PLURALS}}


async def translate(page, words=None):
    """Puts translations into each page of the board, as the server does for readers of another language. The list that it
    returns ends with the page as it was sent.
    """
    sent = []
    element = f'<script type="application/json" id="words">{json.dumps(pseudo() if words is None else words)}</script>'
    script = f'<script type="module" src="{static_url("translate.js")}"></script>'

    async def answer(route):
        response = await route.fetch()
        sent.append(await response.text())
        body = sent[-1].replace("<head>", f"<head>{element}{script}", 1)
        await route.fulfill(response=response, body=body.replace('<html lang="en"', '<html lang="ar" dir="rtl"', 1))

    await page.route("**/", answer)
    return sent


async def test_all_that_scripts_say_is_in_the_language_of_the_page(start, visit):
    """A member posts, reacts, replies, edits, pins, deletes, is mentioned here and on another board, looks at the keys,
    completes a name, writes too much, and writes while the server is away.
    """
    visit.expect(NETWORK)
    server = start()
    ada, joe = promote(server, Person(server, "ada", name="Ada")), Person(server, "joe", name="Joe")
    make_board(ada, "Rowing", "rowing")
    joe.post("an old one")
    page = await visit(server, path=None, person=ada, viewport={"width": 1280, "height": 800})
    sent = await translate(page)
    await page.goto("/")

    async def all_is_translated():
        assert await page.evaluate(ENGLISH, sent[-1]) == []

    await write(page, "mine")
    time = message(page, "mine").locator("time")
    assert await time.get_attribute("title") == await time.evaluate(
        "(one) => new Intl.DateTimeFormat('ar', { dateStyle: 'full', timeStyle: 'medium' }).format(new Date(one.dateTime))"
    )
    await expect(page.locator("h2.day")).to_have_text("اليوم")
    await point_at(page, "mine")
    await expect(page.locator(".toolbar button").first).to_have_attribute("title", "⟦Reply⟧")
    await all_is_translated()
    await use(page, "mine", "⟦React⟧")
    await page.get_by_role("button", name="⟦heart⟧").click()
    await expect(message(page, "mine").get_by_role("button", name="⟦1 heart⟧")).to_be_visible()
    await use(page, "an old one", "⟦Reply⟧")
    await expect(page.locator(".replying")).to_contain_text("⟦Replying to⟧ Joe")
    await all_is_translated()
    await write(page, "an answer")
    await expect(message(page, "an answer").locator(".quote")).to_contain_text("⟦In reply to⟧ Joe")
    await use(page, "mine", "⟦Edit⟧")
    await all_is_translated()
    await page.locator(".in-place textarea").fill("mine, changed")
    await page.get_by_role("button", name="⟦Save⟧").click()
    await expect(page.locator(".told")).to_have_text("⟦Saved.⟧")
    await use(page, "mine, changed", "⟦Pin⟧")
    await expect(page.locator("#pinned b")).to_have_text("⟦Pinned⟧")
    await use(page, "mine, changed", "⟦Delete⟧")
    await expect(page.get_by_role("heading", name="⟦Delete this message?⟧")).to_be_visible()
    await all_is_translated()
    await page.get_by_role("button", name="⟦Delete⟧").last.click()
    await expect(page.locator(".told")).to_have_text("⟦Message deleted.⟧")
    await expect(message(page, "mine, changed")).to_have_count(0)

    name = await page.evaluate(NAME_OF_DELETED, static_url("boards/message.js"))
    assert name == "⟦deleted account⟧", "as the server names the author"
    joe.post("look, @ada")
    await expect(message(page, "look, @ada").locator(".to-you")).to_have_text(" ⟦mentions you⟧")
    post_on(joe.api, "rowing", "and @ada here")
    await expect(page.locator("#boards [data-slug=rowing] .unseen")).to_have_text(re.compile(r"^⟦, .*1 new⟧$"))
    await all_is_translated()
    await page.locator("body").press("?")
    await expect(page.locator("dialog#keys dd").first).to_have_text("⟦Write⟧")
    await all_is_translated()
    await page.keyboard.press("Escape")
    await page.locator("#s").press_sequentially("@")
    await expect(page.get_by_role("listbox", name="⟦Members⟧")).to_be_visible()
    await page.locator("#s").fill("x" * 5001)
    await page.get_by_role("button", name="Post").click()
    await expect(page.locator("#hint")).to_have_text(
        re.compile(r"^⟦A message may have \d+ characters; this one has 5001.⟧$")
    )
    await all_is_translated()

    await page.context.set_offline(True)
    await page.locator("#s").fill("to be sent")
    await page.get_by_role("button", name="Post").click()
    await expect(page.locator("#outbox .state")).to_contain_text("⟦Not sent yet. Trying again…⟧")
    await expect(page.locator("#outbox button")).to_have_text(["⟦Edit⟧", "⟦Discard⟧"])
    await expect(page.locator("#sign")).to_have_text("⟦Reconnecting…⟧")
    await all_is_translated()


async def test_the_sheet_on_a_touch_screen_is_in_the_language_of_the_page(start, visit):
    server = start()
    server.post("touch me")
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    page = await visit(server, path=None, **phone)
    await translate(page)
    await page.goto("/")
    await message(page, "touch me").locator(".permalink").tap()
    buttons = page.locator("dialog.sheet button")
    await expect(buttons).to_have_text(["⟦Reply⟧", "⟦Copy link⟧", "⟦More⟧", "⟦Close⟧"])
    assert await buttons.first.evaluate("(one) => getComputedStyle(one).direction") == "rtl"


RUSSIAN = [
    0 if n % 10 == 1 and n % 100 != 11 else 1 if 1 < n % 10 < 5 and not 11 < n % 100 < 15 else 2 for n in range(200)
]
HEARTS = ["%(n)s сердце", "%(n)s сердца", "%(n)s сердец"]
NAME = "$& %(name)s <b>"
NAMED = ["%(name)s mentions you", {"name": NAME}]
CASES = {
    "English": (
        None,
        [
            (["Reply"], "Reply"),
            (NAMED, f"{NAME} mentions you"),
            (["100 %(x)s"], "100 %(x)s"),
            (1, "1 heart"),
            (0, "0 hearts"),
        ],
    ),
    "Russian": (
        {"Reply": "Ответить", NAMED[0]: "%(name)s, да, %(name)s", "%(n)s heart": HEARTS, "": {"plurals": RUSSIAN}},
        [
            (["Reply"], "Ответить"),
            (NAMED, f"{NAME}, да, {NAME}"),
            (["More"], "More"),
            (["constructor"], "constructor"),
            (["100 %(x)s"], "100 %(x)s"),
            *[(count, f"{count} сердце") for count in (1, 21, 101, 201, 1001)],
            *[(count, f"{count} сердца") for count in (2, 34, 1002)],
            *[(count, f"{count} сердец") for count in (0, 11, 100, 111, 199, 200, 211, 3012)],
            (0.5, "0.5 hearts"),
            (-1, "-1 hearts"),
        ],
    ),
    "incomplete": (
        {"Reply": "", NAMED[0]: "%(nome)s: %(name", "%(n)s heart": HEARTS[:1], "": {"plurals": RUSSIAN}},
        [(["Reply"], "Reply"), (NAMED, "%(nome)s: %(name"), (1, "1 сердце"), (3, "3 hearts")],
    ),
    "of the wrong types": (
        {"Reply": 7, "More": ["a"], "%(n)s heart": [None, {}, "сердец"], "": {"plurals": [1, 0, "length", None]}},
        [(["Reply"], "Reply"), (["More"], "More"), (0, "0 hearts"), (1, "1 heart"), (2, "2 hearts"), (3, "3 hearts")],
    ),
    "without plurals": ({"%(n)s heart": HEARTS, "": 3}, [(1, "1 heart"), (2, "2 hearts")]),
    "a text for a plural": ({"%(n)s heart": "сердце", "": {"plurals": RUSSIAN}}, [(1, "1 heart"), (2, "2 hearts")]),
    "a list": ([], [(["Reply"], "Reply"), (2, "2 hearts")]),
    **{kind: (kind, [(["Reply"], "Reply"), (2, "2 hearts")]) for kind in ("null", "{", "7", "")},
}


async def test_texts_get_their_translation_and_values_or_stay_english(server, visit):
    """The form for each count, values as they are, and English for what is missing or malformed."""
    page = await visit(server)
    for case, (words, said) in CASES.items():
        element = words if words is None or isinstance(words, str) else json.dumps(words)
        found = await page.evaluate(
            """async ([words, folder, query, calls]) => {
                document.getElementById("words")?.remove();
                delete globalThis.translated;
                if (words !== null) {
                    const element = document.head.appendChild(document.createElement("script"));
                    [element.type, element.id, element.textContent] = ["application/json", "words", words];
                    await import(`${folder}/translate.js?${query}`);
                }
                const { t, n } = await import(`${folder}/words.js?${query}`);
                const heart = (count) => n("%(n)s heart", "%(n)s hearts", count);
                return calls.map((call) => (typeof call === "number" ? heart(call) : t(...call)));
            }""",
            [element, static_url("").rstrip("/"), str(list(CASES).index(case)), [call for call, _ in said]],
        )
        assert found == [text for _, text in said], case
