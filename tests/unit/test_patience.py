"""No test takes a busy machine for a wrong answer: none chooses how many seconds it waits."""

import ast
import itertools
import pathlib

TESTS = sorted(pathlib.Path(__file__).parents[1].rglob("*.py"))
WAITS = {"wait_for", "until", "settled", "retry"}
"""Functions whose second argument is a time."""


def impatient(tree):
    """(line, why) for each time-out that is a bare number, and for each upper bound on a duration."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            timed = [keyword.value for keyword in node.keywords if keyword.arg in ("timeout", "timeout_seconds")]
            timed += node.args[1:2] if name in WAITS else []
            timed += node.args[:1] if name in ("settimeout", "timeout") else []
            timed += node.args[:1] if name in ("wait", "result", "join", "communicate") else []
            if any(
                isinstance(value, ast.Constant) and isinstance(value.value, int | float) and value.value
                for value in timed
            ):
                yield node.lineno, "a time-out is PATIENCE, BRIEFLY, or a name that says what for"
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            if any("PATIENCE" in getattr(target, "id", "") for target in node.targets):
                yield node.lineno, "there is one patience, that of tests/support/patience.py"
        elif isinstance(node, ast.Assert):
            compared = [one for one in ast.walk(node.test) if isinstance(one, ast.Compare)]
            if any(is_duration(less) for one in compared for less in lesser(one)):
                yield node.lineno, "nothing is too slow here: speed is measured in bench/"


def lesser(compare):
    """What is said to be less than something else."""
    for (left, right), operator in zip(
        itertools.pairwise([compare.left, *compare.comparators]), compare.ops, strict=True
    ):
        if isinstance(operator, ast.Lt | ast.LtE):
            yield left
        elif isinstance(operator, ast.Gt | ast.GtE):
            yield right


def is_duration(node):
    """`time.monotonic() - began` and the like."""
    reads = "monotonic() -", "perf_counter() -", "loop.time() -"
    return isinstance(node, ast.BinOp) and ast.unparse(node).startswith(
        tuple(f"time.{r}" for r in reads[:2]) + reads[2:]
    )


def test_no_test_is_impatient():
    """Times are for what hangs (tests/support/patience.py): a machine with a load of 10 is slow, and right."""
    found = [
        f"{path.name}:{line}: {why}"
        for path in TESTS
        if path.name != "patience.py"
        for line, why in impatient(ast.parse(path.read_text()))
    ]
    assert not found, "\n".join(found)


def test_an_impatient_test_is_found():
    """The look itself sees each kind."""
    for code in (
        "httpx.get(url, timeout=5)", "until(so, 20)", "asyncio.timeout(3)", "process.wait(9)", "poll.result(5)",
        "assert time.monotonic() - began < 2", "assert 1 < time.monotonic() - began < 2", "assert 2 > loop.time() - b",
        "PATIENCE_MS = 10_000",
    ):  # fmt: skip
        assert list(impatient(ast.parse(code))), code
    for code in ("httpx.get(url, timeout=PATIENCE)", "assert time.monotonic() - began >= 0.5"):
        assert not list(impatient(ast.parse(code))), code
