"""The description names every error and header that its calls can be answered with, and no other: the code says which."""

import ast
import re
import types

import pytest

from handlers.http.base import Base
from handlers.http.errors import ANSWERS, RETRY_SECONDS, STATUSES, TORNADO_ERRORS, RefusedError, as_refused
from handlers.operations.monitored import Monitored
from handlers.operations.openapi import DESCRIPTION as INTRODUCTION
from handlers.operations.openapi import description
from settings import read_settings
from storage.errors import CannotOpenError, SearchBusyError, StorageError
from storage.postgres.connection import UnstorableTextError
from storage.transfer import RowRefusedError
from tests.support.reach import Reach
from tests.support.routes import ROUTES
from tests.support.server import ROOT

DESCRIBED = description(
    read_settings([], {"METRICS_TOKEN": "Zk3vQ8sLw2Rt6Yb9", "EMBED_FROM": "https://blog.example.org"})
)
PATHS = DESCRIBED["paths"]
CALLS = [(path, method) for path, methods in PATHS.items() for method in methods if method != "parameters"]
ANYWHERE = {(400, "bad_request"), (431, "head_too_long")}
"""What comes before any handler."""
WITH_ERRORS = {"www-authenticate": {"401"}, "retry-after": {"429", "503"}}
"""Headers that errors of these statuses have; a test holds write_error to it."""


def handler_of(path):
    for pattern, kind, *_ in ROUTES:
        if re.fullmatch(pattern, re.sub(r"\{\w+\}", "1", path)):
            return kind
    raise AssertionError(f"no route for {path}")


def reach(path, method):
    """What is reached by a call: what is done before any method, and by this one."""
    kind = handler_of(path)
    before, reached = Reach(kind, "prepare"), Reach(kind, method)
    if method == "get":
        before.errors.discard((413, "too_large"))  # what a GET brings is thrown away unread
    else:
        before.errors.add((403, "cross_origin"))
    if method != "get" or not kind.counts_as_reading.fget(types.SimpleNamespace(account="a member's")):
        before.errors.discard((429, "too_many_requests"))
    if not issubclass(kind, Monitored):  # whose answers are about storage: they never fail with it
        before.errors.add((503, "unavailable"))
    return before.errors | reached.errors | ANYWHERE, before.headers | reached.headers


def described_errors(path, method):
    """(status, code) of each example."""
    responses = PATHS[path][method]["responses"].items()
    return {
        (int(status), code)
        for status, response in responses
        for code in response.get("content", {}).get("application/json", {}).get("examples", {})
    }


OF_OTHERS = {(401, "signed_out"), (401, "invalid_token")}
"""Where it doesn't matter who is asking: `identifies` is looked at before either is raised."""
NO_BOARD = (404, "not_found")
"""Of storage, for another board than the first, which these calls don't name."""
UNHEARD_OF = {
    ("/get", "get"): {(400, "bad_time")},  # only with `t`, which is for the tutorial's pages
    ("/api/v1/messages", "post"): {
        (400, "bad_cursor"),
        NO_BOARD,
        (403, "archived"),  # as the first board never is
        (403, "read_only"),
        (404, "no_such_board"),  # it is always in memory
        (429, "too_many_requests"),
    },  # the first only with an `after`, which means nothing
    ("/api/v1/messages", "get"): {(404, "no_such_board")},  # of the first board, which is always there
    ("/api/v1/search", "get"): {(404, "no_such_board")},
    ("/api/v1/boards", "get"): {
        NO_BOARD,
        (404, "no_such_board"),
    },  # of one board, also the first, which is always there
    ("/api/v1/boards", "post"): {
        NO_BOARD,  # the one that was just made is there
        (422, "names_several"),  # usernames say who is meant
    },
    ("/api/v1/boards/{slug}", "patch"): {
        (409, "edited_meanwhile"),  # only of the page's form, which says from when it is
        (422, "names_several"),
    },
    **{
        (f"/api/v1/boards/{{slug}}/webhooks{which}", method): {(403, "first_board")}  # which has webhooks as any other
        for which, methods in {
            "": ("get", "post"),
            "/{id}": ("get", "patch", "delete"),
            "/{id}/secret": ("post",),
            "/{id}/test": ("post",),
        }.items()
        for method in methods
    },
    ("/api/v1/boards/{slug}/webhooks/{id}/secret", "post"): {
        (403, "first_board"),
        (422, "bad_url"),
    },  # it stays as it is
    ("/api/v1/boards/{slug}/messages", "post"): {(400, "bad_cursor"), NO_BOARD},  # which is no_such_board there
    ("/api/v1/signin", "post"): {(422, "too_many_tokens")} | OF_OTHERS,  # the first is for bots' tokens
    ("/api/v1/signup", "post"): OF_OTHERS,
    ("/healthz", "get"): OF_OTHERS,
    ("/readyz", "get"): OF_OTHERS,
    ("/oembed", "get"): OF_OTHERS,
    ("/feed", "get"): OF_OTHERS,
    ("/metrics", "get"): {(401, "signed_out")},
}


@pytest.mark.parametrize(("path", "method"), CALLS)
def test_a_call_names_each_error_that_its_code_can_raise(path, method):
    """And none that it can't."""
    raised, _ = reach(path, method)
    assert described_errors(path, method) == raised - UNHEARD_OF.get((path, method), set())


@pytest.mark.parametrize(("path", "method"), CALLS)
def test_a_call_names_each_header_that_its_code_sets(path, method):
    """Beside those of every answer, which the introduction has."""
    _, found = reach(path, method)
    found -= {name for name in found if f"`{name}`" in INTRODUCTION.lower()} | {"content-type"}
    responses = PATHS[path][method]["responses"]
    found |= {name for name, statuses in WITH_ERRORS.items() if statuses & responses.keys()}
    described = {name.lower() for response in responses.values() for name in response.get("headers", {})}
    assert described == found


def test_errors_have_no_header_that_is_not_known_here():
    """What write_error sets, and the introduction says."""
    found = {name for name in Reach(Base, "write_error").headers if f"`{name}`" not in INTRODUCTION.lower()}
    assert found == WITH_ERRORS.keys() | {"content-type"}


def test_every_code_of_the_project_is_described_or_belongs_to_the_pages_alone():
    """None is in nobody's reach: then the walk through the code has lost its way."""
    sources = [path.read_text() for folder in ("handlers", "board") for path in (ROOT / folder).rglob("*.py")]
    pattern = (
        r'(?:RefusedError\(\s*\d{3},|(?:BadText|Denied)Error\(|\d{3}: \(|: \(\s*\d{3},|code"?[:=](?: str =)?)\s*"(\w+)"'
    )
    codes = {code for text in sources for code in re.findall(pattern, text)}
    named = {code for path, method in CALLS for _, code in described_errors(path, method)}
    introduced = set(re.findall(r"`(\w+)`", INTRODUCTION))
    pages = {
        code
        for pattern, kind, *_ in ROUTES
        for method in ("get", "post")
        for _, code in Reach(kind, "prepare", method).errors
    }
    assert len(codes) > 50 and len(named) > 30
    assert codes - named - introduced - pages == set()
    assert {answer[1] for answer in ANSWERS.values()} | {answer[0] for answer in TORNADO_ERRORS.values()} <= codes


def test_every_fault_of_storage_has_an_answer_also_the_engines_own():
    """Without one it would be a 500, as if it were a fault in the program."""
    kinds, faults = [StorageError], {UnstorableTextError, SearchBusyError}
    while kinds:
        kinds = [below for kind in kinds for below in kind.__subclasses__()]
        faults.update(kinds)
    of_commands = {CannotOpenError, RowRefusedError}
    assert {kind for kind in faults - of_commands if as_refused(500, kind()).status_code == 500} == set()


def test_every_503_says_when_to_come_again():
    """Also one that a handler raises itself, as when boards change while a page is made."""
    refused = [as_refused(500, kind()) for kind, (status, *_) in ANSWERS.items() if status == 503]
    assert [one.retry_after for one in [*refused, RefusedError(503, "unavailable", "")]] == [RETRY_SECONDS] * 5
    assert RefusedError(503, "unavailable", "", 1).retry_after == 1
    assert RefusedError(404, "not_found", "").retry_after is None


UNPROCESSABLE = {
    "bad_url",
    "feed_is_open",
    "about_too_long", "bad_name", "bad_reaction", "bad_slug", "bad_username", "body_empty", "body_too_long", "name_reserved", "no_account", "password_common",
    "name_differs", "names_several", "owns_board", "password_length", "query_too_long", "random_slug", "rules_too_long", "too_many_boards", "too_many_names",
}  # fmt: skip
"""What is understood, and can't be done: 422."""


def test_each_refusal_of_the_board_has_a_status_that_was_chosen():
    """A new code must not get 422 only because nobody has thought of it. With seconds to wait, it is 429."""
    trees = [ast.parse(file.read_text()) for file in (ROOT / "board").rglob("*.py")]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    refusals = [call.args for call in calls if getattr(call.func, "id", "") in ("DeniedError", "BadTextError")]
    refusals += [call.args[1:] for call in calls if getattr(call.func, "id", "") == "Problem"]
    raised = {code.value for code, *rest in refusals if len(rest) < 2 and isinstance(code, ast.Constant)}
    assert raised == set(STATUSES) | UNPROCESSABLE
