"""Names that are nobody's to take, usernames with a blank, and passwords in all their forms."""

import contextlib
import unicodedata

import pytest

import board.passwords
from board.account_names import NAME_LENGTH, clean_label, clean_name, clean_username, name_from_elsewhere
from board.passwords import PASSWORD_FORM_MAX, PASSWORD_MAX, Passwords, argon2id_of, check_password
from board.text import BadTextError
from board.turns import ANYBODY
from storage.records import Password
from storage.skeletons import skeleton, table
from tests.support import hashing
from tests.support.admin import run_in
from tests.support.people import PASSWORD, Person, refused


def sign_in(server, username, password):
    return server.client.post("/api/v1/signin", json={"username": username, "password": password})


# --- names


ALIKE = [
    ("Grace Hopper", "GRACE  hopper"), ("Grace Hopper", "Grace\u00a0Hopper"), ("Grace Hopper", "Ｇｒａｃｅ Hopper"),
    ("Grace Hopper", "Grасе Hорреr"), ("Grace Hopper", "Gr\u200da\u00adce Hopper"), ("Alan", "AIan"), ("ALAN", "a1an"),
    ("Moderator", "m0derаt0r"), ("modern", "rnodern"), ("Guest", "Ⓖⓤⓔⓢⓣ"), ("ADMIN", "admin"), ("admin", "admi\u0307n"), ("admin", "ADMİN"), ("John", "j\u0307ohn"), ("Ian", "ı\u0307\u0307an"),
    ("Grace", "Gr\U0001d159a\U00013430ce"), ("é", "e\u0301"), ("\u2126mega", "\u03a9mega"),
    ("Mod", "M\u0332o\u0332d\u0332"), ("Mod", "Mod\u20dd"), ("Admin", "Admin\u0333"), ("Guest", "Gue\u017ft"), ("Guest", "Gue\ufb05"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "other"), ALIKE)
def test_names_that_look_alike_have_one_skeleton(name, other):
    """In any case, width and spacing; with letters of other scripts, and with what nobody sees."""
    assert skeleton(name) == skeleton(other) and name != other


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("Guest", "Guest 2"),
        ("Grace Hopper", "Gracie Hopper"),
        ("Our Board", "board"),
        ("Ada", "Áda"),
        ("山", "出"),
        ("👍", "👎"),
    ],
)
def test_other_names_have_other_skeletons(name, other):
    assert skeleton(name) != skeleton(other)


def test_nobody_takes_a_moderators_name(start):
    """Not at sign-up, nor later; the moderator keeps it, and so does whoever had it before."""
    server = start(title="Our Board")
    early = Person(server, name="Grace Hopper")
    grace, ada = Person(server, username="grace", name="Grace Hopper"), Person(server, name="Ada")
    assert run_in(server.database.parent, "promote", "grace")
    for fields in ({"username": "other", "name": "grace hopper"}, {"username": "guest"}, {"username": "administrator"},
                   {"username": "other", "name": "Grасе Hорреr"}, {"username": "other", "name": "Gr\u200bace Hopper"},
                   {"username": "other", "name": "OUR BOARD"}):  # fmt: skip
        answer = server.client.post("/api/v1/signup", json={**fields, "password": PASSWORD})
        assert refused(answer, 422, "name_reserved")
    page = ada.browser().post("/account/name", data={"name": "Grace  hopper"})
    assert page.status_code == 422 and "like the name of a moderator" in page.text
    assert grace.browser().post("/account/name", data={"name": "Grace Hopper"}).status_code == 303
    assert early.browser().post("/account/name", data={"name": "Grace Hopper"}).status_code == 303
    assert early.post("still here")["author"] == {"id": early.id, "name": "Grace Hopper", "username": early.username}
    by_grace = {"id": grace.id, "name": "Grace Hopper", "username": "grace", "role": "moderator"}
    assert grace.post("here, too")["author"] == by_grace


def test_a_name_with_an_at_is_no_name_and_what_is_no_person_may_have_one():
    """In any width, as a name with it could show another's username beside it."""
    for name in ("Ada @home", "Ada ＠home", "@"):
        with pytest.raises(BadTextError, match="no @") as refused:
            clean_name(name)
        assert (refused.value.code, clean_label(name)) == ("bad_name", name)
        assert clean_name(f" {name}", kept=name) == name, "it came from elsewhere"


def test_an_index_takes_the_skeleton_of_each_name():
    """An entry of PostgreSQL's has at most 2704 bytes. A character may look like eighteen."""
    codes = {*table(), *(code for code in range(0x110000) if unicodedata.decomposition(chr(code)))}
    most = max(len(skeleton(chr(code)).encode()) for code in codes)
    assert most > 18 and NAME_LENGTH * most < 2704


NEEDED = {
    "a family": "👩\u200d👩\u200d👧", "with a skin colour": "👩🏽\u200d🚀 Ann", "a region's flag": "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    "a heart": "❤\ufe0f", "a keycap": "1\ufe0f\u20e3", "a rainbow": "🏳\ufe0f\u200d🌈", "Persian": "علی\u200cرضا", "Hindi": "क्\u200dष",
    "Sinhala": "ශ්\u200dරී", "Bengali": "র\u200d্যা", "Japanese": "葛\U000e0100城", "Mongolian": "ᠨ\u180b",
}  # fmt: skip


@pytest.mark.parametrize("kind", NEEDED)
def test_what_scripts_and_emoji_need_stays_in_a_name(kind):
    assert clean_name(NEEDED[kind]) == NEEDED[kind] == name_from_elsewhere(NEEDED[kind])


@pytest.mark.parametrize(
    ("name", "kept"),
    [("Z" + 2 * ("\u0300" * 8 + "\u200b"), "Z" + "\u0300" * 8), ("Gr\u200bace", "Grace"), ("Gr\u00ada\u2060ce\ufeff", "Grace"), ("A\u200dda", "Ada"), ("A\u200cda", "Ada"), ("\u200dAda\u200d", "Ada"),
     ("Ada\ufe0f", "Ada"), ("Ada\U000e0100", "Ada"), ("1\ufe0f", "1"), ("❤\ufe0f\ufe0f", "❤\ufe0f"), ("x\U000e0041y", "xy"),
     ("🏴\U000e0067 Ann", "🏴 Ann"), ("Ada\u115f\u3164", "Ada"), ("Gr\U0001d159a\U00013430ce", "Grace"), ("\u202eadA\u202c", "adA"), ("\u2067Ada\u2069\u200f\u061c", "Ada"),
     ("👩\u200d\u200d👧", "👩\u200d👧"), ("علی\u200dرضا", "علیرضا"), ("क\u200dष", "कष")],
)  # fmt: skip
def test_what_nobody_sees_in_a_name_goes(name, kept):
    """Nothing of it can turn the line around, or make two names that look the same."""
    assert clean_name(name) == kept == clean_name(kept) == name_from_elsewhere(name)


# --- usernames


@pytest.mark.parametrize("typed", ["ada ", " ada", "\tAda\n", "ada\u00a0", "ADA  "])
def test_a_username_is_read_without_blanks_around_it(typed):
    """A phone's keyboard adds one."""
    assert clean_username(typed) == "ada"


def test_blanks_are_forgiven_wherever_a_username_is_typed(start):
    """Signing up, signing in, and at the command line."""
    server = start()
    fields = {"username": "ada ", "password": PASSWORD}
    assert server.client.post("/api/v1/signup", json=fields).json()["account"]["username"] == "ada"
    assert sign_in(server, " ada ", PASSWORD).status_code == 200
    assert server.open().post("/signin", data={"username": "Ada ", "password": PASSWORD}).status_code == 303
    assert run_in(server.database.parent, "promote", "ada ")
    assert refused(sign_in(server, "a da", PASSWORD), 401, "wrong_password")


# --- passwords

COMPOSED, DECOMPOSED = "un café passé", unicodedata.normalize("NFD", "un café passé")


def test_a_password_is_the_same_on_every_keyboard(start):
    """Composed or not; blanks and capitals stay what they are."""
    server = start()
    for known, typed in ((COMPOSED, DECOMPOSED), (DECOMPOSED, COMPOSED), (DECOMPOSED, DECOMPOSED)):
        person = Person(server, password=known)
        assert sign_in(server, person.username, typed).status_code == 200
        for wrong in (f"{typed} ", typed.upper(), "un cafe passe"):
            assert refused(sign_in(server, person.username, wrong), 401, "wrong_password")


async def test_hashes_of_the_raw_form_still_fit_and_are_made_anew():
    """As they were made before."""
    passwords = Passwords()
    old = Password(await passwords._run(ANYBODY, argon2id_of, DECOMPOSED))
    assert await passwords.verify(old, COMPOSED) is None
    form = await passwords.verify(old, DECOMPOSED)
    assert form == DECOMPOSED and passwords.is_outdated(old, form)
    new = await passwords.hash(DECOMPOSED)
    assert await passwords.verify(new, DECOMPOSED) == COMPOSED and not passwords.is_outdated(new, COMPOSED)
    passwords.close()


async def test_where_there_is_no_password_the_work_is_the_same_and_none_is_right():
    """Its hash has the parameters of a board's hashes (OWASP's Password Storage Cheat Sheet), and nothing fits it."""
    with hashing.costly(), contextlib.closing(Passwords()) as passwords:
        made = await passwords.hash("a few random words")
        nobody = board.passwords.NOBODY
        assert made.hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
        assert nobody.rpartition("$")[0].rpartition("$")[0] == made.hash.rpartition("$")[0].rpartition("$")[0]
        assert not passwords.is_outdated(Password(nobody), "")
        assert await passwords.verify(Password(None), "a few random words") is None


def test_length_is_counted_in_the_form_that_is_kept():
    """128 letters with an accent each are 128; far more is refused before any work."""
    check_password(unicodedata.normalize("NFD", "éèàüöäñç" * 16))
    for long in ("éèàüöäñç" * 16 + "x", "e" + "\u0301\u0323" * PASSWORD_FORM_MAX):
        with pytest.raises(BadTextError, match=f"8 to {PASSWORD_MAX}"):
            check_password(long)


@pytest.mark.parametrize(
    "password", ["longboard7", "Longboard1!", "longboardlongboard", "ada_lovelace", "AdaLovelace99", "lovelace2024",
                 "draobgnol1", "ada.longboard"],
)  # fmt: skip
def test_names_are_no_passwords(password):
    """The board's, one's own, their parts, backwards, with some digits."""
    with pytest.raises(BadTextError, match="your name and the board's"):
        check_password(password, "ada_lovelace", "Ada Lovelace", "Longboard")


@pytest.mark.parametrize(
    "password", ["correct horse battery", "longboard and other words", "ada83-61749", "🐶🐱🐭🐹🐰🦊🐻🐼 ada"]
)
def test_a_name_may_stand_beside_enough_else(password):
    """What counts is what is left without it."""
    check_password(password, "ada_lovelace", "Ada Lovelace", "Longboard")


@pytest.mark.parametrize("path", ["/api/v1/signup", "/account/password"])
def test_the_boards_name_is_no_password(start, path):
    """Wherever one is chosen."""
    server = start(title="Rabbit Hole")
    if path == "/account/password":
        page = Person(server).browser().post(path, data={"password": PASSWORD, "new": "Rabbithole1"})
        assert page.status_code == 422 and "the board's first" in page.text
    else:
        fields = {"username": "somebody", "password": "Rabbithole1"}
        assert refused(server.client.post(path, json=fields), 422, "password_common")
