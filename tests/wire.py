"""Reading replies in tests."""

import json


def read(reply: bytes) -> dict:
    return json.loads(reply)


def ids(reply: bytes) -> list[int]:
    return [message["id"] for message in read(reply)["messages"]]
