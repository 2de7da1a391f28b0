"""The download of all that is kept about a member has all of it: the test goes through the tables of the database."""

import contextlib
import datetime
import json
import re
import sqlite3

from storage.about import Notes
from storage.records import Author, Password
from storage.tables import TABLES
from tests.storage.test_storage import ADA, BOB, storage  # noqa: F401 (a fixture)
from tests.support.people import PASSWORD, Person

# ruff: noqa: F811 (the fixture of the suite for storage)
OWNERS = {name: table.owner for name, table in TABLES.items() if table.owner}


def given(data):
    """The rows of each table as the download has them, by the names of the columns."""
    facebook, posted = data["facebook"], data["messages"]
    kind, _, picture = facebook["picture"].removeprefix("data:").partition(";base64,")
    return {
        "accounts": [data["account"] | {"password_at": data["password_set_at"], "tutorial_name": data["tutorial_name"]}],
        "credentials": data["sessions_and_tokens"],
        "links": data["password_links"],
        "access_changes": [{"at": at} for at in data["access_changes"]],
        "failed_tries": [data["failed_sign_ins"]],
        "identities": [{"provider": "facebook", "app_id": facebook["app_id"], "facebook_id": facebook["id"], "name": facebook["name"],
                        "created_at": facebook["linked_at"], "notice_at": facebook["notice_at"],
                        "picture_kind": kind, "picture": picture}],
        "messages": [with_name(one) for one in posted if "board_id" not in one],
        "posts": [with_name(one) for one in posted if "board_id" in one],
        "boards": [one | {"reading_order": one["order"]} for one in data["boards"]],
        "invitations": data["invitations"],
        "marks": data["read_marks"],
        "reactions": data["reactions"],
        "hooks": data["incoming_webhooks"],
        "webhooks": data["webhooks"],
        "audit": [one | {"actor_name": data["account"]["username"]} for one in data["audit_log"] if one["by_you"]],
    }  # fmt: skip


def with_name(one):
    return one | {"author_name": (one.get("author") or {}).get("name")}


def as_sent(column, value):
    """A value of the database as JSON has it."""
    if value is not None and (column == "at" or column.endswith("_at")):
        at = datetime.datetime.fromtimestamp(value / 1000, datetime.UTC)
        return f"{at:%Y-%m-%dT%H:%M:%S}.{value % 1000:03}Z"
    if column == "mentions" and value is not None:
        return [int(id) for id in value.strip(";").split(";")]
    return "YWJj" if column == "picture" else value


def test_it_has_every_column_of_every_table_with_a_word_about_them(start):
    """A new column is in the download, or storage/tables.py says that it is not given."""
    server = start()
    ada, bob = Person(server, "ada"), Person(server, "bob")
    with contextlib.closing(sqlite3.connect(server.database)) as db, db:
        db.row_factory = sqlite3.Row
        fill(db, server, ada, bob)
        data = ada.browser().get("/account/download").json()
        assert [entry["target"] for entry in data["audit_log"] if not entry["by_you"]] == ["ada", "message 1"]
        for table, owner in OWNERS.items():
            rows = db.execute(f"SELECT * FROM {table} WHERE {owner} = ? ORDER BY 1", (ada.id,)).fetchall()
            sent = given(data)[table]
            assert rows and len(rows) == len(sent), table
            for column in (one.name for one in TABLES[table].columns if one.given):
                if column != owner or column == "id":
                    kept = sorted(json.dumps(as_sent(column, row[column])) for row in rows)
                    given_back = sorted(json.dumps(shown(one, column)) for one in sent)
                    assert kept != ["null"] * len(kept), f"the test has nothing in {table}.{column}"
                    if column == "last_used_at":  # what is not written down yet is later
                        assert all(at <= later for at, later in zip(kept, given_back, strict=True))
                    else:
                        assert kept == given_back, (table, column)


def shown(sent, column):
    """Of a deleted message the words are not there, which the database says by NULL."""
    value = sent.get(column)
    return int(value) if column == "by_facebook" else value


def fill(db, server, ada, bob):
    """Ada has a row in each table, with something in each column."""
    posted = ada.api.post("/api/v1/messages", json={"body": "mine 😀", "key": "k" * 22}).json()
    ada.api.post("/api/v1/messages", json={"body": "my reply, @bob", "reply_to": posted["id"]})
    ada.api.patch(f"/api/v1/messages/{posted['id']}", json={"body": "mine, edited"})
    gone = ada.post("to be deleted")
    ada.api.delete(f"/api/v1/messages/{gone['id']}")
    others = bob.post("not mine")
    ada.api.post("/api/v1/tokens", json={"name": "bot", "password": PASSWORD})
    own, other = (ada.id, "ada"), (bob.id, "bob")
    db.execute("UPDATE accounts SET tutorial_name = 'Ada of old' WHERE id = ?", (ada.id,))
    db.execute("UPDATE credentials SET by_facebook = 1, provider = 'facebook' WHERE kind = 'bot'")
    db.execute("INSERT INTO links VALUES (x'01', 'password', ?, 4000000000000, 'member'), (x'02', 'password', ?, 5000000000000, 'member')", (ada.id, bob.id))  # fmt: skip
    db.execute("INSERT INTO access_changes SELECT access + 1, ?, 1700000000001 FROM board", (ada.id,))
    db.execute("INSERT INTO access_changes SELECT access + 2, ?, 1700000000002 FROM board", (bob.id,))
    db.execute("UPDATE board SET access = access + 2")
    db.execute("INSERT INTO failed_tries VALUES (?, 3, 2)", (ada.id,))
    db.execute("INSERT INTO identities VALUES (NULL, ?, 'app', 'fb', 'Ada F', 'image/png', x'616263', 1700000000003, 1700000000004, 'facebook')", (ada.id,))  # fmt: skip
    db.execute(
        "INSERT INTO boards VALUES (2, 'rowing', 'Rowing', 'on the river', 'be kind', 'invited', 'guests', ?, "
        "1700000000005, 1700000000006, NULL, 1, 1, 'oldest')", (ada.id,),
    )  # fmt: skip
    db.execute(
        "INSERT INTO invitations VALUES (NULL, 2, ?, 1700000000007), (NULL, 2, ?, 1700000000008)", (ada.id, bob.id)
    )
    db.execute("UPDATE credentials SET board_id = 2 WHERE account_id = ?", (ada.id,))
    db.execute("INSERT INTO marks VALUES (NULL, 2, ?, 90), (NULL, 2, ?, 92)", (ada.id, bob.id))
    elsewhere = (
        "INSERT INTO posts (id, seq, board_id, author_id, author_name, body, created_at, edited_at, key, fingerprint, address, reply_to, mentions) "
        "VALUES (?, ?, 2, ?, ?, 'elsewhere', 1700000000009, 1700000000010, ?, x'00', '192.0.2.9', 89, ';0;2;')"
    )
    db.executemany(elsewhere, [(90, 91, ada.id, "ada", "e" * 22), (92, 92, bob.id, "bob", "e" * 22)])
    reactions = [(posted["id"], ada.id), (90, ada.id), (posted["id"], bob.id)]
    db.executemany("INSERT INTO reactions VALUES (NULL, ?, ?, 'heart', 1700000000011)", reactions)
    hook = "INSERT INTO hooks (account_id, board_id, hash, made_by, created_at, last_used_at, drops_repeats) VALUES (?, 2, x'00', ?, 1700000000012, 1700000000013, 1)"
    db.executemany(hook, [(97, ada.id), (98, bob.id)])
    webhook = (
        "INSERT INTO webhooks VALUES (NULL, 2, ?, 'https://a.example/secret', 'slack', x'01', x'02', 1, 1700000000012, 0, "
        "1700000000013, 'gone', 'e', 0, 0, 0, 1, 1, 1, 1, 1700000000014, 1700000000015, '410')"
    )
    db.executemany(webhook, [(ada.id,), (bob.id,)])
    audit = "INSERT INTO audit (at, actor_id, actor_name, action, target) VALUES (?, ?, ?, ?, ?)"
    later = 4_000_000_000_000
    db.execute(audit, (1, None, "command line", "suspend", "ada"))  # another Ada, whose account is gone
    db.execute(audit, (later, None, "command line", "restore", "ada"))
    db.execute(audit, (later, *own, "suspend", "bob"))
    db.execute(audit, (later, *other, "delete", f"message {posted['id']}"))
    db.execute(audit, (later, *other, "delete", f"message {others['id']}"))
    db.execute("INSERT INTO audit VALUES (NULL, ?, ?, 'ada', 'invite', 'board 2, bob', 2, NULL)", (later, ada.id))
    db.commit()


async def test_what_somebody_posted_is_found_in_every_engine(storage):
    """Page by page, with what is left of a deleted message; nothing that is another's."""
    for n, author in enumerate((ADA, BOB, ADA, None, ADA)):
        await storage.append(author, f"words {n}", f"{n}" * 22, f"192.0.2.{n}")
    await storage.delete(5)
    first, rest = await storage.posted_by(ADA.id, 0, 2), await storage.posted_by(ADA.id, 3, 2)
    assert [(row.message.id, row.message.body, row.key[0], row.address) for row in first + rest] == [
        (1, "words 0", "0", "192.0.2.0"), (3, "words 2", "2", "192.0.2.2"), (5, None, "4", None),
    ]  # fmt: skip
    assert await storage.posted_by(ADA.id, 5, 2) == []


async def test_small_notes_about_somebody_are_found_in_every_engine(storage):
    """When links run out, and when something about the account changed."""
    assert await storage.notes_about(ADA.id) == Notes([], [])
    for account, hash, until in ((ADA, b"1", 7), (ADA, b"2", 5), (BOB, b"3", 6), (None, b"4", 8)):
        await storage.create_link("password", hash, account and account.id, until)
    await storage.set_name(ADA.id, "Countess")
    notes = await storage.notes_about(ADA.id)
    assert notes.links_until == [5, 7] and len(notes.access_changes) == 1
    assert (await storage.notes_about(BOB.id)).access_changes == []


async def test_the_audit_log_about_somebody_is_found_in_every_engine(storage):
    """What they did, and what was done to them or to a message of theirs, but not to one who had their name before."""
    await storage.set_role(None, "bob", "moderator")
    bob = await storage.account("bob")
    await storage.suspend(None, "ada")
    await storage.delete_account(ADA.id, keep_messages=True)
    ada = await storage.create_account("ada", "Ada", Password("a hash"))
    for author in (Author(ada.id, "Ada"), BOB, Author(ada.id, "Ada")):
        await storage.append(author, "words", None, "192.0.2.7")
    await storage.delete(3, BOB.id, moderates=True)
    await storage.block_address(bob, 1, 10**14)
    await storage.block_address(bob, 2, 10**14)
    await storage.suspend(bob, "ada")
    await storage.log(bob, "block", "the address of message 1")  # as it was written before it named the author
    assert (await storage.audit_about(ada, 0, 100))[-1].target == "the address of message 1"
    await storage.remove_all(bob, 1)
    about: list = []
    while page := await storage.audit_about(ada, about[-1].id if about else 0, 2):
        about += page
    told = [(entry.action, re.sub("until .*", "until then", entry.target)) for entry in about]
    assert told == [
        ("delete", "message 3 by ada"), ("block", "the address of message 1 by ada until then"), ("suspend", "ada"),
        ("remove", "all by the author of message 1, ada"),
    ]  # fmt: skip
    assert len(await storage.audit_about(bob, 0, 100)) == 7
    the = await storage.create_account("the", "The", Password("a hash"))
    assert await storage.audit_about(the, 0, 100) == []
