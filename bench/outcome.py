"""How a bench can fail, and how numbers are shown: medians with the least and the most, so that noise is visible."""

import statistics
from collections.abc import Sequence


class Wrong(Exception):
    """Longboard did something that it must not do. No number is of use then."""


class Missing(Exception):
    """This machine lacks something that the bench needs; the text says what to do."""


def spread(values: Sequence[float], digits: int = 1) -> str:
    """12.3 (11.0–14.2): the median, the least and the most."""
    median, least, most = statistics.median(values), min(values), max(values)
    return f"{median:,.{digits}f} ({least:,.{digits}f}–{most:,.{digits}f})"


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Prints a table in Markdown, so that it can go into a report as it is."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    for row in [head, ["-" * width for width in widths], *rows]:
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |")
    print(flush=True)
