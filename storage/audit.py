"""What the audit log says about a message, the same in each engine. Never an address: those are kept for 30 days."""

import datetime


def of_message(id: int, author: str) -> str:
    return f"message {id} by {author}"


def of_block(id: int, author: str, until: int) -> str:
    end = datetime.datetime.fromtimestamp(until / 1000, datetime.UTC)
    return f"the address of {of_message(id, author)} until {end:%Y-%m-%d %H:%M} UTC"


def of_removal(id: int, author: str) -> str:
    return f"all by the author of message {id}, {author}"
