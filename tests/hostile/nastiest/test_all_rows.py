"""The suite is whole."""

import pathlib
import re


def test_each_of_the_25_rows_has_a_test():
    """By the numbers in their names."""
    here = pathlib.Path(__file__).parent
    names = " ".join(
        re.findall(r"def test_(\d\d(?:_and_\d\d)?)_", "".join(file.read_text() for file in here.glob("*.py")))
    )
    assert {int(number) for number in re.findall(r"\d\d", names)} == set(range(1, 26))
