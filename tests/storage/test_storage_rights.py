"""Rights are looked at where the deed is done, in one transaction with it: every engine does so alike."""

# ruff: noqa: F811 (the fixtures of the suite for storage)
import asyncio
import datetime

import pytest

from storage.errors import (
    IsModeratorError,
    NotAllowedError,
    NotAuthorError,
    NotFoundError,
    OutdatedError,
    OwnAddressError,
    TooManyTokensError,
    UnavailableError,
)
from storage.records import MOST_BOT_TOKENS, OPERATOR, Credential, Password
from tests.storage.test_storage import ADA, BOB, bodies, snapshot, storage  # noqa: F401 (a fixture)

OLD, NEW = Password("a hash"), Password("another hash")
LATER = 10**14


async def session(storage, account_id=ADA.id, hash=b"session", kind="session", **options):
    return await storage.create_credential(account_id, kind, hash, "A browser", **options)


async def moderator(storage, author=BOB):
    await storage.set_role(None, author.name.lower(), "moderator")
    return await storage.account_of(author.id)


async def log_of(storage):
    return [(entry.actor_name, entry.action, entry.target) for entry in await storage.audit(None, 100, OPERATOR)]


# --- passwords and credentials


async def test_a_way_in_by_a_password_that_was_changed_meanwhile_is_not_opened(storage):
    """Checking a password takes a while; what counts is the one in force when the session begins."""
    await storage.set_password(ADA.id, NEW, old=OLD)
    for kind in ("session", "token"):
        with pytest.raises(OutdatedError):
            await session(storage, kind=kind, password=OLD)
    assert await storage.credentials(ADA.id) == []
    assert (await session(storage, password=NEW)).account.id == ADA.id


async def test_of_two_who_change_a_password_at_once_one_does(storage):
    """The other one knew a password that is in force no more."""
    changes = [storage.set_password(ADA.id, Password(f"new {n}"), old=OLD) for n in range(5)]
    outcomes = await asyncio.gather(*changes, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [type(None)] + [OutdatedError] * 4
    assert (await storage.password("ada"))[1] == Password("new 0")


async def test_a_password_change_ends_all_but_the_session_to_keep_which_gets_a_new_secret(storage):
    """Whoever had a copy of that session's secret has nothing any more."""
    kept, _ = await session(storage), await session(storage, hash=b"other")
    await storage.set_password(ADA.id, NEW, old=OLD, keep=kept.id, hash=b"new secret")
    assert [c.id for c in await storage.credentials(ADA.id)] == [kept.id]
    assert (await storage.credential(b"new secret")).id == kept.id
    for hash in (b"session", b"other"):
        with pytest.raises(NotFoundError):
            await storage.credential(hash)


async def test_a_session_that_has_ended_changes_no_password(storage):
    """It was signed out while the new password was hashed."""
    kept = await session(storage)
    await storage.revoke_credential(ADA.id, kept.id)
    with pytest.raises(OutdatedError):
        await storage.set_password(ADA.id, NEW, old=OLD, keep=kept.id, hash=b"new secret")
    assert (await storage.password("ada"))[1] == OLD


async def test_an_upgraded_hash_says_whether_it_is_in_force(storage):
    """Two sign-ins at once may both hash anew; the second learns that it has to look again."""
    assert await storage.upgrade_password(ADA.id, OLD, NEW)
    assert not await storage.upgrade_password(ADA.id, OLD, Password("a third"))
    assert (await storage.password("ada"))[1] == NEW


async def test_a_credential_that_has_ended_makes_no_token(storage):
    """Signing out everywhere is not outrun by a request under way; nor by the credential of somebody else."""
    asking, other = await session(storage), await session(storage, BOB.id, b"other")
    await storage.revoke_all(ADA.id)
    for by in (asking.id, other.id):
        with pytest.raises(OutdatedError):
            await session(storage, kind="bot", hash=b"bot", by=by)
    assert await storage.credentials(ADA.id) == []


async def test_a_session_by_facebook_takes_a_facebook_that_is_still_linked(storage):
    """It may have been unlinked while Facebook was asked for the picture."""
    made = await storage.create_identity(ADA.id, "facebook", "1111", "2222", "Ada")
    await storage.unlink_identity(ADA.id, "facebook")
    with pytest.raises(OutdatedError):
        await session(storage, identity_id=made.id)
    other = await storage.create_identity(ADA.id, "facebook", "1111", "3333", "Ada")
    with pytest.raises(OutdatedError):  # another one is linked by now
        await session(storage, identity_id=made.id)
    assert (await session(storage, identity_id=other.id)).provider == "facebook"


async def test_eighty_tokens_at_once_stop_at_the_limit(storage):
    """They are counted where they are made."""
    asking = await session(storage)

    async def wanted(n):
        while True:
            try:
                return await session(storage, kind="bot", hash=b"bot %d" % n, by=asking.id)
            except UnavailableError:  # a busy machine: it waited for too long
                continue

    outcomes = await asyncio.gather(*(wanted(n) for n in range(80)), return_exceptions=True)
    assert sum(isinstance(outcome, Credential) for outcome in outcomes) == MOST_BOT_TOKENS
    assert sum(isinstance(outcome, TooManyTokensError) for outcome in outcomes) == 80 - MOST_BOT_TOKENS


async def test_a_session_that_made_room_is_looked_at_again(storage):
    """The 201st sign-in ends the one unused for longest, in the memory of every process, too."""
    for first in range(0, 200, 20):
        await asyncio.gather(*(session(storage, hash=b"%d" % n) for n in range(first, first + 20)))
    before = (await snapshot(storage)).head.access
    await session(storage, hash=b"one more")
    assert len(await storage.credentials(ADA.id)) == 200
    assert (await snapshot(storage)).head.access > before
    assert await storage.access_changes_after(before) == [ADA.id]


# --- messages


async def test_whoever_changes_a_message_is_looked_at_once_more(storage):
    """Its author, and not suspended: in the very transaction, whatever was known before."""
    message, _ = await storage.append(ADA, "by Ada", None)
    guest, _ = await storage.append(None, "by a guest", None)
    for id in (message.id, guest.id):
        for change in (storage.edit(id, "x", BOB.id), storage.delete(id, BOB.id)):
            with pytest.raises(NotAuthorError):
                await change
    await storage.suspend(None, "ada")
    for change in (storage.edit(message.id, "x", ADA.id), storage.delete(message.id, ADA.id)):
        with pytest.raises(NotAllowedError):
            await change
    await storage.restore(None, "ada")
    assert (await storage.edit(message.id, "better", ADA.id)).body == "better"
    assert (await storage.delete(message.id, ADA.id)).deleted
    with pytest.raises(NotFoundError):
        await storage.edit(message.id, "x", ADA.id)


async def test_what_a_moderator_deletes_is_logged_with_it_or_not_deleted(storage):
    """One transaction; and one's own messages are no moderation."""
    message, _ = await storage.append(ADA, "off topic", None)
    with pytest.raises(NotAllowedError):  # a moderator no more
        await storage.delete(message.id, BOB.id, moderates=True)
    assert await log_of(storage) == []
    await moderator(storage)
    assert (await storage.delete(message.id, BOB.id, moderates=True)).deleted
    own, _ = await storage.append(BOB, "my own", None)
    await storage.delete(own.id, BOB.id, moderates=True)
    assert await log_of(storage) == [
        ("bob", "delete", f"message {message.id} by ada"),
        ("command line", "moderator", "bob"),
    ]


async def test_the_log_says_whose_messages_which_block_and_until_when(storage):
    """Also when they are gone; a guest's address, which is soon forgotten, is not in it."""
    bob, address = await moderator(storage), "192.0.2.1"
    by_ada, by_guest = [(await storage.append(author, "words", None, address))[0].id for author in (ADA, None)]
    until = round(datetime.datetime(2126, 11, 24, 18, 30, tzinfo=datetime.UTC).timestamp() * 1000)
    await storage.block_address(bob, by_ada, until)
    await storage.block_address(bob, by_guest, until)
    await storage.remove_all(bob, by_guest)
    await storage.delete_account(ADA.id, keep_messages=True)
    await storage.remove_all(bob, by_ada)
    assert await log_of(storage) == [
        ("bob", "remove", f"all by the author of message {by_ada}, deleted account"),
        ("bob", "remove", f"all by the author of message {by_guest}, a guest"),
        ("bob", "block", f"the address of message {by_guest} by a guest until 2126-11-24 18:30 UTC"),
        ("bob", "block", f"the address of message {by_ada} by ada until 2126-11-24 18:30 UTC"),
        ("command line", "moderator", "bob"),
    ]


async def test_moderation_takes_a_moderator_when_it_is_done(storage):
    """Someone who was demoted a moment ago does nothing more, and no moderator does it to another."""
    bob = await moderator(storage)
    message, _ = await storage.append(ADA, "by Ada", None, "192.0.2.1")
    await storage.set_role(None, "ada", "moderator")
    for act in (storage.suspend(bob, "ada"), storage.remove_all(bob, message.id)):
        with pytest.raises(IsModeratorError):
            await act
    await storage.set_role(None, "bob", "member")
    for act in (
        storage.suspend(bob, "ada"), storage.restore(bob, "ada"), storage.remove_all(bob, message.id),
        storage.block_address(bob, message.id, LATER),
    ):  # fmt: skip
        with pytest.raises(NotAllowedError):
            await act
    assert len(await log_of(storage)) == 3 and bodies((await snapshot(storage)).changes) == ["by Ada"]
    assert await storage.remove_all(None, message.id) == 1


async def test_an_address_that_is_the_moderator_s_own_singles_nobody_out(storage):
    """Behind a proxy that doesn't say who comes, all guests have one address: they are not one spammer."""
    bob = await moderator(storage)
    here, _ = await storage.append(None, "from here", None, "192.0.2.1")
    there, _ = await storage.append(None, "from there", None, "192.0.2.2")
    for act in (
        storage.remove_all(bob, here.id, "192.0.2.1"),
        storage.block_address(bob, here.id, LATER, "192.0.2.1"),
    ):
        with pytest.raises(OwnAddressError):
            await act
    assert await storage.remove_all(bob, there.id, "192.0.2.1") == 1
    assert bodies((await snapshot(storage)).page.messages) == ["from here"]
    await storage.append(None, "still not blocked", None, "192.0.2.1")


@pytest.mark.parametrize("keep_messages", [True, False])
async def test_an_account_without_messages_leaves_without_anybody_noticing(storage, keep_messages):
    """Only words that change make every page look anew."""
    await storage.append(BOB, "by Bob", None)
    before = (await snapshot(storage)).head
    await storage.delete_account(ADA.id, keep_messages=keep_messages)
    assert (await snapshot(storage)).head.floor == before.floor
    await storage.delete_account(BOB.id, keep_messages=keep_messages)
    assert (await snapshot(storage)).head.floor > before.floor


# --- reading, and what is left of words


async def test_a_client_far_behind_is_given_the_same_changes(storage):
    """Another way to the same answer, which never stands in the way of deliver()."""
    for body in "abc":
        await storage.append(None, body, None)
    assert await storage.changes_page(1, 1) == await storage.changes_after(1, 1)


async def test_scrubbing_changes_nothing_that_can_be_read(storage):
    """Housekeeping, while posts go on."""
    posts = [storage.append(None, str(n), None) for n in range(20)]
    await asyncio.gather(*posts, storage.scrub(), storage.scrub())
    await storage.delete(1)
    await storage.scrub()
    assert len((await snapshot(storage)).page.messages) == 19
