"""Where forms say what was refused: at its field, which is marked and has the focus, or else at the top of the form."""

import re

from tests.support.admin import admin
from tests.support.boards import make_club
from tests.support.people import PASSWORD

BOARD = {"name": "Chess", "about": "", "slug": "", "rules": "Be kind", "read_by": "everyone", "write_by": "guests"}
SIGN_UP = {"username": "newcomer", "name": "", "password": PASSWORD}
SETTINGS, OWNER, HIDDEN = "/b/rowing/settings", "/b/rowing/owner", "/b/HIDDEN"
KEPT = ("name", "about", "slug", "rules", "invite", "username", "owner")
"""Fields in which what was typed stays."""
FORMS = [
    # the form, what differs from what it takes, the id of the field, what is said there
    ("/boards/new", {"name": " "}, "name", "A board's name has 1 to 80 characters"),
    ("/boards/new", {"name": "Riverside"}, "name", "This is the name of the site"),
    ("/boards/new", {"about": "x" * 201}, "about", "The line about a board has at most 200 characters"),
    ("/boards/new", {"slug": "No!"}, "slug", "a to z"),
    ("/boards/new", {"slug": "rowing"}, "slug", "Another board has this short name"),
    ("/boards/new", {"rules": "x" * 1001}, "rules", "The rules of a board have at most 1000 characters"),
    ("/boards/new", {"read_by": "invited", "invite": "nobody"}, "invite", "No member has the username or the name"),
    ("/boards/new", {"read_by": "invited", "invite": "a," * 99}, "invite", "Invite at most"),
    (SETTINGS, {"name": ""}, "name", "A board's name has 1 to 80 characters"),
    (SETTINGS, {"about": "x" * 201}, "about", "The line about a board has at most 200 characters"),
    (SETTINGS, {"slug": "lounge"}, "slug", "Another board has this short name"),
    (SETTINGS, {"rules": "x" * 1001}, "rules", "The rules of a board have at most 1000 characters"),
    (SETTINGS, {"read_by": "invited", "invite": "nobody", "closes": "yes"}, "invite", "No member has the username"),
    (SETTINGS, {"read_by": "invited"}, "closes", "tick the box below"),
    (f"{HIDDEN}/settings", {"read_by": "everyone"}, "opens", "tick the box below"),
    (f"{HIDDEN}/settings", {"read_by": "invited", "invite": "nobody"}, "invite", "No member has the username"),
    (f"{HIDDEN}/invite", {"username": "nobody"}, "username", "No member has the username or the name"),
    (f"{HIDDEN}/uninvite", {"username": "nobody"}, None, "There is no member with this username"),
    (OWNER, {"owner": "nobody"}, "new-owner", "No member has the username or the name"),
    ("/b/rowing/delete", {"name": "rowing"}, "delete-name", "This isn't the board's name"),
    (SETTINGS, {"about": "x", "began_from": "0"}, None, "Somebody else has changed these settings"),
    ("/signup", {"username": "No!"}, "username", "A username has 3 to 32 of the letters"),
    ("/signup", {"username": "TAKEN"}, "username", "Somebody has this username already"),
    ("/signup", {"name": "\u3164"}, "name", "A name has 1 to 50 characters that can be seen"),
    ("/signup", {"name": "Moderator"}, "name", "This looks like the name of a moderator"),
    ("/signup", {"password": "short"}, "password", "A password has 8 to 128 characters"),
    ("/signup", {"password": "password"}, "password", "This password is one of the first"),
    ("/signup", {"invite": "made up"}, "invite", "This link was used already"),
    ("/account/name", {"name": "@you"}, "name", "A name has no @"),
    ("/account/password", {"password": "wrong one", "new": PASSWORD * 2}, "password", "This is not your password"),
    ("/account/password", {"password": PASSWORD, "new": "short"}, "new", "A password has 8 to 128 characters"),
    ("/account/tokens", {"name": "", "password": PASSWORD}, "bot", "A name has 1 to 50 characters that can be seen"),
    ("/account/tokens", {"name": "bot", "password": "wrong one"}, "bot-password", "This is not your password"),
    ("/account/delete", {"password": "wrong one"}, "delete-password", "This is not your password"),
]


def place_of(page):
    """Returns the id, or else the name, of the field at which a refusal stands, None at the top of a form; and its words."""
    assert page.count('role="alert"') == page.count('id="refused"') == 1
    words = re.search('id="refused" role="alert">([^<]*)<', page)[1]
    focused = re.search(r"<[^>]* autofocus\b[^>]*>", page)[0]
    if 'id="refused"' in focused:
        assert "aria-invalid" not in page and not re.search('aria-describedby="refused', page)
        return None, words
    [field] = re.findall("<(?:input|textarea)[^>]* aria-invalid[^>]*>", page)
    assert field == focused and re.search('aria-describedby="refused[ "]', field)
    between = page[page.index('id="refused"') : page.index(field)]
    assert not re.search("<(?:input|textarea|button|fieldset)", between), "the words stand just before their field"
    return (re.search(' id="([^"]*)"', field) or re.search(' name="([^"]*)"', field))[1], words


def test_what_is_refused_is_said_at_its_field(start):
    """Each refusal of each long form; the page keeps what was typed."""
    _server, owner, friend, hidden = make_club(start)
    browser, wrongly = owner.browser(), []
    for path, wrong, field, words in FORMS:
        path = path.replace("HIDDEN", hidden)
        whole = SIGN_UP if path == "/signup" else BOARD if path.endswith(("new", "settings")) else {}
        fields = whole | {name: friend.username if text == "TAKEN" else text for name, text in wrong.items()}
        answer = browser.post(path, data=fields)
        assert 400 <= answer.status_code < 500, (path, wrong, answer.status_code)
        if place_of(answer.text)[0] != field or words not in place_of(answer.text)[1]:
            wrongly.append((path, wrong, *place_of(answer.text)))
        kept = {name: text for name, text in fields.items() if name in KEPT}
        assert path.endswith("/uninvite") or all(text in answer.text for text in kept.values()), (path, wrong)
    assert wrongly == []


def test_a_form_for_an_invitation_or_a_new_password_says_it_at_the_field(start):
    """With the link still in its field."""
    server = start(signup="invite")
    data = {"username": "newcomer", "password": PASSWORD, "invite": ""}
    assert place_of(server.client.post("/signup", data=data).text)[0] == "invite"
    owner = admin(f"--database-url={server.settings['database_url']}", "owner").stdout
    link = owner.partition("#")[2].split()[0]
    assert server.client.post("/signup?owner", data=data | {"invite": link}).status_code == 303
    renewed = admin(f"--database-url={server.settings['database_url']}", "password", "newcomer").stdout
    link = renewed.partition("#")[2].split()[0]
    answer = server.open().post("/password", data={"link": link, "password": "short"})
    found, told = place_of(answer.text)
    assert found == "password" and "A password has 8 to 128" in told and f'value="{link}"' in answer.text
