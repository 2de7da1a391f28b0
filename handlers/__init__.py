"""HTTP: authentication, requests and replies. ROUTES lists every URL on one screen."""

from collections.abc import Awaitable, Callable
from typing import Any, cast

import tornado.web
from tornado.http1connection import HTTP1Connection
from tornado.httputil import (
    HTTPServerRequest,
    ParseBodyConfig,
    ParseMultipartConfig,
    ParseUrlEncodedConfig,
    set_parse_body_config,
)

from board.site import Site
from handlers.accounts.download import AccountDownload
from handlers.accounts.new_password import NewPassword
from handlers.accounts.page import (
    AccountDelete,
    AccountEverywhere,
    AccountName,
    AccountPage,
    AccountPassword,
    AccountRevoke,
    AccountTokens,
)
from handlers.accounts.pictures import MemberPicture
from handlers.accounts.sign_in import SignIn, SignOut, SignUp
from handlers.accounts.tokens import ApiMe, ApiSignIn, ApiSignOut, ApiSignUp, ApiToken, ApiTokens
from handlers.boards.api import ApiBoard, ApiBoardMember, ApiBoardMembers, ApiBoardRead, ApiBoards
from handlers.boards.board_page import BoardAdd, BoardPage, BoardSearch
from handlers.boards.front import Front, quick_front
from handlers.boards.get import BoardGet, Get
from handlers.boards.listing import BoardList, NewBoard
from handlers.boards.messages import ApiBoardMessages, ApiBoardSearch
from handlers.boards.setup import (
    BoardArchive,
    BoardDelete,
    BoardInvite,
    BoardLeave,
    BoardOwner,
    BoardSetup,
    BoardUninvite,
)
from handlers.boards.stream import Stream
from handlers.http.base import METHODS, Moved, NotFoundPage, allowed_methods
from handlers.http.compression import Compression
from handlers.http.context import Context
from handlers.http.elsewhere import Elsewhere
from handlers.http.fields import has_body, lower_media_type
from handlers.http.form_field import Field
from handlers.http.heads import Headed, Options, localize
from handlers.http.request_log import log_request
from handlers.http.static import Static
from handlers.http.templates import LOADER
from handlers.login.providers import PROVIDERS, openid_providers, routes_of
from handlers.messages.api import Add, ApiMessage, ApiMessages
from handlers.messages.feed import BoardFeed, Feed
from handlers.messages.page import DeleteMessage, EditMessage, MessagePage
from handlers.messages.reactions import ApiOwnReactions, ApiReaction, ApiReactions, React
from handlers.messages.search import ApiSearch, SearchPage
from handlers.moderation.pages import AuditLog, Moderate
from handlers.operations.health import Healthz, Readyz
from handlers.operations.metrics import Metrics
from handlers.operations.openapi import ApiPage, OpenApi
from handlers.operations.privacy import Privacy
from handlers.operations.web_app import Icon, Manifest, Robots
from net.streams import ServedStream
from settings import Settings

ROUTES: list[tuple[Any, ...]] = [
    # --- a board, and its messages
    (r"/", Front),  # GET
    (r"/add", Add),  # GET, POST
    (r"/get", Get),  # GET
    (r"/b/([^/]+)/get", BoardGet),  # GET
    (r"/search", SearchPage),  # GET
    (r"/feed\.atom", Feed),  # GET
    (r"/b/([^/]+)/feed\.atom", BoardFeed),  # GET
    (r"/b/([^/]+)/", BoardPage),  # GET
    (r"/b/([^/]+)", BoardPage),  # GET
    (r"/b/([^/]+)/add", BoardAdd),  # GET, POST
    (r"/b/([^/]+)/search", BoardSearch),  # GET
    (r"/m/([^/]+)", MessagePage),  # GET
    (r"/m/([^/]+)/edit", EditMessage),  # POST
    (r"/m/([^/]+)/delete", DeleteMessage),  # POST
    (r"/m/([^/]+)/react", React),  # POST
    (r"/manifest\.webmanifest", Manifest),  # GET
    # --- the boards
    (r"/boards", BoardList),  # GET
    (r"/boards/new", NewBoard),  # GET, POST
    (r"/b/([^/]+)/settings", BoardSetup),  # GET, POST
    (r"/b/([^/]+)/invite", BoardInvite),  # GET, POST
    (r"/b/([^/]+)/uninvite", BoardUninvite),  # GET, POST
    (r"/b/([^/]+)/owner", BoardOwner),  # GET, POST
    (r"/b/([^/]+)/archive", BoardArchive),  # GET, POST
    (r"/b/([^/]+)/delete", BoardDelete),  # GET, POST
    (r"/b/([^/]+)/leave", BoardLeave),  # GET, POST
    # --- accounts
    (r"/signup", SignUp),  # GET, POST
    (r"/signin", SignIn),  # GET, POST
    (r"/signout", SignOut),  # GET, POST
    (r"/li", Moved, {"url": "/signin"}),  # GET
    (r"/lo", Moved, {"url": "/signout"}),  # GET
    (r"/password", NewPassword),  # GET, POST
    (r"/account", AccountPage),  # GET
    (r"/account/name", AccountName),  # GET, POST
    (r"/account/password", AccountPassword),  # GET, POST
    (r"/account/tokens", AccountTokens),  # GET, POST
    (r"/account/revoke/([0-9]{1,18})", AccountRevoke),  # GET, POST
    (r"/account/everywhere", AccountEverywhere),  # GET, POST
    (r"/account/download", AccountDownload),  # GET
    (r"/account/delete", AccountDelete),  # GET, POST
    (r"/picture/([0-9]{1,18})", MemberPicture),  # GET
    (r"/privacy", Privacy),  # GET
    # --- the providers of logins
    *[route for kind in PROVIDERS for route in routes_of(kind)],
    # --- moderators
    (r"/m/([^/]+)/moderate", Moderate),  # POST
    (r"/audit", AuditLog),  # GET
    # --- programs
    (r"/api/v1/messages", ApiMessages),  # GET, POST
    (r"/api/v1/messages/([^/]+)", ApiMessage),  # GET, PATCH, DELETE
    (r"/api/v1/messages/([^/]+)/reactions", ApiReactions),  # GET
    (r"/api/v1/messages/([^/]+)/reactions/([^/]+)", ApiReaction),  # PUT, DELETE
    (r"/api/v1/reactions", ApiOwnReactions),  # GET
    (r"/api/v1/boards", ApiBoards),  # GET, POST
    (r"/api/v1/boards/([^/]+)", ApiBoard),  # GET, PATCH, DELETE
    (r"/api/v1/boards/([^/]+)/members", ApiBoardMembers),  # GET
    (r"/api/v1/boards/([^/]+)/members/([^/]+)", ApiBoardMember),  # PUT, DELETE
    (r"/api/v1/boards/([^/]+)/messages", ApiBoardMessages),  # GET, POST
    (r"/api/v1/boards/([^/]+)/search", ApiBoardSearch),  # GET
    (r"/api/v1/boards/([^/]+)/read", ApiBoardRead),  # PUT
    (r"/api/v1/stream", Stream),  # GET
    (r"/api/v1/search", ApiSearch),  # GET
    (r"/api/v1/signup", ApiSignUp),  # POST
    (r"/api/v1/signin", ApiSignIn),  # POST
    (r"/api/v1/signout", ApiSignOut),  # POST
    (r"/api/v1/me", ApiMe),  # GET
    (r"/api/v1/tokens", ApiTokens),  # GET, POST
    (r"/api/v1/tokens/([^/]+)", ApiToken),  # DELETE
    (r"/api/v1/openapi\.json", OpenApi),  # GET
    (r"/api", ApiPage),  # GET
    (r"/api/", Moved, {"url": "/api"}),  # GET
    # --- the rest
    (r"/favicon\.ico", Icon),  # GET
    (r"/apple-touch-icon\.png", Icon),  # GET
    (r"/robots\.txt", Robots),  # GET
    (r"/healthz", Healthz),  # GET
    (r"/readyz", Readyz),  # GET
    (r"/metrics", Metrics),  # GET
    (r"/static/([0-9a-f]{12})/(.+)", Static),  # GET
]


GIVEN_BACK_BYTES = 248 * 1024
"""Bytes of a form that are read beyond the limit, so that the page of the refusal can show its words again."""


class Application(tornado.web.Application):
    """Tornado's application. Its handlers get their Context from it."""

    def __init__(self, site: Site, settings: Settings) -> None:
        # None of our forms has files or many fields.
        set_parse_body_config(
            ParseBodyConfig(
                multipart=ParseMultipartConfig(enabled=False), urlencoded=ParseUrlEncodedConfig(max_arguments=50)
            )
        )
        set_up = openid_providers(settings)
        self.context = Context(
            site, settings, {one.name: one for one in (*(kind(settings) for kind in PROVIDERS), *set_up)}
        )
        options: dict[str, Any] = {
            "cookie_secret": {1: site.secret.hex()},
            "key_version": 1,
            "template_loader": LOADER,
            "ui_modules": {"Field": Field},
            "cross_origin_protection": True,
            "trusted_origins": [settings.public_url] if settings.public_url else [],
            "default_handler_class": NotFoundPage,
            "log_function": log_request,
            "context": self.context,
        }
        super().__init__(
            [*ROUTES, *(route for one in set_up for route in routes_of(one))], transforms=[Compression], **options
        )

    @property
    def tasks(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """Tasks that must run as long as this is served. The keys are their names in the log."""
        siblings = self.context.exposition and self.context.exposition.siblings
        return {"Serving metrics to other nodes": siblings.serve} if siblings else {}

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> Any:
        """As Tornado's, after the checks of name and head. Serves the cached front page without a handler."""
        if not request.path.startswith("/"):
            localize(request)
        lower_media_type(request.headers)
        is_whole = not has_body(request.headers)
        stream = cast(HTTP1Connection, request.connection).stream
        if isinstance(stream, ServedStream):
            stream.has_head(is_whole=is_whole)
        refused = self.context.names.objection(request)
        if refused is not None:
            found = self.get_handler_delegate(request, Elsewhere, {"refused": refused})
        elif request.uri == "/" and request.method == "GET" and (quick := quick_front(self.context, request)):
            return quick
        else:
            found = self.handler_for(request, **kwargs)
        if is_whole or not isinstance(stream, ServedStream):
            return found
        most = getattr(found.handler_class, "max_body", 0)
        if not isinstance(most, int):
            gives_back = getattr(found.handler_class, "refuses_with_own_words", False)
            most = self.context.max_body + (GIVEN_BACK_BYTES if gives_back else 0)
        return Headed(request, found, most)

    def handler_for(self, request: HTTPServerRequest, **kwargs: Any) -> Any:
        found = super().find_handler(request, **kwargs)
        if request.method == "OPTIONS" and (found.handler_class is not NotFoundPage or request.uri == "*"):
            methods = METHODS if request.uri == "*" else allowed_methods(found.handler_class)
            return self.get_handler_delegate(request, Options, {"methods": methods})
        return found
