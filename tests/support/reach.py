"""What a handler's method can answer, read from the code: it and all that it calls, as far as names lead.

Names are looked up as Python does it: a function's globals, the handler's class for `self` and `handler`, and the
classes behind the few objects that handlers reach for. A storage's errors are those that its protocol names.
"""

import ast
import functools
import inspect
import re

from board.credentials import Credentials
from board.limits import Limits
from board.passwords import Passwords
from board.site import Site
from board.waiters import WaiterList
from handlers.http.errors import ANSWERS, STATUSES
from storage import Storage
from tests.support.server import ROOT

BEHIND = {"site": Site, "storage": Storage, "passwords": Passwords}
BEHIND |= {"credentials": Credentials, "waiters": WaiterList}
WHOM = {"anyone": set(), "readers": {(401, "sign_in_first")}, "members": {(401, "sign_in_first")}}
WHOM["moderators"] = WHOM["members"] | {(403, "moderators_only")}
FAULTS = {kind.__name__: answer for kind, answer in ANSWERS.items()}


@functools.cache
def tree_of(function):
    source = inspect.getsource(function)
    return ast.parse(f"if True:\n{source}" if source[0].isspace() else source)


def caught_in(function):
    """The names of what it catches itself, or the context managers of ours that it uses; not what it raises again."""
    nodes = [*ast.walk(tree_of(function))]
    caught = {
        name.id
        for node in nodes
        if isinstance(node, ast.ExceptHandler)
        and node.type is not None
        and not any(isinstance(one, ast.Raise) and one.exc is None for one in ast.walk(node))
        for name in ast.walk(node.type)
        if isinstance(name, ast.Name)
    }
    for item in (item.context_expr for node in nodes if isinstance(node, ast.With) for item in node.items):
        manager = (
            isinstance(item, ast.Call) and isinstance(item.func, ast.Name) and function.__globals__.get(item.func.id)
        )
        if manager and is_ours(inspect.unwrap(manager)):
            caught |= caught_in(inspect.unwrap(manager))
    return caught


def is_ours(thing):
    file = getattr(getattr(thing, "__code__", None), "co_filename", "")
    return file.startswith(str(ROOT)) and ".venv" not in file


class Reach:
    """`errors` are (status, code); `headers` are the names of those that are set."""

    def __init__(self, kind, *methods):
        self.kind = kind
        self.errors = set()
        self.headers = set()
        self._seen = set()
        for method in methods:
            self.named(kind, method)

    def named(self, kind, name, caught=frozenset()):
        """Whatever stands under this name in the class, and in those that it inherits from: super() leads there."""
        if name == "identify" and not getattr(kind, "identifies", True):
            return
        for base in kind.__mro__:
            thing = vars(base).get(name)
            thing = getattr(thing, "fget", None) or getattr(thing, "func", None) or getattr(thing, "__func__", thing)
            if thing is not None and is_ours(inspect.unwrap(thing)):
                self.function(kind, inspect.unwrap(thing), caught)

    def function(self, kind, function, caught=frozenset()):
        if kind is Storage:
            raised = " ".join(re.findall(r"[Rr]aises\s+(.*?)(?:\.\s|\.$|$)", function.__doc__ or "", re.DOTALL))
            self.errors |= {FAULTS[name][:2] for name in re.findall(r"\w+", raised) if name in FAULTS.keys() - caught}
        elif "for_whom" in function.__code__.co_names and function.__name__ == "check_for_whom":
            self.errors |= WHOM[kind.for_whom]
        elif (kind, function) not in self._seen:
            self._seen.add((kind, function))
            caught = caught_in(function)
            for node in ast.walk(tree_of(function)):
                self.node(kind, function, node, caught)

    def node(self, kind, function, node, caught):
        match node:
            case ast.Call(func=ast.Name(id="RefusedError"), args=[ast.Constant(status), ast.Constant(code), *_]):
                self.errors.add((status, code))
            case ast.Call(func=ast.Name(id="BadTextError" | "DeniedError"), args=[ast.Constant(code), _, *seconds]):
                self.errors.add((429 if seconds else STATUSES.get(code, 422), code))
            case ast.Call(func=ast.Name(id="Problem"), args=[_, ast.Constant(code), _]):
                self.errors.add((STATUSES.get(code, 422), code))
            case ast.Attribute(value=ast.Attribute(value=ast.Attribute(attr="limits"), attr=name), attr="check"):
                self.errors.add((429, getattr(Limits(), name).code))
            case ast.Call(func=ast.Attribute(attr="set_header"), args=[ast.Constant(name), *_]):
                self.headers.add(name.lower())
            case ast.Raise(exc=ast.Name(id=name)) if name in FAULTS:
                self.errors.add(FAULTS[name][:2])
            case ast.Attribute(value=ast.Name(id="handler"), attr=name):
                self.named(self.kind, name)
            case ast.Attribute(value=ast.Name(id="self") | ast.Call(func=ast.Name(id="super")), attr=name):
                self.named(kind, name)
            case ast.Attribute(value=ast.Attribute(attr=last) | ast.Name(id=last), attr=name) if last in BEHIND:
                self.named(BEHIND[last], name, caught)
            case ast.Name(id=name):
                self.called(function.__globals__.get(name))
            case ast.Attribute(value=ast.Name(id=name), attr=part) if inspect.ismodule(function.__globals__.get(name)):
                self.called(getattr(function.__globals__[name], part, None))

    def called(self, thing):
        """A function, wherever it is named: most are called there."""
        if inspect.isfunction(thing) and is_ours(inspect.unwrap(thing)):
            self.function(self.kind, inspect.unwrap(thing))
