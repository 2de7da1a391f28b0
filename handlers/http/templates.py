"""Tornado's templates. Their variables are freed as soon as the page is made.

Tornado leaves the variables in a reference cycle with the function that used them. The text of hundreds of pages would
wait for Python's garbage collector, which runs rarely here (GC_THRESHOLDS in server.py).
"""

import datetime
import pathlib
from typing import Any

import tornado.template
from tornado import escape
from tornado.util import ObjectDict, exec_in

from handlers.http.sentences import bdi, escaped, in_link, joined, link, rich
from handlers.http.static import ROOT

HELPERS = {
    "escape": escaped,
    "xhtml_escape": escaped,
    "rich": rich,
    "link": link,
    "bdi": bdi,
    "in_link": in_link,
    "joined": joined,
    "url_escape": escape.url_escape,
    "json_encode": escape.json_encode,
    "squeeze": escape.squeeze,
    "linkify": escape.linkify,
    "datetime": datetime,
    "_tt_utf8": escape.utf8,
    "_tt_string_types": (str, bytes),
}
"""The variables that Tornado gives to each template."""


class Template(tornado.template.Template):
    def generate(self, **names: Any) -> bytes:
        about = {"__name__": self.name.replace(".", "_"), "__loader__": ObjectDict(get_source=lambda _: self.code)}
        namespace = {**HELPERS, **about, **self.namespace, **names}
        try:
            exec_in(self.compiled, namespace)
            made: bytes = namespace["_tt_execute"]()
            return made
        finally:
            namespace.clear()


class Loader(tornado.template.Loader):
    def _create_template(self, name: str) -> Template:
        return Template(pathlib.Path(self.root, name).read_bytes(), name=name, loader=self)


LOADER = Loader(str(ROOT / "templates"))
