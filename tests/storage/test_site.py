"""The verbs of a site where storage fails between two steps, and where a caller may not use them."""

import pytest

from board.caller import Caller
from board.errors import DeniedError
from board.site import Site
from board.site.parts import Rules
from storage import open_storage
from storage.errors import UnavailableError
from storage.records import GUEST

PASSWORD, NEW = "correct horse battery", "staple horse correct"


class Failing:
    """A storage that fails to read passwords once a method, `after`, has been called."""

    def __init__(self, storage, after):
        self.storage = storage
        self.after = after
        self.fails = False

    def __getattr__(self, name):
        value = getattr(self.storage, name)
        if not callable(value):
            return value

        async def call(*arguments, **options):
            if self.fails and name == "password":
                raise UnavailableError("away")
            self.fails |= name == self.after
            return await value(*arguments, **options)

        return call


@pytest.fixture
async def storage(url):
    storage = await open_storage(url)
    yield storage
    await storage.close()


async def member(site, kind="session", role="member"):
    """The caller of a new account, and the secret of its session."""
    guest = Caller(None, "192.0.2.1")
    await site.sign_up(guest, "ada", PASSWORD, None, None)
    session = await site.sign_in(guest, "ada", PASSWORD, name="test")
    if role != "member":
        await site.storage.set_role(None, "ada", role)
    if kind == "bot":
        secret, _ = await site.make_token(Caller(session.credential, "192.0.2.1"), "a bot", PASSWORD)
    else:
        secret = session.secret
    credential = await site.credentials.find(secret, use=True)
    return Caller(credential, "192.0.2.1"), secret


async def test_a_changed_password_leaves_its_owner_signed_in_if_storage_fails_next(storage):
    """The old secret is good for nothing by then: the browser must get the new one, and is only not known."""
    site = await Site.open(Failing(storage, "set_password"), max_parked=10, limits=False, rules=Rules())
    caller, secret = await member(site)
    session = await site.change_password(caller, PASSWORD, NEW, secret, unlink=False)
    assert session.browser is None and session.secret != secret
    await site.waiters.deliver()
    assert await site.credentials.find(secret, use=True) is None
    assert (await site.credentials.find(session.secret, use=True)).account.id == caller.account.id
    await site.close()


@pytest.mark.parametrize(("kind", "role"), [("session", "member"), ("bot", "moderator")])
async def test_only_a_moderator_in_person_moderates(storage, kind, role):
    """The verbs check it themselves, and don't rely on a handler."""
    site = await Site.open(storage, max_parked=10, limits=False, rules=Rules())
    caller, _ = await member(site, kind, role)
    message, _ = await site.post(Caller(None, "192.0.2.9"), "words", None)
    for act in (
        site.change_suspension(caller, message.id, "suspend"),
        site.block_source(caller, message.id, 1),
        site.remove_all(caller, message.id),
        site.audit(caller, None),
    ):
        with pytest.raises(DeniedError, match="Only moderators"):
            await act
    assert (await storage.message(message.id, GUEST)).body == "words"
    await site.close()
