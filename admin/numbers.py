"""Numbers of things, as people write them."""


def counted(number: int, things: str) -> str:
    """`1 message`, `2 messages`; `1 identity`, `0 identities`."""
    if number != 1:
        return f"{number} {things}"
    return f"1 {things[:-3]}y" if things.endswith("ies") else f"1 {things.removesuffix('s')}"


def were(number: int) -> str:
    """`1 was`, `2 were`."""
    return f"{number} {'was' if number == 1 else 'were'}"
