"""Routes to handlers that few requests need: their files are read at the first of these, and not when a server starts."""

from collections.abc import Iterable
from typing import Any

import tornado.web
from tornado.httputil import HTTPMessageDelegate, HTTPServerRequest
from tornado.routing import Router
from tornado.util import import_object

from handlers.http.base import Base


def handler_of(target: Any) -> type[tornado.web.RequestHandler]:
    """Returns the handler of a route: the class itself, or the one of this name within handlers/."""
    found: type[tornado.web.RequestHandler] = import_object(f"handlers.{target}") if isinstance(target, str) else target
    return found


class Missing(Base):
    """Answers as any fault of a handler is answered."""

    def initialize(self, error: Exception) -> None:
        self.error = error

    async def prepare(self) -> None:
        raise self.error


class OnDemand(Router):
    """The target of a route. Tornado would import what has a name when the application is made."""

    def __init__(self, application: tornado.web.Application, name: str) -> None:
        self._application = application
        self._name = name

    def find_handler(self, request: HTTPServerRequest, **params: Any) -> HTTPMessageDelegate:
        try:
            return self._application.get_handler_delegate(request, handler_of(self._name), **params)
        except Exception as error:  # its file has changed or is gone, in an update that is not finished
            return self._application.get_handler_delegate(request, Missing, {"error": error})


def on_demand(application: tornado.web.Application, routes: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Returns the routes as Tornado takes them."""
    return [
        (pattern, OnDemand(application, target) if isinstance(target, str) else target, *rest)
        for pattern, target, *rest in routes
    ]
