"""HTTP: who is asking, and what is said back. ROUTES has every URL on one screen."""

from typing import Any

import tornado.web
from tornado.httputil import ParseBodyConfig, ParseMultipartConfig, ParseUrlEncodedConfig, set_parse_body_config

from board import Board
from handlers.base import NotFoundPage
from handlers.health import Healthz, Readyz
from handlers.log import log_request
from handlers.messages import Add, ApiMessage, ApiMessages
from handlers.pages import Front
from handlers.polls import Get
from handlers.static import ROOT, Static
from settings import Settings

ROUTES: list[tuple[str, type[tornado.web.RequestHandler]]] = [
    (r"/", Front),
    (r"/add", Add),
    (r"/get", Get),
    (r"/api/v1/messages", ApiMessages),
    (r"/api/v1/messages/([^/]+)", ApiMessage),
    (r"/healthz", Healthz),
    (r"/readyz", Readyz),
    (r"/static/([0-9a-f]{12})/(.+)", Static),
]


class Application(tornado.web.Application):
    """Tornado's application, and what its handlers need: `board`, `config`, and the requests under way."""

    def __init__(self, board: Board, settings: Settings) -> None:
        # No form of ours has files or many fields.
        set_parse_body_config(
            ParseBodyConfig(
                multipart=ParseMultipartConfig(enabled=False), urlencoded=ParseUrlEncodedConfig(max_arguments=50)
            )
        )
        self.board = board
        self.config = settings
        self.under_way: set[tornado.web.RequestHandler] = set()
        options: dict[str, Any] = {
            "template_path": str(ROOT / "templates"),
            "cross_origin_protection": True,
            "trusted_origins": [settings.public_url] if settings.public_url else [],
            "default_handler_class": NotFoundPage,
            "log_function": log_request if settings.log_requests else lambda handler: None,
        }
        super().__init__(list(ROUTES), **options)
