"""One list of all ways into an account: each recovery ends them all, and a new way in is missed by none of them."""

# ruff: noqa: F811 (the fixtures of the suite for storage)
import re

import pytest

from storage.errors import (
    LastWayInError,
    LinkGoneError,
    NotAllowedError,
    NotFoundError,
    OutdatedError,
    UsernameTakenError,
)
from storage.migrate import migrations
from storage.records import GUEST, Password
from storage.ways_in import CREDENTIAL_KINDS, READS, SIGN_INS, WAYS_IN
from tests.storage.test_storage import ADA, BOB, storage  # noqa: F401 (a fixture)
from tests.storage.test_storage_rights import LATER, NEW, OLD, log_of, session

APP, ID = "1111", "2222"
NO_WAYS_IN = {"access_changes", "boards", "failed_tries", "hooks", "invitations", "marks", "reactions", "webhooks"}
"""Tables that speak of accounts and let nobody in."""
ACCOUNT_COLUMNS = {
    "id", "username", "name", "role", "password", "tutorial_name", "created_at", "suspended_at", "password_at",
    "skeleton", "apart", "bot",
}  # fmt: skip


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_the_list_knows_every_table_and_kind_there_is(engine):
    """A new table (of passkeys, say) or kind of token is in storage/ways_in.py, or this test says why not."""
    sql = "\n".join(migration.sql for migration in migrations(engine))
    tables = dict(re.findall(r"CREATE TABLE (\w+) \((.*?)\n\)", sql, re.DOTALL))
    about_accounts = {name for name, columns in tables.items() if re.search(r"\baccount_id\b|REFERENCES acc", columns)}
    assert about_accounts - NO_WAYS_IN == set(WAYS_IN)
    kinds = re.search(r"kind IN \(([^)]*)\)", tables["credentials"])[1]
    assert {*re.findall(r"'(\w+)'", kinds), *READS} == set(CREDENTIAL_KINDS)
    columns = {line.split()[0] for line in tables["accounts"].strip().splitlines()}
    columns |= set(re.findall(r"ALTER TABLE accounts ADD COLUMN (\w+)", sql))
    assert columns == ACCOUNT_COLUMNS, "is this a way in? then every recovery must end it"
    assert set(SIGN_INS) < set(WAYS_IN)


async def open_all(storage):
    """Ada has one of each; the session."""
    await storage.create_identity(ADA.id, "facebook", APP, ID, "Ada")
    made = [await session(storage, kind=kind, hash=kind.encode()) for kind in CREDENTIAL_KINDS]
    for kind in ("session", "bot"):
        await session(storage, BOB.id, f"Bob's {kind}".encode(), kind)
    await storage.create_link("password", b"link", ADA.id, LATER)
    await storage.create_link("password", b"another link", ADA.id, LATER)
    await storage.create_link("password", b"Bob's link", BOB.id, LATER)
    return made[0]


async def left(storage):
    """Which ways into Ada's account are still open; Bob's all are."""
    assert len(await storage.credentials(BOB.id)) == 2 and (await storage.link("password", b"Bob's link")).id == BOB.id
    found = [c.kind for c in await storage.credentials(ADA.id)]
    for name, look in (
        ("identity", storage.identity("facebook", APP, ID)),
        ("link", storage.link("password", b"another link")),
        ("old password", check_password(storage)),
    ):
        try:
            await look
            found.append(name)
        except (NotFoundError, LinkGoneError):
            pass
    return sorted(found)


async def check_password(storage):
    if (await storage.password("ada"))[1] != OLD:
        raise NotFoundError("the old password")


async def test_recovery_by_a_link_ends_every_way_in(storage):
    """Somebody who has taken over the account can no longer use it, and the log says so."""
    await open_all(storage)
    await storage.use_password_link(b"link", NEW)
    assert await left(storage) == []
    assert ("ada", "use the password link of", "ada") in await log_of(storage)


async def test_recovery_by_a_link_spares_facebook_where_its_owner_says_so(storage):
    """Those whose only other way in it is."""
    await open_all(storage)
    await storage.use_password_link(b"link", NEW, spare=["facebook"])
    assert await left(storage) == ["identity"]


async def test_recovery_by_a_link_spares_only_the_identity_that_its_owner_names(storage):
    """An intruder may have linked the other one."""
    await open_all(storage)
    await storage.create_identity(ADA.id, "example", "https://id.example", "intruder", "Ada")
    await storage.use_password_link(b"link", NEW, spare=["facebook"])
    assert [one.provider for one in await storage.identities_of(ADA.id)] == ["facebook"]


async def test_a_suspension_outlives_each_identity_of_a_deleted_account(storage):
    """The person is known by either."""
    await storage.create_identity(ADA.id, "facebook", APP, ID, "Ada")
    await storage.create_identity(ADA.id, "example", "https://id.example", "ada", "Ada")
    await storage.suspend(None, "ada")
    await storage.delete_account(ADA.id, keep_messages=True)
    for provider, app_id, subject in (("facebook", APP, ID), ("example", "https://id.example", "ada")):
        with pytest.raises(NotAllowedError):
            await storage.create_account_with_identity(provider, app_id, subject, "Ada", ["ada_2"])


async def test_a_password_change_ends_all_but_the_session_and_what_its_owner_spares(storage):
    """Facebook goes, too, if that is ticked; the session that stays is Facebook's no more."""
    kept = await open_all(storage)
    await storage.set_password(ADA.id, NEW, old=OLD, keep=kept.id)
    assert await left(storage) == ["identity", "session"]
    await storage.set_password(ADA.id, OLD, old=NEW, keep=kept.id, unlink=True)
    assert await left(storage) == ["old password", "session"]


async def test_signing_out_everywhere_ends_links_for_a_new_password_too(storage):
    """The password and Facebook stay: ending those takes the password."""
    kept = await open_all(storage)
    await storage.revoke_all(ADA.id, keep=kept.id)
    assert await left(storage) == ["identity", "old password", "session"]


async def test_a_suspension_ends_all_that_somebody_could_come_back_by(storage):
    """The identity stays, so that the suspended person is known by it."""
    await open_all(storage)
    await storage.suspend(None, "ada")
    assert await left(storage) == ["identity", "old password"]
    with pytest.raises(NotAllowedError):
        await session(storage, hash=b"new")


async def test_what_a_session_of_facebook_s_makes_is_facebook_s(storage):
    """A bot's token ends with it: when the permission is taken back, when it is unlinked, and when it is erased."""
    for end in (
        lambda: storage.deauthorize_identity("facebook", APP, ID, LATER),
        lambda: storage.unlink_identity(ADA.id, "facebook"),
        lambda: storage.erase_identity("facebook", APP, ID, LATER, "code"),
    ):
        made = await storage.create_identity(ADA.id, "facebook", APP, ID, "Ada")
        by_facebook = await session(storage, identity_id=made.id)
        await session(storage, kind="bot", hash=b"bot", by=by_facebook.id)
        own = await session(storage, kind="bot", hash=b"own bot", by=(await session(storage, hash=b"own")).id)
        await end()
        assert sorted(c.kind for c in await storage.credentials(ADA.id)) == ["bot", "session"]
        assert (await storage.credential(b"own bot")).id == own.id
        await storage.revoke_all(ADA.id)


async def test_a_bot_that_was_not_used_for_long_is_forgotten(storage):
    """As sessions and tokens are, each after its own time; the address of a feed with it."""
    for kind in CREDENTIAL_KINDS:
        await session(storage, kind=kind, hash=kind.encode())
    await storage.forget(0, 0, 0)
    assert len(await storage.credentials(ADA.id)) == len(CREDENTIAL_KINDS)
    await storage.forget(0, 0, LATER)
    assert sorted(c.kind for c in await storage.credentials(ADA.id)) == ["session", "token"]


async def test_only_a_credential_of_the_kind_that_is_meant_is_revoked(storage):
    """Whoever revokes bots' tokens by number does not hit a session."""
    made = await session(storage)
    with pytest.raises(NotFoundError):
        await storage.revoke_credential(ADA.id, made.id, "bot")
    await storage.revoke_credential(ADA.id, made.id, "session")


async def test_a_link_to_facebook_leaves_a_notice_and_a_line(storage):
    """Until its owner has seen it; an account that was made with it needs none."""
    made = await storage.create_identity(ADA.id, "facebook", APP, ID, "Ada")
    assert made.notice_at == made.created_at == (await storage.identity("facebook", APP, ID)).notice_at
    assert await log_of(storage) == [("ada", "link Facebook to", "ada")]
    await storage.dismiss_notice(ADA.id, "facebook")
    assert (await storage.identity("facebook", APP, ID)).notice_at is None
    joined = await storage.create_account_with_identity("facebook", APP, "3333", "Grace", ["grace"])
    assert joined.notice_at is None
    await storage.delete_account(ADA.id, keep_messages=True)
    assert await log_of(storage) == []


async def test_when_a_password_was_set_is_known(storage):
    """By that the page tells whether Facebook is older; hashing it anew is no change."""
    _, first = await storage.password("ada")
    assert abs(first.set_at - (await storage.account("ada")).created_at) < 1000
    await storage.upgrade_password(ADA.id, OLD, NEW)
    assert (await storage.password("ada"))[1].set_at == first.set_at
    await storage.set_password(ADA.id, OLD, old=NEW)
    assert (await storage.password("ada"))[1].set_at >= first.set_at
    await storage.create_account_with_identity("facebook", APP, ID, "Grace", ["grace"])
    assert (await storage.password("grace"))[1].set_at is None


# --- what waits for its transaction


async def test_a_post_is_signed_with_the_name_of_the_moment_of_its_commit(storage):
    """It may have waited behind a rename, or an erasure of that very name."""
    await storage.set_name(ADA.id, "Countess")
    message, _ = await storage.append(ADA, "words", None)
    assert message.author.name == "Countess" == (await storage.message(message.id, GUEST)).author.name


async def test_a_credential_that_has_ended_does_nothing(storage):
    """Every write that a request asks for looks for it in its own transaction; nor is somebody else's taken for it."""
    await storage.append(ADA, "words", None, "192.0.2.1")
    await storage.set_role(None, "bob", "moderator")
    bob = await storage.account("bob")
    gone, other = await session(storage), await session(storage, BOB.id, b"Bob's")
    bobs_gone = await session(storage, BOB.id, b"Bob's other")
    await storage.revoke_credential(ADA.id, gone.id)
    await storage.revoke_credential(BOB.id, bobs_gone.id)
    before = await storage.snapshot(changes=100, page=50), await storage.account("ada"), await log_of(storage)
    for id in (gone.id, other.id):
        for write in (
            storage.append(ADA, "more", None, None, id),
            storage.edit(1, "edited", ADA.id, credential=id),
            storage.delete(1, ADA.id, credential=id),
            storage.set_name(ADA.id, "Another", id),
            storage.set_username(ADA.id, "another", id),
            storage.create_identity(ADA.id, "facebook", APP, ID, "Ada", id),
            storage.delete_account(ADA.id, keep_messages=False, credential=id),
            storage.unlink_identity(ADA.id, "facebook", keep=id),
        ):
            with pytest.raises(OutdatedError):
                await write
    for write in (
        storage.suspend(bob, "ada", credential=bobs_gone.id),
        storage.block_address(bob, 1, LATER, credential=bobs_gone.id),
        storage.remove_all(bob, 1, credential=bobs_gone.id),
        storage.delete(1, BOB.id, moderates=True, credential=bobs_gone.id),
    ):
        with pytest.raises(OutdatedError):
            await write
    after = await storage.snapshot(changes=100, page=50), await storage.account("ada"), await log_of(storage)
    assert after == before


async def test_an_account_is_deleted_with_the_password_that_is_in_force(storage):
    """Also one without a password: it may have got one while Facebook was asked."""
    with pytest.raises(OutdatedError):
        await storage.delete_account(ADA.id, keep_messages=True, password=NEW)
    made = await storage.create_account_with_identity("facebook", APP, ID, "Grace", ["grace"])
    await storage.set_password(made.account.id, NEW, old=Password(None))
    with pytest.raises(OutdatedError):
        await storage.delete_account(made.account.id, keep_messages=True, password=Password(None))
    await storage.delete_account(ADA.id, keep_messages=True, password=OLD)
    with pytest.raises(NotFoundError):
        await storage.account("ada")


async def test_the_last_way_in_is_still_not_unlinked(storage):
    """Whatever was verified."""
    made = await storage.create_account_with_identity("facebook", APP, ID, "Grace", ["grace"])
    with pytest.raises(LastWayInError):
        await storage.unlink_identity(made.account.id, "facebook", password=Password(None))


# --- suspensions that outlive what they were about


async def suspended_and_erased(storage):
    made = await storage.create_account_with_identity("facebook", APP, ID, "Grace", ["grace"])
    await storage.suspend(None, "grace")
    await storage.erase_identity("facebook", APP, ID, LATER, "code")
    return made


async def test_a_suspension_outlives_the_account(storage):
    """Who has their data deleted at Facebook comes back neither as the same person, nor anybody under that username."""
    await suspended_and_erased(storage)
    with pytest.raises(NotAllowedError):
        await storage.create_account_with_identity("facebook", APP, ID, "Grace", ["grace", "grace_2"])
    with pytest.raises(NotAllowedError):
        await storage.create_identity(BOB.id, "facebook", APP, ID, "Grace")
    with pytest.raises(UsernameTakenError):
        await storage.create_account("grace", "Grace", OLD)
    with pytest.raises(UsernameTakenError):
        await storage.set_username(BOB.id, "grace")
    other = await storage.create_account_with_identity("facebook", APP, "3333", "Grace", ["grace", "grace_2"])
    assert other.account.username == "grace_2"
    assert (
        await storage.create_account_with_identity("facebook", "other app", ID, "x", ["x_x"])
    ).account.username == "x_x"


async def test_a_suspension_outlives_the_identity_of_an_account_that_stays(storage):
    """One with a password: suspended under its username, and known by its Facebook id."""
    await storage.create_identity(ADA.id, "facebook", APP, ID, "Ada")
    await storage.suspend(None, "ada")
    await storage.erase_identity("facebook", APP, ID, LATER, "code")
    with pytest.raises(NotAllowedError):
        await storage.create_account_with_identity("facebook", APP, ID, "Ada", ["ada_2"])
    await storage.restore(None, "ada")
    assert (await storage.account("ada")).suspended_at is None
    assert (
        await storage.create_account_with_identity("facebook", APP, ID, "Ada", ["ada_2"])
    ).account.username == "ada_2"


async def test_a_suspension_of_an_account_that_is_gone_can_be_lifted(storage):
    """By its username, as any other; once it is, there is nothing left to lift."""
    await suspended_and_erased(storage)
    await storage.restore(None, "grace")
    with pytest.raises(NotFoundError):
        await storage.restore(None, "grace")
    assert (
        await storage.create_account_with_identity("facebook", APP, ID, "Grace", ["grace"])
    ).account.username == "grace"


async def test_who_was_not_suspended_leaves_no_note(storage):
    """They come back as they like."""
    await storage.create_account_with_identity("facebook", APP, ID, "Grace", ["grace"])
    await storage.erase_identity("facebook", APP, ID, LATER, "code")
    again = await storage.create_account_with_identity("facebook", APP, ID, "Grace", ["grace"])
    assert again.account.username == "grace"


async def test_a_note_says_nothing_about_who_it_was_and_ends_after_a_year(storage, monkeypatch):
    """Salted hashes alone; two notes of the same person have nothing in common."""
    import storage.suspensions as notes

    first = notes.Suspension.of(APP, ID, "grace", 0)
    second = notes.Suspension.of(APP, ID, "grace", 0)
    assert not {first.salt, first.identity_hash, first.username_hash} & {
        second.salt,
        second.identity_hash,
        second.username_hash,
    }
    assert first.until == 365 * 86_400_000
    monkeypatch.setattr(notes, "SUSPENSION_DAYS", -1)
    await suspended_and_erased(storage)
    assert (
        await storage.create_account_with_identity("facebook", APP, ID, "Grace", ["grace"])
    ).account.username == "grace"
