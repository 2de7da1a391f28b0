"""Identities in storage: every engine links, finds, renames, unlinks and erases them alike."""

# ruff: noqa: F811 (the fixtures of the suite for storage)
import asyncio
import itertools

import pytest

from board.account_names import USERNAME, clean_name, name_from_elsewhere, usernames
from storage.errors import (
    IdentityTakenError,
    LastWayInError,
    LinkGoneError,
    NotAllowedError,
    NotFoundError,
    OutdatedError,
    UsernameTakenError,
)
from storage.people import Picture
from storage.records import GUEST, OPERATOR, Password
from storage.ways_in import OWNER_LINK_USED
from tests.storage.test_storage import ADA, bodies, snapshot, storage  # noqa: F401 (a fixture)

APP, ID = "1111", "2222"
LATER = 10**14  # milliseconds, in a time far off
PICTURE = Picture("image/png", b"\x89PNG\r\n\x1a\n...")


@pytest.fixture
def url(empty_url):
    """Without a board: it is made in the test."""
    return empty_url


async def join(storage, name="Grace Hopper", facebook_id=ID, names=("grace", "grace_2")):
    return await storage.create_account_with_identity("facebook", APP, facebook_id, name, names)


async def session(storage, account_id, hash=b"h", **options):
    return await storage.create_credential(account_id, "session", hash, "A browser", **options)


async def test_the_secret_is_made_once_and_kept(storage, url):
    """What was signed before a restart is good after it."""
    from storage import open_storage

    secret = await storage.secret()
    again = await open_storage(url)
    assert len(secret) == 32 and await again.secret() == secret
    await again.close()


async def test_something_signed_is_used_once(storage):
    """Also when it comes twice at the same time."""
    outcomes = await asyncio.gather(*(storage.use_once(b"state", LATER) for _ in range(5)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes if outcome] == [LinkGoneError] * 4
    await storage.use_once(b"other", 1)
    await storage.forget(0, 0)
    await storage.use_once(b"other", LATER)
    with pytest.raises(LinkGoneError):
        await storage.use_once(b"state", LATER)


async def test_an_account_is_found_by_app_and_id(storage):
    """The same id of another app is somebody else."""
    made = await join(storage)
    assert (made.account.username, made.account.name, made.subject) == ("grace", "Grace Hopper", ID)
    assert [await storage.identity("facebook", APP, ID)] == [made] == await storage.identities_of(made.account.id)
    assert (await storage.password("grace"))[1] == Password(None)
    for app_id, facebook_id in (("other", ID), (APP, "other")):
        with pytest.raises(NotFoundError):
            await storage.identity("facebook", app_id, facebook_id)
    assert await storage.identities_of(ADA.id) == []


async def test_one_person_who_comes_twice_at_once_gets_one_account(storage):
    """Two tabs, one account; and the next person of that name gets the next free username."""
    made = await asyncio.gather(*(join(storage) for _ in range(5)))
    assert len({identity.account.id for identity in made}) == 1
    other = await join(storage, facebook_id="3333")
    assert other.account.username == "grace_2"
    with pytest.raises(UsernameTakenError):
        await join(storage, facebook_id="4444")


async def test_an_invitation_counts_for_one_account(storage):
    """The second who brings it stays outside."""
    await storage.create_link("invite", b"invitation", None, LATER)
    await storage.create_account_with_identity("facebook", APP, ID, "Grace", ["grace"], b"invitation")
    with pytest.raises(LinkGoneError):
        await storage.create_account_with_identity("facebook", APP, "3", "Bob", ["bobby"], b"invitation")
    with pytest.raises(NotFoundError):
        await storage.identity("facebook", APP, "3")


async def test_linking_is_one_to_one(storage):
    """An id belongs to one account, an account has one id, and saying it again is no error."""
    linked = await storage.create_identity(ADA.id, "facebook", APP, ID, "Ada at Facebook")
    assert await storage.create_identity(ADA.id, "facebook", APP, ID, "Ada at Facebook") == linked
    for account_id, facebook_id in ((ADA.id, "3333"), (2, ID)):
        with pytest.raises(IdentityTakenError):
            await storage.create_identity(account_id, "facebook", APP, facebook_id, "x")
    assert linked.account.name == "Ada"


async def test_an_account_has_an_identity_of_each_provider(storage):
    """Each ends with what came from it, and the other stays."""
    first = await storage.create_identity(ADA.id, "facebook", APP, ID, "Ada F")
    other = await storage.create_identity(ADA.id, "example", "https://id.example", "ada", "Ada E")
    assert await storage.identities_of(ADA.id) == [first, other]
    assert (first.provider, other.provider) == ("facebook", "example")
    with pytest.raises(IdentityTakenError):
        await storage.create_identity(ADA.id, "example", "https://id.example", "another", "x")
    await storage.set_picture(other.id, PICTURE)
    assert await storage.picture(ADA.id) == await storage.picture(ADA.id, "example") == PICTURE
    with pytest.raises(NotFoundError):
        await storage.picture(ADA.id, "facebook")
    for identity, hash in ((first, b"by facebook"), (other, b"by example")):
        made = await session(storage, ADA.id, hash, identity_id=identity.id)
        await storage.create_credential(ADA.id, "bot", hash + b", a bot", "bot", by=made.id)
    await storage.deauthorize_identity("example", "https://id.example", "ada", LATER)
    assert [c.provider for c in await storage.credentials(ADA.id)] == ["facebook", "facebook"]
    kept = await session(storage, ADA.id, b"by example", identity_id=other.id)
    await storage.dismiss_notice(ADA.id, "facebook")
    assert [one.notice_at is None for one in await storage.identities_of(ADA.id)] == [True, False]
    await storage.unlink_identity(ADA.id, "facebook")
    assert [c.id for c in await storage.credentials(ADA.id)] == [kept.id]
    assert [one.provider for one in await storage.identities_of(ADA.id)] == ["example"]


async def test_another_way_in_counts_if_its_provider_is_set_up(storage):
    """With the app id that it was linked with; a password counts only where passwords do."""
    made = await join(storage)
    id = made.account.id
    other = await storage.create_identity(id, "example", "https://id.example", "ada", "Ada E")
    for app_ids in ((), {("example", "another")}, {("facebook", APP)}, {("another", "https://id.example")}):
        with pytest.raises(LastWayInError):
            await storage.unlink_identity(id, "facebook", app_ids=app_ids)
    await storage.unlink_identity(id, "facebook", app_ids={("example", "https://id.example")})
    assert await storage.identities_of(id) == [other]
    await storage.set_password(id, Password("a hash"), old=Password(None))
    with pytest.raises(LastWayInError):
        await storage.unlink_identity(id, "example", passwords=False)
    with pytest.raises(OutdatedError):
        await storage.set_username(id, "another", password=Password(None))
    await storage.unlink_identity(id, "example")
    assert await storage.identities_of(id) == []


async def test_the_owner_s_link_promotes_once(storage):
    """An account in force, while there is no moderator; the audit log says so."""
    for hash in (b"owner", b"second"):
        await storage.create_link("invite", hash, None, LATER, "moderator")
    made = await join(storage)
    await storage.suspend(None, made.account.username)
    with pytest.raises(NotAllowedError):
        await storage.use_owner_link(made.account.id, b"owner")
    await storage.restore(None, made.account.username)
    assert (await storage.use_owner_link(made.account.id, b"owner")).is_moderator
    assert (await storage.audit(None, 1, OPERATOR))[0].action == OWNER_LINK_USED
    for hash in (b"owner", b"second"):
        with pytest.raises(LinkGoneError):
            await storage.use_owner_link(ADA.id, hash)


async def test_one_id_at_two_providers_is_two_people(storage):
    """With app ids that are the same too, as where one runs both oneself. The last release's schema takes one of them."""
    made = await storage.create_identity(ADA.id, "facebook", APP, ID, "Ada")
    with pytest.raises(NotFoundError):
        await storage.identity("example", APP, ID)
    for refused in (
        storage.create_identity(2, "example", APP, ID, "Bob"),
        storage.create_account_with_identity("example", APP, ID, "Eve", ["eve"]),
    ):
        with pytest.raises(IdentityTakenError):
            await refused
    await session(storage, ADA.id, b"by facebook", identity_id=made.id)
    await storage.deauthorize_identity("example", APP, ID, LATER)
    await storage.erase_identity("example", APP, ID, LATER, "code")
    assert len(await storage.credentials(ADA.id)) == 1 and await storage.identities_of(ADA.id) == [made]


async def test_erasing_one_identity_leaves_an_account_that_another_lets_in(storage):
    """Without the name and the picture that came with it."""
    made = await join(storage)
    other = await storage.create_identity(made.account.id, "example", "https://id.example", "grace", "Amazing Grace")
    await storage.erase_identity("facebook", APP, ID, LATER, "code")
    [left] = await storage.identities_of(made.account.id)
    assert left.id == other.id and left.account.name == "grace"
    await storage.erase_identity("example", "https://id.example", "grace", LATER, "code 2")
    with pytest.raises(NotFoundError):
        await storage.account("grace")


async def test_rows_of_a_node_of_the_last_release_are_facebook_s(storage):
    """It knows no other provider, and its statements name none."""
    await storage._write(
        lambda tx: tx.run(
            "INSERT INTO identities (account_id, app_id, facebook_id, name, created_at) VALUES ($1, $2, $3, 'Ada', 1)",
            ADA.id, APP, ID,
        )
    )  # fmt: skip
    known = await storage.identity("facebook", APP, ID)
    assert known.provider == "facebook" and await storage.identities_of(ADA.id) == [known]
    insert = (
        "INSERT INTO credentials (account_id, kind, hash, name, created_at, last_used_at, by_facebook) "
        "VALUES ($1, 'session', $2, 'A browser', 1, 1, $3)"
    )
    for hash, by_facebook in ((b"by facebook", True), (b"by password", False)):
        await storage._write(lambda tx, hash=hash, by=by_facebook: tx.run(insert, ADA.id, hash, by))
    assert (await storage.credential(b"by facebook")).provider == "facebook"
    assert (await storage.credential(b"by password")).provider is None
    await storage.deauthorize_identity("facebook", APP, ID, LATER)
    assert [c.provider for c in await storage.credentials(ADA.id)] == [None]


async def test_the_name_follows_facebook_until_its_owner_chooses_another(storage):
    """A change of name at Facebook comes along; a name that was chosen here stays."""
    made = await join(storage)
    await storage.rename_identity(made.id, "Grace Murray")
    known = await storage.identity("facebook", APP, ID)
    assert known.name == known.account.name == "Grace Murray"
    await storage.set_name(made.account.id, "Amazing Grace")
    await storage.rename_identity(made.id, "Admiral Hopper")
    known = await storage.identity("facebook", APP, ID)
    assert (known.name, known.account.name) == ("Admiral Hopper", "Amazing Grace")


async def test_unlinking_never_takes_the_last_way_in(storage):
    """Without a password it is refused; with one, the sessions that Facebook made end, but the one to keep."""
    made = await join(storage)
    id = made.account.id
    with pytest.raises(LastWayInError):
        await storage.unlink_identity(id, "facebook")
    await storage.set_password(id, Password("a hash"), old=Password(None))
    kept = await session(storage, id, b"kept", identity_id=made.id)
    await session(storage, id, b"gone", identity_id=made.id)
    await session(storage, id, b"by password")
    await storage.unlink_identity(id, "facebook", keep=kept.id)
    assert {(c.id == kept.id, c.provider) for c in await storage.credentials(id)} == {(True, None), (False, None)}
    with pytest.raises(NotFoundError):
        await storage.identity("facebook", APP, ID)


async def test_a_picture_is_kept_until_it_goes(storage):
    """The bytes and what they are."""
    made = await join(storage)
    with pytest.raises(NotFoundError):
        await storage.picture(made.account.id)
    await storage.set_picture(made.id, PICTURE)
    assert await storage.picture(made.account.id) == PICTURE
    await storage.set_picture(made.id, None)
    with pytest.raises(NotFoundError):
        await storage.picture(made.account.id)


async def test_deauthorizing_ends_the_sessions_that_facebook_made(storage):
    """Those of before; whoever has signed in since stays, and so does the identity."""
    made = await join(storage)
    old = await session(storage, made.account.id, identity_id=made.id)
    await storage.deauthorize_identity("facebook", APP, ID, old.created_at)
    assert await storage.credentials(made.account.id) == [old]
    await session(storage, made.account.id, b"by password")
    await storage.deauthorize_identity("facebook", APP, ID, LATER)
    await storage.deauthorize_identity("facebook", APP, "unknown", LATER)
    assert [c.provider for c in await storage.credentials(made.account.id)] == [None]
    assert await storage.identity("facebook", APP, ID) == made


async def test_erasing_removes_the_account_if_nothing_else_lets_it_in(storage):
    """Its messages stay, as a deleted account's, and its boards go on, as when its owner deletes it."""
    made = await join(storage)
    rest = {"actor": made.account, "most_owned": 9}
    club = await storage.create_board(slug="", name="Club", read_by="invited", invite=[ADA.id], **rest)
    await storage.create_board(slug="open", name="Open", **rest)
    author = type(ADA)(made.account.id, made.account.name)
    message, _ = await storage.append(author, "what I said", None)
    await storage.set_picture(made.id, PICTURE)
    floor = (await snapshot(storage)).head.floor
    await storage.erase_identity("facebook", APP, ID, LATER, "code")
    assert (await storage.message(message.id, GUEST)).author.name == "deleted account"
    owners = {one.name: one.owner_id for one, _ in await storage.listed(OPERATOR, "", 9, {})}
    assert owners == {club.name: ADA.id, "Open": None}
    assert (await snapshot(storage)).head.floor > floor and await storage.erased_at("code") > 10**12
    for call in (storage.account("grace"), storage.identity("facebook", APP, ID), storage.picture(author.id)):
        with pytest.raises(NotFoundError):
            await call
    with pytest.raises(NotAllowedError):
        await storage.append(author, "from a session that was faster", None)


@pytest.mark.parametrize(("chosen", "left"), [(None, "grace"), ("Amazing Grace", "Amazing Grace")])
async def test_erasing_leaves_an_account_with_a_password_without_facebook_s_name(storage, chosen, left):
    """Neither the account nor any message has a name that came from Facebook, present or former."""
    made = await join(storage)
    id = made.account.id
    await storage.append(type(ADA)(id, "Grace Hopper"), "then", None)
    await storage.rename_identity(made.id, "Grace Murray")
    await storage.append(type(ADA)(id, "Grace Murray"), "later", None)
    await storage.set_password(id, Password("a hash"), old=Password(None))
    if chosen:
        await storage.set_name(id, chosen)
    await session(storage, id, identity_id=made.id)
    await storage.erase_identity("facebook", APP, ID, LATER, "code")
    assert (await storage.account("grace")).name == left and await storage.credentials(id) == []
    messages = (await snapshot(storage)).page.messages
    assert bodies(messages) == ["then", "later"] and {m.author.name for m in messages} == {left}


async def test_a_late_or_unknown_request_erases_nothing_and_is_noted_alike(storage):
    """Facebook's request of before does not hit who came back since; its code can be looked up all the same."""
    made = await join(storage)
    await storage.erase_identity("facebook", APP, ID, made.created_at, "late")
    await storage.erase_identity("facebook", APP, "unknown", LATER, "unknown")
    assert await storage.identity("facebook", APP, ID) == made
    first = await storage.erased_at("late")
    await storage.erase_identity("facebook", APP, ID, made.created_at, "late")
    assert await storage.erased_at("late") == first and await storage.erased_at("unknown")
    with pytest.raises(NotFoundError):
        await storage.erased_at("never")


async def test_a_username_can_be_changed_to_a_free_one(storage):
    """Never to somebody else's."""
    made = await join(storage)
    await storage.set_username(made.account.id, "amazing")
    assert (await storage.account("amazing")).id == made.account.id
    with pytest.raises(UsernameTakenError):
        await storage.set_username(made.account.id, "ada")


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("Ada Lovelace", "ada_lovelace"), ("Zoë Müller", "zoe_muller"), ("李小龍", "member"), ("Al", "member_al"),
        ("", "member"), ("x" * 300, "x" * 28), ("ﷺ" * 60, "member"), ("\0\ud800", "member"),
    ],
)  # fmt: skip
def test_a_username_is_suggested_for_every_name(name, first):
    """The nearest that is allowed, then numbers."""
    suggested = list(itertools.islice(usernames(name), 1200))
    assert suggested[0] == first and len(set(suggested)) == 1200
    assert all(USERNAME.fullmatch(username) for username in suggested)


@pytest.mark.parametrize(
    "name", ["Ada", " Ada \n L. ", "x" * 300, "", "\u200b", "\0a\ud800", "\u202eevil", None, 5, [], "a" + "\u0301" * 99]
)
def test_every_name_from_elsewhere_becomes_a_name(name):
    """Whatever Facebook says, it can be shown."""
    assert clean_name(name_from_elsewhere(name))
