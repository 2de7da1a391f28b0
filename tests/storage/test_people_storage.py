"""Accounts, credentials, links and moderation in storage: every engine keeps them alike."""

import asyncio
import time

import pytest

from storage.errors import LinkGoneError, NotAllowedError, NotFoundError, UsernameTakenError
from storage.records import OPERATOR, Asker, Password
from tests.storage.test_storage import ADA, BOB, bodies, snapshot, storage  # noqa: F401 (a fixture)

LATER = 10**14  # milliseconds, in a time far off
ADDRESS = "192.0.2.7"


# ruff: noqa: F811 (the fixture of the suite for storage)
async def test_a_username_belongs_to_one_of_those_who_want_it_at_once(storage):
    """The others hear that it is taken, and an account's id is never given again."""
    wanted = [storage.create_account("grace", str(n), Password(None)) for n in range(5)]
    outcomes = await asyncio.gather(*wanted, return_exceptions=True)
    accounts = [outcome for outcome in outcomes if not isinstance(outcome, Exception)]
    assert len(accounts) == 1 and sum(isinstance(outcome, UsernameTakenError) for outcome in outcomes) == 4
    assert await storage.account("grace") == accounts[0] == await storage.account_of(accounts[0].id)
    await storage.delete_account(accounts[0].id, keep_messages=False)
    assert (await storage.create_account("grace", "x", Password(None))).id > accounts[0].id
    for missing in (storage.account("nobody"), storage.account("a\0da"), storage.account_of(999)):
        with pytest.raises(NotFoundError):
            await missing


async def test_names_change_and_usernames_stay_unique(storage):
    """Also for the one who has it already."""
    await storage.set_name(ADA.id, "Countess")
    await storage.set_username(ADA.id, "ada")
    with pytest.raises(UsernameTakenError):
        await storage.set_username(ADA.id, "bob")
    account = await storage.account("ada")
    assert (account.id, account.name, account.role, account.suspended_at) == (ADA.id, "Countess", "member", None)
    assert abs(account.created_at - time.time() * 1000) < 60_000


async def test_a_password_is_changed_and_upgraded(storage):
    """A change ends the ways in; an upgrade ends nothing, and comes to nothing if the password was changed meanwhile."""
    kept = await storage.create_credential(ADA.id, "session", b"kept", "A browser")
    await storage.create_credential(ADA.id, "token", b"gone", "A script")
    await storage.create_link("password", b"link", ADA.id, LATER)
    await storage.upgrade_password(ADA.id, Password("a hash"), Password("a better hash"))
    assert (await storage.password("ada"))[1].hash == "a better hash"
    await storage.upgrade_password(ADA.id, Password("a hash"), Password("too late"))
    await storage.set_password(ADA.id, Password("new"), old=Password("a better hash"), keep=kept.id)
    assert (await storage.password("ada"))[1].hash == "new"
    assert [credential.id for credential in await storage.credentials(ADA.id)] == [kept.id]
    with pytest.raises(LinkGoneError):
        await storage.link("password", b"link")
    for nobody in ("nobody", "a\0da"):
        assert await storage.password(nobody) == (None, Password(None))


async def test_links_work_once_and_for_a_time(storage):
    """Of several who come with one invitation, one gets in."""
    await storage.create_link("invite", b"invite", None, LATER)
    await storage.create_link("password", b"password", BOB.id, LATER)
    await storage.create_link("password", b"old", BOB.id, 1)
    assert await storage.link("invite", b"invite") is None
    assert (await storage.link("password", b"password")).id == BOB.id
    wanted = [storage.create_account(f"guest{n}", "x", Password(None), b"invite") for n in range(3)]
    outcomes = await asyncio.gather(*wanted, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes].count(LinkGoneError) == 2
    assert (await storage.use_password_link(b"password", Password("chosen"))).id == BOB.id
    assert (await storage.password("bob"))[1].hash == "chosen"
    for hash in (b"password", b"old", b"never was"):
        with pytest.raises(LinkGoneError):
            await storage.use_password_link(hash, Password("x"))


async def test_a_tutorial_s_name_is_remembered(storage):
    """So that its user is brought in once."""
    await storage.create_account("grace", "Grace", Password("sha1:x", "Grace H."))
    assert await storage.has_tutorial_account("Grace H.") and not await storage.has_tutorial_account("grace")
    assert (await storage.password("grace"))[1] == Password("sha1:x", "Grace H.")


async def test_credentials_are_found_used_and_revoked(storage):
    """By their hash; the last used is the first in the list; whatever is revoked is an access change."""
    session = await storage.create_credential(ADA.id, "session", b"1", "A browser")
    token = await storage.create_credential(ADA.id, "token", b"2", "A script")
    assert await storage.credential(b"1") == session and session.account.id == ADA.id
    await storage.save_uses({session.id: LATER, token.id: 1})
    assert [c.last_used_at for c in await storage.credentials(ADA.id)] == [LATER, token.last_used_at]
    access = (await snapshot(storage)).head.access
    await storage.create_credential(ADA.id, "session", b"3", "The same browser", replaces=b"1")
    await storage.revoke_credential(ADA.id, token.id)
    head = (await snapshot(storage)).head
    assert head.access == access + 2 and await storage.access_changes_after(access) == [ADA.id]
    assert await storage.access_changes_after(head.access) == []
    with pytest.raises(NotFoundError):
        await storage.revoke_credential(BOB.id, (await storage.credential(b"3")).id)
    await storage.revoke_all(ADA.id)
    assert await storage.credentials(ADA.id) == []


async def test_there_is_always_room_for_one_more_sign_in(storage):
    """Of 200 the one unused for longest goes; a bot's token never does."""
    await storage.create_credential(ADA.id, "bot", b"bot", "weather")
    for n in range(201):
        await storage.create_credential(ADA.id, "token", b"%d" % n, "x")
        await storage.save_uses({(await storage.credential(b"%d" % n)).id: LATER + n})
    with pytest.raises(NotFoundError):
        await storage.credential(b"0")
    assert len(await storage.credentials(ADA.id)) == 201 and await storage.credential(b"bot")


async def test_a_suspended_account_is_out_until_it_is_restored(storage):
    """It can neither use what it has, nor get a new one, nor post."""
    await storage.create_credential(ADA.id, "token", b"1", "x")
    await storage.suspend(None, "ada")
    with pytest.raises(NotFoundError):
        await storage.credential(b"1")
    for act in (storage.create_credential(ADA.id, "token", b"2", "x"), storage.append(ADA, "no", None)):
        with pytest.raises(NotAllowedError):
            await act
    await storage.restore(None, "ada")
    assert (await storage.append(ADA, "again", None))[1] and await storage.credentials(ADA.id) == []
    with pytest.raises(NotFoundError):
        await storage.suspend(None, "nobody")


async def test_a_blocked_address_is_closed_for_guests_for_a_time(storage):
    """Members post from there all the same."""
    message, _ = await storage.append(None, "spam", None, ADDRESS)
    await storage.block_address(None, message.id, LATER)
    with pytest.raises(NotAllowedError):
        await storage.append(None, "more", None, ADDRESS)
    assert (await storage.append(ADA, "fine", None, ADDRESS))[1]
    await storage.block_address(None, message.id, 1)
    assert (await storage.append(None, "later", None, ADDRESS))[1]
    nowhere, _ = await storage.append(None, "from nowhere", None)
    with pytest.raises(NotFoundError):
        await storage.block_address(None, nowhere.id, LATER)


async def test_the_messages_of_an_author_are_counted_within_a_bound(storage, monkeypatch):
    """Those with words, on boards that the moderator may read; of an account or, by guests, from an address."""
    ada = await storage.account("ada")
    hidden = await storage.create_board(ada, "quiet", "Quiet", read_by="invited", most_owned=9)
    by_ada, by_guest = [
        [(await storage.append(author, f"words {n}", None, ADDRESS))[0].id for n in range(3)] for author in (ADA, None)
    ]
    await storage.append(ADA, "on a hidden board", None, ADDRESS, None, hidden.id)
    await storage.delete(by_ada[1], ADA.id)
    bob = Asker(BOB.id, None)
    counts = [await storage.count_by_source(bob, id) for id in (by_ada[0], by_guest[0], 10**6)]
    assert counts == [2, 3, 0] and await storage.count_by_source(Asker(ADA.id, None), by_ada[0]) == 3
    monkeypatch.setattr("storage.removal.MOST_COUNTED", 2)
    assert await storage.count_by_source(bob, by_guest[0]) == 2


async def test_all_of_an_author_s_messages_go_and_clients_start_anew(storage):
    """For an account or for a guest's address; the floor says that whatever a client shows must be replaced."""
    for n in range(3):
        await storage.append(ADA, f"a{n}", None, ADDRESS)
        await storage.append(None, f"g{n}", None, ADDRESS)
    assert await storage.remove_all(None, 1) == 3
    head = (await snapshot(storage)).head
    assert head.floor == head.seq == 7 and bodies((await storage.before(None, 9)).messages) == ["g0", "g1", "g2"]
    assert await storage.remove_all(None, 2) == 3 and (await storage.before(None, 9)).messages == []
    with pytest.raises(NotFoundError):
        await storage.remove_all(None, 1)


@pytest.mark.parametrize("keep", [True, False])
async def test_an_account_goes_with_or_without_its_messages(storage, keep):
    """Its ways in go in any case."""
    await storage.append(ADA, "mine", None)
    await storage.create_credential(ADA.id, "token", b"1", "x")
    assert bodies([posted.message for posted in await storage.posted_by(ADA.id, 0, 10)]) == ["mine"]
    await storage.delete_account(ADA.id, keep_messages=keep)
    left = (await storage.before(None, 9)).messages
    assert [(m.body, m.author.name) for m in left] == ([("mine", "deleted account")] if keep else [])
    with pytest.raises(NotFoundError):
        await storage.credential(b"1")
    assert (await snapshot(storage)).head.floor == 2


async def test_who_did_what_is_written_down_with_the_deed(storage):
    """The newest first, a page at a time; what failed is not in it."""
    await storage.set_role(None, "ada", "moderator")
    ada = await storage.account("ada")
    assert ada.is_moderator
    await storage.suspend(ada, "bob")
    with pytest.raises(NotFoundError):
        await storage.suspend(ada, "nobody")
    await storage.log(ada, "looked", "at it")
    entries = await storage.audit(None, 2, OPERATOR)
    assert [(e.actor_id, e.actor_name, e.action, e.target) for e in entries] == [
        (ada.id, "ada", "looked", "at it"),
        (ada.id, "ada", "suspend", "bob"),
    ]
    assert [e.actor_name for e in await storage.audit(entries[-1].id, 9, OPERATOR)] == ["command line"]


async def test_what_is_over_is_forgotten(storage):
    """Old credentials, links, blocks: housekeeping takes them, and leaves the rest."""
    for kind in ("session", "token", "bot"):
        await storage.create_credential(ADA.id, kind, kind.encode(), "x")
    await storage.create_link("invite", b"old", None, 1)
    await storage.create_link("invite", b"good", None, LATER)
    await storage.forget(LATER, 0)
    assert sorted(c.kind for c in await storage.credentials(ADA.id)) == ["bot", "token"]
    assert await storage.link("invite", b"good") is None
