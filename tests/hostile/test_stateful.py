"""Waiter list and storage against a model of a few lines: whatever is done in whatever order, every client has it all."""

import asyncio
import json
import pathlib
import socket
import tempfile

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from board.credentials import Credentials
from board.cursor import parse_cursor
from board.reactions import EMOJI
from board.waiter import Waiter
from board.waiters import WaiterList, load
from net.connections import Connections
from net.event_stream import JsonLines
from net.event_streams import EventStreams
from net.streams import Refusals
from storage import open_storage
from storage.errors import KeyReusedError, NotFoundError
from storage.records import Asker, Author, Password
from tests.unit.test_waiters import Counting

ADA = Author(1, "Ada")
CLIENTS = 3
KEYS = st.sampled_from([None, "a" * 22, "b" * 22])
WORDS = st.sampled_from(["one", "two", "three"])


class Client:
    """What docs/protocol.md asks of one: it puts messages by their id and moves its cursor."""

    def __init__(self, cursor):
        self.cursor = cursor
        self.shown, self.reactions = {}, {}
        self.parked = None
        self.stream = None

    def take(self, reply):
        reply = json.loads(reply)
        if reply.get("reset"):
            self.shown, self.reactions = {}, {}
        ids = [message["id"] for message in reply["messages"]]
        assert len(ids) == len(set(ids)), "a message twice in one reply"
        for message in reply["messages"]:
            self.reactions.pop(message["id"], None)
            if message.get("reactions"):
                self.reactions[message["id"]] = set(message["reactions"])
            if message.get("deleted"):
                self.shown.pop(message["id"], None)
            else:
                self.shown[message["id"]] = message["body"]
        cursor = parse_cursor(reply["cursor"])
        assert reply.get("reset") or cursor.seq >= self.cursor.seq, "a cursor went back"
        self.cursor = cursor
        return bool(reply.get("more"))


class Begun:
    """The connection of a stream whose first event has been sent, as a handler gives it on."""

    group = None

    def __init__(self, connection):
        self.socket = connection
        self.socket.setblocking(False)

    def closed(self):
        return False

    def close(self):
        self.socket.close()


class Following:
    """A client's stream: the server's side, and the client's, on which lines of JSON come."""

    def __init__(self, streams, cursor):
        self.one = JsonLines(streams, cursor, None, "")
        ours, self.connection = socket.socketpair()
        self.connection.setblocking(False)
        self.unread = b""
        streams.resume(Begun(ours), self.one)

    def lines(self):
        """What has come, and whether it has ended."""
        while True:
            try:
                data = self.connection.recv(65536)
            except BlockingIOError:
                break
            if not data:
                return self.unread.splitlines(), True
            self.unread += data
        *lines, self.unread = self.unread.split(b"\n")
        return lines, False


class House(RuleBasedStateMachine):
    @initialize()
    def build(self):
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory()
        self.url = f"sqlite:///{pathlib.Path(self.folder.name)}/board.db"
        self.model, self.keys, self.reactions = {}, {}, {}
        self.run(self.open())
        self.run(self.storage.create_account("ada", "Ada", Password(None)))
        self.clients = [Client(self.waiters.recent.cursor) for _ in range(CLIENTS)]

    async def open(self):
        self.storage = Counting(await open_storage(self.url))
        self.waiters = WaiterList(self.storage, await load(self.storage), max_parked=2)
        credentials = Credentials(self.storage, 3600)
        self.streams = EventStreams(self.waiters, credentials, Connections(10, is_counting=False), Refusals(b"", b""))

    def run(self, coroutine):
        return self.loop.run_until_complete(coroutine)

    # --- writing

    @rule(words=WORDS, key=KEYS)
    def post(self, words, key):
        """A key gives the message that it gave before; other words under it are refused."""
        try:
            message, is_new = self.run(self.storage.storage.append(ADA, words, key))
        except KeyReusedError:
            assert self.keys[key][1] != words
            return
        known = self.keys.get(key)
        assert is_new == (known is None)
        if is_new:
            assert not self.model or message.id > max(self.model)
            self.model[message.id] = words
            if key:
                self.keys[key] = (message.id, words)
        else:
            assert message.id == known[0]

    @precondition(lambda self: self.model)
    @rule(data=st.data(), words=WORDS)
    def edit(self, data, words):
        id = data.draw(st.sampled_from(sorted(self.model)))
        try:
            self.run(self.storage.storage.edit(id, words, ADA.id))
            assert self.model[id] is not None
            self.model[id] = words
        except NotFoundError:
            assert self.model[id] is None

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def delete(self, data):
        id = data.draw(st.sampled_from(sorted(self.model)))
        try:
            self.run(self.storage.storage.delete(id, ADA.id))
            assert self.model[id] is not None
            self.model[id] = None
            self.keys = {key: (known, None if known == id else words) for key, (known, words) in self.keys.items()}
        except NotFoundError:
            assert self.model[id] is None

    @precondition(lambda self: self.model)
    @rule(data=st.data(), kind=st.sampled_from(["heart", "eyes"]), withdraws=st.booleans())
    def react(self, data, kind, withdraws):
        """A change of the message, too, that leaves its words as they are; none if it is so already."""
        id, storage = data.draw(st.sampled_from(sorted(self.model))), self.storage.storage
        try:
            message = self.run((storage.withdraw if withdraws else storage.react)(id, kind, Asker(ADA.id)))
            assert message.body == self.model[id] is not None
            self.reactions.setdefault(id, set()).discard(kind)
            self.reactions[id] |= set() if withdraws else {kind}
        except NotFoundError:
            assert self.model[id] is None

    # --- reading

    @rule(number=st.integers(0, CLIENTS - 1))
    def park(self, number):
        """Or be answered at once, where there is something or no room."""
        client = self.clients[number]
        if client.parked is None and client.stream is None:
            reply = self.run(self.poll(client, 1000))
            if isinstance(reply, Waiter):
                client.parked = reply
            else:
                client.take(reply)

    async def poll(self, client, wait):
        if await self.waiters.is_beyond(client.cursor):
            return self.waiters.recent.newest(reset=True)
        return self.waiters.poll(client.cursor, wait)

    @rule(number=st.integers(0, CLIENTS - 1))
    def follow(self, number):
        """By a stream, which begins as a poll that does not wait, and ends where there is no room."""
        client = self.clients[number]
        if client.parked is None and client.stream is None:
            while client.take(self.run(self.poll(client, 0))):
                pass
            client.stream = self.run(self.begin(client.cursor))
            self.take_answers()

    async def begin(self, cursor):
        return Following(self.streams, cursor)

    @rule(number=st.integers(0, CLIENTS - 1))
    def leave(self, number):
        """The connection breaks; the cursor is the client's and stays."""
        client = self.clients[number]
        if client.stream is not None:
            client.stream.connection.close()
            while client.stream.one.parked is not None:
                self.run(asyncio.sleep(0))
            client.stream = None
        if client.parked is not None:
            self.waiters.leave(client.parked)
            client.parked = None

    @rule(fails=st.booleans())
    def deliver(self, fails):
        """Sometimes storage can't be read; the next time makes up for it."""
        self.storage.away = fails
        assert self.run(self.waiters.deliver()) != fails
        self.storage.away = False
        self.take_answers()

    @rule()
    def restart(self):
        """As after a kill: memory is gone, clients come back with their cursors."""
        for number in range(CLIENTS):
            self.leave(number)
        self.run(self.storage.storage.close())
        self.run(self.open())

    @rule(number=st.integers(0, CLIENTS - 1))
    def catch_up(self, number):
        """Whoever asks until there is no more has exactly what is there, each message in its latest state."""
        self.run(self.waiters.deliver())
        self.take_answers()
        client = self.clients[number]
        self.leave(number)
        while client.take(self.run(self.poll(client, 0))):
            pass
        living = {id: body for id, body in self.model.items() if body is not None}
        assert client.shown == living
        reacted = {
            id: {EMOJI[kind] for kind in kinds} for id, kinds in self.reactions.items() if kinds and id in living
        }
        assert client.reactions == reacted

    def take_answers(self):
        for client in self.clients:
            if client.parked is not None and client.parked.future.done():
                client.take(client.parked.future.result())
                client.parked = None
            if client.stream is not None:
                lines, has_ended = client.stream.lines()
                for line in lines:
                    client.take(line)
                if has_ended:
                    client.stream.connection.close()
                    client.stream = None

    @invariant()
    def those_parked_are_counted(self):
        """None is parked that has an answer, and none is forgotten."""
        parked = [one for one in self.clients if one.stream or (one.parked and not one.parked.future.done())]
        assert self.waiters.parked == len(parked) <= 2

    @invariant()
    def those_parked_have_all_that_was_delivered(self):
        for client in self.clients:
            if client.stream or (client.parked and not client.parked.future.done()):
                assert client.cursor.seq == self.waiters.recent.seq

    def teardown(self):
        for number in range(CLIENTS):
            self.leave(number)
        self.run(self.storage.storage.close())
        self.loop.close()
        self.folder.cleanup()


House.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
TestWhateverIsDoneInWhateverOrder = House.TestCase
