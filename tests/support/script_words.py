"""The texts that scripts give to t() and n(), as a translator gets them."""

import ast
import pathlib
import re

SCRIPTS = sorted((pathlib.Path(__file__).parents[2] / "static" / "js").glob("*.js"))
TEXT = r'("(?:[^"\\]|\\.)*")'
ONE = re.compile(rf"\bt\(\s*{TEXT}")
COUNTED = re.compile(rf"\bn\(\s*{TEXT},\s*{TEXT}")


def texts() -> tuple[set[str], set[tuple[str, str]]]:
    """Those of t(), and singular and plural of n()."""
    code = "".join(path.read_text() for path in SCRIPTS)
    counted = COUNTED.findall(code)
    return {ast.literal_eval(one) for one in ONE.findall(code)}, {
        (ast.literal_eval(one), ast.literal_eval(many)) for one, many in counted
    }
