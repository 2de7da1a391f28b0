"""One of several nodes sends webhooks, and another one goes on when that one is killed, or only paused."""

import signal

from tests.support.boards import promote
from tests.support.people import Person, client
from tests.support.receiver import receiving
from tests.support.server import until

HOOKS = "/api/v1/boards/first/webhooks"


def test_one_node_of_several_sends_and_another_takes_over(new_database, start):
    """Each change reaches the receiver, in order and with one id, from both nodes."""
    url = new_database()
    nodes = [start(database_url=url, webhooks_to_loopback="on") for _ in range(2)]
    ada = promote(nodes[0], Person(nodes[0], "ada"))
    with receiving() as receiver:
        made = ada.api.post(HOOKS, json={"url": f"{receiver.url}/a"})
        assert made.status_code == 201, made.text
        path = f"{HOOKS}/{made.json()['id']}"
        for n in range(6):
            nodes[n % 2].post(f"{n}")
        events = receiver.events("/a", 6)
        assert [event["data"]["body"] for event in events] == [f"{n}" for n in range(6)]
        assert len({got.id for got in receiver.got}) == 6, "one node alone sends"
        other = client(nodes[1], ada.sign_in())
        assert other.patch(path, json={"paused": True}).json()["state"] == "paused", "on the node that does not send"
        until(lambda: other.get(path).json()["behind"] == 0)
        nodes[1].post("6")
        assert other.patch(path, json={"paused": False}).json()["state"] == "on"
        until(lambda: bodies(receiver)[-1] == "6")
        nodes[0].kill()
        nodes[1].post("7")
        until(lambda: bodies(receiver)[-1] == "7")
        assert list(dict.fromkeys(bodies(receiver))) == [f"{n}" for n in range(8)]
        assert max(map(bodies(receiver).count, bodies(receiver))) <= 2
        nodes[0].start()
        until(lambda: nodes[0].get("/readyz").status_code == 200)
        nodes[1].process.send_signal(signal.SIGSTOP)
        try:
            nodes[0].post("8")
            until(lambda: bodies(receiver)[-1] == "8")
        finally:
            nodes[1].process.send_signal(signal.SIGCONT)
        assert len({got.id for got in receiver.got}) == 9
        assert max(map(bodies(receiver).count, bodies(receiver))) <= 3, "once more by each node that takes over"


def bodies(receiver):
    return [got.event["data"]["body"] for got in receiver.at("/a")]
