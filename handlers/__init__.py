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
from handlers.account import (
    AccountDelete,
    AccountEverywhere,
    AccountName,
    AccountPage,
    AccountPassword,
    AccountRevoke,
    AccountTokens,
)
from handlers.account_download import AccountDownload
from handlers.base import METHODS, Moved, NotFoundPage, allowed_methods
from handlers.compression import Compression
from handlers.context import Context
from handlers.elsewhere import Elsewhere
from handlers.feed import Feed
from handlers.fields import has_body, lower_media_type
from handlers.form_field import Field
from handlers.front import Front, quick_front
from handlers.get import Get
from handlers.heads import Headed, Options, localize
from handlers.health import Healthz, Readyz
from handlers.login.providers import PROVIDERS, routes_of
from handlers.message_page import DeleteMessage, EditMessage, MessagePage
from handlers.messages import Add, ApiMessage, ApiMessages
from handlers.metrics import Metrics
from handlers.moderation import AuditLog, Moderate
from handlers.new_password import NewPassword
from handlers.openapi import ApiPage, OpenApi
from handlers.pictures import MemberPicture
from handlers.privacy import Privacy
from handlers.request_log import log_request
from handlers.search import ApiSearch, SearchPage
from handlers.sign_in import SignIn, SignOut, SignUp
from handlers.static import Static
from handlers.templates import LOADER
from handlers.tokens import ApiMe, ApiSignIn, ApiSignOut, ApiSignUp, ApiToken, ApiTokens
from handlers.web_app import Icon, Manifest, Robots
from net.streams import ServedStream
from settings import Settings

ROUTES: list[tuple[Any, ...]] = [
    # --- the board
    (r"/", Front),
    (r"/add", Add),
    (r"/get", Get),
    (r"/search", SearchPage),
    (r"/feed\.atom", Feed),
    (r"/manifest\.webmanifest", Manifest),
    (r"/m/([^/]+)", MessagePage),
    (r"/m/([^/]+)/edit", EditMessage),
    (r"/m/([^/]+)/delete", DeleteMessage),
    # --- accounts
    (r"/signup", SignUp),
    (r"/signin", SignIn),
    (r"/signout", SignOut),
    (r"/li", Moved, {"url": "/signin"}),
    (r"/lo", Moved, {"url": "/signout"}),
    (r"/password", NewPassword),
    (r"/account", AccountPage),
    (r"/account/name", AccountName),
    (r"/account/password", AccountPassword),
    (r"/account/tokens", AccountTokens),
    (r"/account/revoke/([0-9]{1,18})", AccountRevoke),
    (r"/account/everywhere", AccountEverywhere),
    (r"/account/download", AccountDownload),
    (r"/account/delete", AccountDelete),
    (r"/picture/([0-9]{1,18})", MemberPicture),
    (r"/privacy", Privacy),
    # --- the providers of logins
    *[route for kind in PROVIDERS for route in routes_of(kind)],
    # --- moderators
    (r"/m/([^/]+)/moderate", Moderate),
    (r"/audit", AuditLog),
    # --- programs
    (r"/api/v1/messages", ApiMessages),
    (r"/api/v1/messages/([^/]+)", ApiMessage),
    (r"/api/v1/search", ApiSearch),
    (r"/api/v1/signup", ApiSignUp),
    (r"/api/v1/signin", ApiSignIn),
    (r"/api/v1/signout", ApiSignOut),
    (r"/api/v1/me", ApiMe),
    (r"/api/v1/tokens", ApiTokens),
    (r"/api/v1/tokens/([^/]+)", ApiToken),
    (r"/api/v1/openapi\.json", OpenApi),
    (r"/api", ApiPage),
    (r"/api/", Moved, {"url": "/api"}),
    # --- the rest
    (r"/favicon\.ico", Icon),
    (r"/apple-touch-icon\.png", Icon),
    (r"/robots\.txt", Robots),
    (r"/healthz", Healthz),
    (r"/readyz", Readyz),
    (r"/metrics", Metrics),
    (r"/static/([0-9a-f]{12})/(.+)", Static),
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
        self.context = Context(site, settings, {kind.name: kind(settings) for kind in PROVIDERS})
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
        super().__init__(list(ROUTES), transforms=[Compression], **options)

    @property
    def tasks(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """Tasks that must run as long as this is served. The keys are their names in the log."""
        siblings = self.context.siblings
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
