"""When webhooks are tried again, in order and at least once: with a clock that the test holds."""

import itertools
import json

from net.webhooks.delivery import Outcome
from net.webhooks.schedule import left, pause_after
from storage.errors import UnavailableError
from storage.records import Asker, Author, Password
from storage.transfer import start_epoch
from storage.webhooks import Webhook, WebhookChange
from tests.support.held_time import sending
from tests.support.in_process import running

HASHED = Password(None)
HOUR, DAY = 3600, 86_400


async def boss_of(site):
    account = await site.storage.create_account("boss", "Boss", HASHED, None)
    await site.storage.set_role(None, "boss", "moderator")
    return account


async def made(site, url="https://a.example/"):
    await site.waiters.deliver()
    boss = await boss_of(site)
    return boss, (await site.storage.add_webhook(boss, None, 1, url, "standard", b"s" * 32)).webhook


async def now(site, hook):
    [row] = [one.webhook for one in await site.storage.webhooks_on(1, site_asker(hook))]
    return row


def site_asker(hook):
    return Asker(hook.account_id)


async def post(site, *bodies):
    for body in bodies:
        await site.storage.append(None, body, None)


def bodies(delivery):
    return [json.loads(body)["data"]["body"] for _, _, body, _ in delivery.arrived]


async def test_after_an_hour_away_a_receiver_has_all_in_order_within_two_minutes(tmp_path):
    """Between two events there is no pause, so all of them take as long as its answers do. One id is one
    event, also over many tries.
    """
    async with running(tmp_path) as at:
        _, hook = await made(at.board)
        async with sending(at.board) as (time, delivery, _):
            delivery.outcome = Outcome("503")
            expected = [f"{n}" for n in range(60)]
            for body in expected:
                await post(at.board, body)
                await time.go(60)
            tried = [when for when, *_ in delivery.tries]
            gaps = [later - before for before, later in itertools.pairwise(tried)]
            assert max(gaps) <= 60 and min(gaps[2:]) >= 45 and 3.7 <= gaps[0] <= 5 and 15 <= gaps[1] <= 20
            assert len({id for _, id, *_ in delivery.tries}) == 1, "one try in flight, and always the same event"
            assert len({body for _, _, body, _ in delivery.tries}) == 1
            row = await now(at.board, hook)
            assert row.failures == len(tried) and row.error == "503" and not row.succeeded_at
            back, delivery.outcome = time.passed, Outcome(None)
            await time.go(120)
            assert bodies(delivery) == expected and len({id for _, id, *_ in delivery.arrived}) == 60
            assert delivery.arrived[-1][0] - back <= 60, "one pause at most, for any number of events"
            assert delivery.arrived[-1][0] == delivery.arrived[0][0], "and none between them"
            row = await now(at.board, hook)
            assert (row.failures, row.error, row.next_at, row.waited) == (0, None, None, 0) and row.succeeded_at


async def test_after_a_day_it_is_tried_hourly_and_after_a_week_switched_off(tmp_path):
    async with running(tmp_path) as at:
        boss, hook = await made(at.board)
        async with sending(at.board) as (time, delivery, sender):
            delivery.outcome = Outcome("timeout")
            await post(at.board, "lost?")
            await time.go(HOUR)
            assert 60 <= len(delivery.tries) <= 60 / 0.75 + 5
            [courier] = sender.couriers.values()
            assert 0.95 * HOUR <= courier.webhook.waited / 1000 <= HOUR + 60, "what was waited is what has passed"
            courier.webhook = courier.webhook._replace(waited=1000 * (DAY - HOUR))
            await time.go(HOUR)
            first_day = len(delivery.tries)
            assert first_day >= 120
            await time.go(6 * DAY + HOUR)
            later = [when for when, *_ in delivery.tries[first_day + 2 :]]
            gaps = [b - a for a, b in itertools.pairwise(later)]
            assert min(gaps) >= 0.75 * HOUR and max(gaps) <= HOUR and 140 < len(later) < 200
            row = await now(at.board, hook)
            assert row.ended == "failing" and not row.is_on and row.sent == hook.sent
            assert [one.id for one in await at.storage.webhooks_off(boss.id)] == [hook.id]
            count = len(delivery.tries)
            await time.go(2 * HOUR)
            assert len(delivery.tries) == count
        entries = await at.storage.audit(None, 10, site_asker(hook))
        assert (entries[0].actor_name, entries[0].action) == ("Longboard", "switch off")
        await at.storage.change_webhook(boss, None, 1, hook.id, WebhookChange(is_paused=False))
        async with sending(at.board) as (time, delivery, _):
            await time.go(1)
            assert bodies(delivery) == ["lost?"], "nothing is lost when it is switched on again"


async def test_what_a_receiver_asks_for_is_obeyed_within_bounds(tmp_path):
    async with running(tmp_path) as at:
        _, hook = await made(at.board)
        async with sending(at.board) as (time, delivery, _):
            await post(at.board, "one")
            for asked, least, most in ((300, 300, 300), (0, 45, 60), (-5, 45, 60), (1, 45, 60), (10**9, HOUR, HOUR)):
                delivery.outcome = Outcome("429", asked)
                await time.go(600)  # the first pauses are shorter, and one may still be that of before
                delivery.tries.clear()
                await time.go(4 * most)
                gaps = [b[0] - a[0] for a, b in itertools.pairwise(delivery.tries)]
                assert len(gaps) >= 2 and least - 0.01 <= min(gaps) and max(gaps) <= most + 0.01, (asked, gaps)
            delivery.outcome = Outcome("410")
            await time.go(HOUR + 1)
            assert (await now(at.board, hook)).ended == "gone"
            assert (await now(at.board, hook)).sent == hook.sent
            assert 0.75 * 5 <= pause_after(hook, 0) <= 5 == pause_after(hook, 0, lambda: 0)


async def test_a_clock_that_is_set_neither_delays_nor_ends_anything(tmp_path):
    for jump in (-400 * DAY, 400 * DAY):
        folder = tmp_path / str(jump)
        folder.mkdir()
        async with running(folder) as at:
            _, hook = await made(at.board)
            async with sending(at.board) as (time, delivery, _):
                delivery.outcome = Outcome("500")
                await post(at.board, "one")
                await time.go(HOUR)
                time.set_by = jump
                await time.go(120)
                row, tried = await now(at.board, hook), len(delivery.tries)
                assert row.ended is None and row.is_on
                await time.go(120)
                assert len(delivery.tries) >= tried + 2
            async with sending(at.board) as (time, delivery, _):  # a restart, by a clock that is wrong
                time.set_by = -jump
                await time.go(HOUR + 1)
                assert bodies(delivery) == ["one"]


async def test_a_kill_doubles_some_and_loses_none(tmp_path):
    """What is in memory only is lost: the cursor that was last saved is where the next process begins."""
    async with running(tmp_path) as at:
        await made(at.board)
        async with sending(at.board) as (time, delivery, sender):
            await post(at.board, "one", "two")
            await time.go(2)
            assert bodies(delivery) == ["one", "two"]
            await post(at.board, "three", "four")
            await at.board.waiters.deliver()
            await time.settle()
            assert bodies(delivery)[2:] == ["three", "four"] and sender.unsaved
            sender.unsaved.clear()
            ids = [id for _, id, *_ in delivery.arrived]
        async with sending(at.board) as (time, delivery, _):
            await post(at.board, "five")
            await time.go(2)
            assert bodies(delivery) == ["three", "four", "five"]
            assert [id for _, id, *_ in delivery.arrived][:2] == ids[2:]


async def test_a_webhook_that_is_paused_or_removed_in_the_middle_of_a_try_stays_so(tmp_path):
    async with running(tmp_path) as at:
        boss, hook = await made(at.board)
        async with sending(at.board) as (time, delivery, sender):
            delivery.outcome = Outcome("500")

            async def in_between(*arguments):
                await at.storage.change_webhook(boss, None, 1, hook.id, WebhookChange(is_paused=True))
                at.board.webhook_news.set()
                await time.settle()
                return await Delivered(*arguments)

            Delivered, delivery.post = delivery.post, in_between
            await post(at.board, "one")
            await time.go(HOUR)
            row = await now(at.board, hook)
            assert row.paused_at and row.failures == 0 and row.ended is None and not sender.couriers
            await at.storage.remove_webhook(boss, None, 1, hook.id)
            await time.go(HOUR)
            assert await at.storage.webhooks_on(1, site_asker(hook)) == []


async def test_what_is_new_to_a_receiver_is_created_and_what_it_had_is_edited(tmp_path):
    """A message that was written and edited while the receiver was away is new to it; one that it had is edited."""
    async with running(tmp_path) as at:
        await made(at.board)
        async with sending(at.board) as (time, delivery, _):
            had, _ = await at.storage.append(None, "had", None)
            await time.go(1)
            delivery.outcome = Outcome("500")
            new, _ = await at.storage.append(Author(1, "Boss"), "new", None)
            await time.go(1)
            await post(at.board, "between")
            await at.storage.edit(new.id, "new, edited")
            await at.storage.edit(had.id, "had, edited")
            gone, _ = await at.storage.append(None, "gone", None)
            await at.storage.delete(gone.id)
            delivery.outcome = Outcome(None)
            await time.go(120)
            events = [json.loads(body) for _, _, body, _ in delivery.arrived]
            assert [(one["type"], one["data"].get("body")) for one in events] == [
                ("message.created", "had"), ("message.created", "between"),
                ("message.created", "new, edited"), ("message.edited", "had, edited"),
                ("message.deleted", None)]  # fmt: skip


async def test_a_storage_that_is_away_is_waited_for(tmp_path, caplog):
    """It is said once, nothing counts as a failure of the receiver, and nothing is lost."""
    async with running(tmp_path) as at:
        _, hook = await made(at.board)
        async with sending(at.board) as (time, delivery, _):
            reads = {name: getattr(at.storage, name) for name in ("next_for", "save_webhooks", "sending_webhooks")}

            async def away(*arguments):
                raise UnavailableError("away")

            await post(at.board, "one")
            await time.settle()
            for name in reads:
                setattr(at.storage, name, away)
            await post(at.board, "two")
            at.board.webhook_news.set()
            await time.go(HOUR)
            assert bodies(delivery) == ["one"] and caplog.text.count("have to wait for storage") == 1
            for name, read in reads.items():
                setattr(at.storage, name, read)
            await time.go(HOUR)
            row = await now(at.board, hook)
            assert bodies(delivery) == ["one", "two"] and row.failures == 0 and row.sent > hook.sent


async def test_a_changed_webhook_is_tried_at_once_in_each_pause(tmp_path):
    """A new address, and a new secret, end the pause, also one that the receiver has asked for."""
    async with running(tmp_path) as at:
        boss, hook = await made(at.board)
        async with sending(at.board) as (time, delivery, _):
            delivery.outcome = Outcome("429", HOUR)
            await post(at.board, "one")
            await time.go(60)
            changes = (
                WebhookChange(url="https://b.example/"),
                WebhookChange(secret=b"t" * 32),
                WebhookChange(url="https://c.example/"),
            )
            for count, change in enumerate(changes, 2):
                if count == 4:
                    delivery.outcome = Outcome(None)
                await at.storage.change_webhook(boss, None, 1, hook.id, change)
                at.board.webhook_news.set()
                await time.go(1)
                assert len(delivery.tries) == count and delivery.urls[-1] == (change.url or delivery.urls[-2])
            assert bodies(delivery) == ["one"]


async def test_a_row_that_was_read_before_a_change_undoes_nothing(tmp_path):
    """The sender reads all rows, people change a webhook, its courier reads that and tries; then what was read arrives."""
    async with running(tmp_path) as at:
        boss, hook = await made(at.board)
        async with sending(at.board) as (time, delivery, sender):
            old, tries = await at.storage.sending_webhooks(), []
            [courier] = sender.couriers.values()

            async def look_in_between(url, *arguments):
                tries.append(url)
                courier.take(old[0])
                return Outcome("500" if len(tries) == 1 else None)

            delivery.post = look_in_between
            await at.storage.change_webhook(boss, None, 1, hook.id, WebhookChange(url="https://b.example/"))
            await post(at.board, "one")
            await at.board.waiters.deliver()
            await time.settle()
            assert tries == ["https://b.example/"] and courier.webhook.url == "https://b.example/"
            assert courier.webhook.failures == 1, "and what has failed counts"
            await time.go(10)
            assert tries == ["https://b.example/"] * 2


async def test_a_reaction_to_an_edited_message_is_no_edit(tmp_path):
    """Neither right after the edit nor an hour later; nor while the receiver lacks what is newer."""
    async with running(tmp_path) as at:
        boss, _ = await made(at.board)
        author = Author(boss.id, "Boss")
        async with sending(at.board) as (time, delivery, _):
            said, _ = await at.storage.append(author, "said", None)
            await time.go(1)
            await at.storage.edit(said.id, "edited")
            await time.go(1)
            for kind in ("heart", "laugh"):
                await react(at.board, said, boss, kind)
                await time.go(HOUR)
            await at.storage.edit(said.id, "edited again")
            await time.go(1)
            expected = ["created", "edited", "changed", "changed", "edited"]
            assert types(delivery) == expected
            Delivered = delivery.post

            async def react_in_between(url, secrets, id, body, *more):
                delivery.post = Delivered
                outcome = await Delivered(url, secrets, id, body, *more)
                await post(at.board, "newer")
                await at.storage.react(json.loads(body)["data"]["id"], "heart", Asker(boss.id))
                return outcome

            delivery.post = react_in_between
            await at.storage.append(author, "new", None)
            await time.go(1)
            assert types(delivery)[5:] == ["created", "created", "changed"], "it is never settled in between"


async def react(site, message, account, kind):
    await site.storage.react(message.id, kind, Asker(account.id))


def types(delivery):
    return [json.loads(body)["type"].removeprefix("message.") for _, _, body, _ in delivery.arrived]


async def test_what_a_receiver_does_not_get_is_no_success(tmp_path):
    """A channel that is away: the message for it is deleted, and nothing has arrived."""
    async with running(tmp_path) as at:
        await at.board.waiters.deliver()
        boss = await boss_of(at.board)
        hook = (await at.storage.add_webhook(boss, None, 1, "https://a.example/", "slack", b"s")).webhook
        async with sending(at.board) as (time, delivery, sender):
            delivery.outcome = Outcome("503")
            lost, _ = await at.storage.append(None, "lost", None)
            await time.go(HOUR)
            await sender.save()
            before = await now(at.board, hook)
            await at.storage.delete(lost.id)
            await time.go(HOUR)
            row, count = await now(at.board, hook), len(delivery.tries)
            assert row.failures == before.failures > 2 and row.waited == before.waited and row.error == "503"
            assert row.sent > hook.sent and row.next_at is None and row.succeeded_at is None
            await time.go(HOUR)
            assert len(delivery.tries) == count, "there is nothing to send"


async def test_another_database_is_a_reset_and_its_row_says_where_to_go_on(tmp_path):
    """An older copy under a sender that runs: what is in memory must neither hide what is written there nor be kept there."""
    async with running(tmp_path) as at:
        _, hook = await made(at.board)
        async with sending(at.board) as (time, delivery, sender):
            await post(at.board, *"abcde")
            await time.go(5)
            assert bodies(delivery) == [*"abcde"]
            sent = (await now(at.board, hook)).sent

            async def put_back(tx):
                await tx.run("DELETE FROM messages WHERE seq > $1", sent - 4)
                await tx.run("UPDATE webhooks SET sent = $1, base = $1", sent - 4)
                await tx.run("UPDATE board SET seq = $1", sent - 4)

            await at.storage._write(put_back)
            [courier] = sender.couriers.values()
            sender.has_to_save(courier)
            await time.go(2)
            assert (await now(at.board, hook)).sent == sent - 4, "what this database does not have is not kept as sent"
            await at.storage._write(start_epoch)
            await post(at.board, "f", "g")
            await time.go(HOUR)
            later = [json.loads(body) for _, _, body, _ in delivery.arrived][5:]
            assert [one["type"] for one in later] == ["reset", "message.created", "message.created"]
            assert [one["data"].get("body") for one in later] == [None, "f", "g"]
            ids = [id for _, id, *_ in delivery.arrived]
            assert len(set(ids)) == len(ids), "an id of before means something else"
            row = await now(at.board, hook)
            assert row.epoch == at.board.waiters.directory.first.epoch and row.sent == sent - 2
            await time.go(HOUR)
            assert len(delivery.arrived) == 8


async def test_a_board_without_news_is_not_read_again_and_again(tmp_path):
    """Also after many messages were removed at once, on any board."""
    async with running(tmp_path) as at:
        await at.board.waiters.deliver()
        boss = await boss_of(at.board)
        board = await at.storage.create_board(boss, "club", "Club", read_by="everyone")
        spammer = await at.storage.create_account("spammer", "Spammer", HASHED, None)
        for board_id in (1, board.id):
            await at.storage.add_webhook(boss, None, board_id, "https://a.example/", "standard", b"s")
            spam, _ = await at.storage.append(Author(spammer.id, "Spammer"), "spam", None, board_id=board_id)
        async with sending(at.board) as (time, delivery, sender):
            await at.storage.remove_all(None, spam.id)
            await at.board.waiters.deliver()
            await time.go(2)
            assert set(types(delivery)) >= {"reset"} and len(sender.couriers) == 2
            await sender.look()  # finds the floor of the other board, of which deliver() says nothing
            await time.settle()
            reads, next_for = [], at.storage.next_for

            async def read(webhook):
                reads.append(webhook)
                return await next_for(webhook)

            at.storage.next_for = read
            for _ in range(3):
                await sender.look()
                await time.settle()
            assert reads == []


def test_what_a_receiver_has_asked_for_holds_over_a_restart():
    hook = Webhook(*[0] * len(Webhook._fields))
    for waited in (0, 2000 * DAY):
        assert left(hook._replace(next_at=HOUR * 1000, waited=waited), 0) == HOUR
        assert left(hook._replace(next_at=9 * HOUR * 1000, waited=waited), 0) == HOUR, "by a clock that was set"
    assert left(hook._replace(next_at=1), 5) == left(hook._replace(next_at=None), 5) == 0
