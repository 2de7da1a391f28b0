"""Bodies of messages made of all that the grammar of docs/decisions/0023-text.md knows, and of what is close to it."""

import random

SIGNS = (
    "**", "_", "~~", "*", "~", "__", "`", "```", "> ", ">", "- ", "\n", "\n\n", "[", "](", "]", "(", ")", "\\", "@", "http://", "www.",
    " ", ".", ",", ":", "-", "?", "/", "#", "%", "<", '"', "'", "’", "、", "،", "¯",
)  # fmt: skip
WORDS = (
    "a", "b ", "Z9", "snake_case", "é", "e\u0301", "字", "ש", "ไท", "😀", "ſ", "\u212a", "İ", "\u200b", "\u200f", "\u00a0", "\u2028", "\t", "py\n",
    "https://a.b", "https://a.b/c_(d)", "http://u@a.b", "www.a.b", "x@y.zz", "[t](https://h.io/p_(q))", "[_t_](mailto:m@n.oo)",
    "[t](https://H.io:443?x)", "**b**", "@ada", "@b_c", "_i_", "~~s~~", "`c`",
)  # fmt: skip


def bodies(seed: int, count: int) -> list[str]:
    """Returns so many, the same for the same seed: short and long ones, and some that repeat a few signs."""
    rng = random.Random(seed)
    found = []
    for _ in range(count):
        parts = [rng.choice(SIGNS if rng.random() < 0.6 else WORDS) for _ in range(rng.choice((2, 4, 8, 16, 40)))]
        found.append("".join(parts) * (rng.choice((1, 1, 1, 50)) if len(parts) < 5 else 1))
    return found


REPEATED = (
    "**", "_", "~~", "*", "`", "```", "[", "]", "(", "\\", "@", "> ", "- ", "\n", "a", "**a ", "_a ", "~~a ", "**a** ", "_**a**_ ",
    "**_~~", "[a](", "[a](https://a", "[a](https://a(", "[a](https://a.b/(c) ", "[a](mailto:a@b.", "[a](mailto:aaaaaaaaaaaaaaaaaaaaaaaaaaaa", "www.", "http://", "https://a.b ",
    "http://(", "a@", "a@b.", "a@b.cd ", "`a", "``` ", "> a\n", "- a\n", ">\n", "> a\n>\n", "\\*", "\\`", "[www.a", "[://", "a.a", "¯\\_",
    "http://a](", "[`a`", "@aaa ", "@aaa", "@a_a.b", "**[a](https://a.b/c) _d_** ",
)  # fmt: skip
"""What makes the worst messages when it is repeated."""
