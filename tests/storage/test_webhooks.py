"""What is kept of webhooks, and judged when they read, in every engine."""

import asyncio

import pytest

from storage.errors import NotAllowedError, NotFoundError, TooManyWebhooksError
from storage.records import FIRST_BOARD, Asker, Author, Password
from storage.webhook_log import NoRightError
from storage.webhooks import MOST_ON_BOARD, WebhookChange
from tests.storage.test_storage import storage  # noqa: F401 (a fixture)
from tests.support.patience import PATIENCE

# ruff: noqa: F811 (the fixture of the suite for storage)


async def people(storage):
    owner = await storage.create_account("owner", "Owner", Password(None))
    await storage.create_account("boss", "Boss", Password(None))
    await storage.set_role(None, "boss", "moderator")
    board = await storage.create_board(None, "club", "Club", read_by="invited")
    await storage.give_board(board.id, owner.id)
    return await storage.account("boss"), owner, board


async def added(storage, account, board_id):
    return (await storage.add_webhook(account, None, board_id, "https://a.example/x", "standard", b"s")).webhook


async def test_the_next_change_is_read_with_the_right_of_that_moment(storage):
    boss, owner, board = await people(storage)
    club, first = await added(storage, owner, board.id), await added(storage, boss, FIRST_BOARD)
    there, _ = await storage.append(Author(owner.id, ""), "inside", None, board_id=board.id)
    here, _ = await storage.append(None, "outside", None)
    await storage.append(None, "more", None)
    read = await storage.next_for(club)
    assert read.message.body == "inside" and read.message.board_id == board.id
    assert read.webhook == club and read.now > 1_600_000_000_000
    assert (await storage.next_for(club._replace(sent=there.seq))).message is None
    read = await storage.next_for(first)
    assert read.message == here and read.head.epoch != (await storage.next_for(club)).head.epoch
    assert [one.behind for one in await storage.webhooks_on(FIRST_BOARD, Asker(boss.id))] == [2]
    await storage.save_webhooks(
        [first._replace(sent=here.seq, base=here.seq, failures=2, waited=9, error="500", next_at=7)]
    )
    [kept] = await storage.webhooks_on(FIRST_BOARD, Asker(boss.id))
    assert (kept.behind, kept.username) == (1, "boss") and kept.webhook[-6:] == (2, 9, 7, None, None, "500")
    await storage.save_webhooks([first])
    [kept] = await storage.webhooks_on(FIRST_BOARD, Asker(boss.id))
    assert kept.webhook.sent == here.seq and kept.webhook.failures == 0, "a cursor never goes back"
    for suspend in (boss, owner):
        await storage.suspend(None, suspend.username) if suspend is owner else await storage.set_role(
            None, "boss", "member"
        )
    with pytest.raises(NoRightError):
        await storage.next_for(club)
    assert (await storage.next_for(first)).message, "who may read goes on, moderator or not"
    await storage.suspend(None, "boss")
    with pytest.raises(NoRightError):
        await storage.next_for(first)
    await storage.restore(None, "boss")
    assert (await storage.next_for(first)).message
    assert await storage.end_webhook(club, "no_right") and not await storage.end_webhook(club, "no_right")
    assert [one.ended for one in await storage.webhooks_off(owner.id)] == ["no_right"]
    with pytest.raises(NotFoundError) as raised:
        await storage.next_for(club)
    assert type(raised.value) is NotFoundError
    assert [one.id for one in await storage.sending_webhooks()] == [first.id] and await storage.has_webhooks()
    await storage.create_link("password", b"link", boss.id, 4_000_000_000_000)
    await storage.use_password_link(b"link", Password("$argon2id$new"))
    assert [one.ended for one in await storage.webhooks_off(boss.id)] == ["recovered"]
    with pytest.raises(NotFoundError):
        await storage.next_for(first)
    assert not await storage.has_webhooks()
    await storage.delete_account(boss.id, keep_messages=True)
    assert await storage.webhooks_off(boss.id) == []


async def test_only_who_moderates_a_board_makes_and_changes_its_webhooks(storage):
    boss, owner, board = await people(storage)
    hook = await added(storage, owner, board.id)
    for account, board_id, error in ((boss, board.id, NotFoundError), (owner, FIRST_BOARD, NotAllowedError)):
        for call in (
            lambda account=account, board_id=board_id: added(storage, account, board_id),
            lambda account=account, board_id=board_id: storage.webhooks_on(board_id, Asker(account.id)),
            lambda account=account, board_id=board_id: storage.change_webhook(account, None, board_id, hook.id, WebhookChange(is_paused=True)),
            lambda account=account, board_id=board_id: storage.remove_webhook(account, None, board_id, hook.id),
        ):  # fmt: skip
            with pytest.raises(error):
                await call()
    with pytest.raises(NotFoundError):
        await storage.remove_webhook(boss, None, FIRST_BOARD, hook.id)
    await storage.change_webhook(owner, None, board.id, hook.id, WebhookChange(secret=b"new", url="https://b.example/"))
    [(changed, _, _)] = await storage.webhooks_on(board.id, Asker(owner.id))
    assert (changed.secret, changed.old_secret, changed.url) == (b"new", b"s", "https://b.example/")
    assert changed.old_until > changed.created_at + 86_000_000 and changed.revision > hook.revision
    await storage.save_webhooks([hook._replace(failures=5)])
    assert (await storage.webhooks_on(board.id, Asker(owner.id)))[0].webhook.failures == 0, "it is another one now"
    for _ in range(MOST_ON_BOARD - 1):
        await added(storage, owner, board.id)
    with pytest.raises(TooManyWebhooksError):
        await added(storage, owner, board.id)
    targets = [(one.action, one.target) for one in await storage.audit(None, 30, Asker(owner.id))]
    assert ("make", f"outgoing webhook {hook.id} to a.example") in targets and (
        "new secret",
        f"outgoing webhook {hook.id} to b.example",
    ) in targets
    await storage.delete_board(owner, board.id)
    assert not await storage.has_webhooks()


async def test_what_one_process_does_alone_ends_when_its_work_does(storage):
    """It asks for nothing more, and what the work raises is the work's, no doubt about other processes."""
    calls = []

    async def work():
        calls.append(1)

    async def fails():
        raise ConnectionResetError("the work's")

    async with asyncio.timeout(PATIENCE):
        await storage.alone(work)
        with pytest.raises(ConnectionResetError, match="the work's"):
            await storage.alone(fails)
    assert calls == [1]


async def test_a_change_returns_the_webhook_as_it_is_then(storage):
    """From the transaction that makes it: a read after it could fail, and a new secret would be lost."""
    boss, _, _ = await people(storage)
    hook = await added(storage, boss, FIRST_BOARD)
    await storage.append(None, "behind", None)
    changed = await storage.change_webhook(boss, None, FIRST_BOARD, hook.id, WebhookChange(secret=b"new"))
    assert [changed] == await storage.webhooks_on(FIRST_BOARD, Asker(boss.id))
    assert (changed.webhook.secret, changed.behind, changed.username) == (b"new", 1, "boss")
