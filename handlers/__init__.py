"""HTTP: authentication, requests and replies. ROUTES and EMBED_ROUTES list every URL on one screen."""

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
from handlers.boards.front import Front, quick_front
from handlers.boards.get import BoardGet, Get
from handlers.http.addresses import Moved, NotFoundPage
from handlers.http.base import METHODS, allowed_methods
from handlers.http.compression import Compression
from handlers.http.context import Context
from handlers.http.elsewhere import Elsewhere
from handlers.http.fields import has_body, lower_media_type
from handlers.http.form_field import Field
from handlers.http.headers import is_embedding
from handlers.http.heads import Headed, Options, localize
from handlers.http.on_demand import on_demand
from handlers.http.request_log import log_request
from handlers.http.static import Static
from handlers.http.templates import LOADER
from handlers.login.providers import PROVIDERS, openid_providers, routes_of
from handlers.messages.api import Add, ApiMessage, ApiMessages
from net.streams import ServedStream
from settings import Settings

ROUTES: list[tuple[Any, ...]] = [
    # --- a board, and its messages
    (r"/", Front),  # GET
    (r"/add", Add),  # GET, POST
    (r"/get", Get),  # GET
    (r"/b/([^/]+)/get", BoardGet),  # GET
    (r"/search", "messages.search.SearchPage"),  # GET
    (r"/feed\.atom", "messages.feed.Feed"),  # GET
    (r"/b/([^/]+)/feed\.atom", "messages.feed.BoardFeed"),  # GET
    (r"/feed", "messages.private_feed.PrivateFeed"),  # GET
    (r"/b/([^/]+)/", "boards.board_page.BoardPage"),  # GET
    (r"/b/([^/]+)", "boards.board_page.BoardPage"),  # GET
    (r"/b/([^/]+)/add", "boards.board_page.BoardAdd"),  # GET, POST
    (r"/b/([^/]+)/search", "boards.board_page.BoardSearch"),  # GET
    (r"/m/([^/]+)", "messages.page.MessagePage"),  # GET
    (r"/m/([^/]+)/edit", "messages.page.EditMessage"),  # POST
    (r"/m/([^/]+)/delete", "messages.page.DeleteMessage"),  # POST
    (r"/m/([^/]+)/react", "messages.reactions.React"),  # POST
    (r"/m/([^/]+)/pin", "messages.pins.Pin"),  # POST
    (r"/manifest\.webmanifest", "operations.web_app.Manifest"),  # GET
    # --- the boards
    (r"/boards", "boards.listing.BoardList"),  # GET
    (r"/boards/new", "boards.listing.NewBoard"),  # GET, POST
    (r"/b/([^/]+)/settings", "boards.setup.BoardSetup"),  # GET, POST
    (r"/b/([^/]+)/invite", "boards.setup.BoardInvite"),  # GET, POST
    (r"/b/([^/]+)/uninvite", "boards.setup.BoardUninvite"),  # GET, POST
    (r"/b/([^/]+)/owner", "boards.setup.BoardOwner"),  # GET, POST
    (r"/b/([^/]+)/archive", "boards.setup.BoardArchive"),  # GET, POST
    (r"/b/([^/]+)/delete", "boards.setup.BoardDelete"),  # GET, POST
    (r"/b/([^/]+)/leave", "boards.setup.BoardLeave"),  # GET, POST
    (r"/b/([^/]+)/hooks", "hooks.page.BoardHooks"),  # GET, POST
    (r"/b/([^/]+)/hooks/([^/]+)", "hooks.page.BoardHook"),  # GET, POST
    (r"/b/([^/]+)/webhooks", "boards.webhooks.BoardWebhooks"),  # GET, POST
    (r"/b/([^/]+)/webhooks/([0-9]{1,18})", "boards.webhooks.BoardWebhook"),  # GET, POST
    # --- accounts
    (r"/signup", "accounts.sign_in.SignUp"),  # GET, POST
    (r"/signin", "accounts.sign_in.SignIn"),  # GET, POST
    (r"/signout", "accounts.sign_in.SignOut"),  # GET, POST
    (r"/li", Moved, {"url": "/signin"}),  # GET
    (r"/lo", Moved, {"url": "/signout"}),  # GET
    (r"/password", "accounts.new_password.NewPassword"),  # GET, POST
    (r"/account", "accounts.page.AccountPage"),  # GET
    (r"/account/name", "accounts.page.AccountName"),  # GET, POST
    (r"/account/password", "accounts.page.AccountPassword"),  # GET, POST
    (r"/account/tokens", "accounts.page.AccountTokens"),  # GET, POST
    (r"/account/feeds", "accounts.private_feeds.AccountFeeds"),  # GET, POST
    (r"/account/revoke/([0-9]{1,18})", "accounts.page.AccountRevoke"),  # GET, POST
    (r"/account/everywhere", "accounts.page.AccountEverywhere"),  # GET, POST
    (r"/account/download", "accounts.download.AccountDownload"),  # GET
    (r"/account/delete", "accounts.page.AccountDelete"),  # GET, POST
    (r"/picture/([0-9]{1,18})", "accounts.pictures.MemberPicture"),  # GET
    (r"/privacy", "operations.privacy.Privacy"),  # GET
    # --- the providers of logins
    *[route for kind in PROVIDERS for route in routes_of(kind)],
    # --- moderators
    (r"/m/([^/]+)/moderate", "moderation.pages.Moderate"),  # POST
    (r"/audit", "moderation.pages.AuditLog"),  # GET
    # --- programs
    (r"/hooks/([0-9]{1,18})/([^/]+)", "hooks.intake.Intake"),  # POST
    (r"/hooks/([0-9]{1,18})x([^/]+)", "hooks.intake.Intake"),  # POST
    (r"/api/v1/messages", ApiMessages),  # GET, POST
    (r"/api/v1/messages/([^/]+)", ApiMessage),  # GET, PATCH, DELETE
    (r"/api/v1/messages/([^/]+)/reactions", "messages.reactions.ApiReactions"),  # GET
    (r"/api/v1/messages/([^/]+)/reactions/([^/]+)", "messages.reactions.ApiReaction"),  # PUT, DELETE
    (r"/api/v1/reactions", "messages.reactions.ApiOwnReactions"),  # GET
    (r"/api/v1/members", "messages.mentions.ApiMembers"),  # GET
    (r"/api/v1/messages/([^/]+)/pin", "messages.pins.ApiPin"),  # PUT, DELETE
    (r"/api/v1/boards", "boards.api.ApiBoards"),  # GET, POST
    (r"/api/v1/boards/([^/]+)", "boards.api.ApiBoard"),  # GET, PATCH, DELETE
    (r"/api/v1/boards/([^/]+)/members", "boards.api.ApiBoardMembers"),  # GET
    (r"/api/v1/boards/([^/]+)/members/([^/]+)", "boards.api.ApiBoardMember"),  # PUT, DELETE
    (r"/api/v1/boards/([^/]+)/messages", "boards.messages.ApiBoardMessages"),  # GET, POST
    (r"/api/v1/boards/([^/]+)/search", "boards.messages.ApiBoardSearch"),  # GET
    (r"/api/v1/boards/([^/]+)/read", "boards.api.ApiBoardRead"),  # PUT
    (r"/api/v1/boards/([^/]+)/hooks", "hooks.api.ApiHooks"),  # GET, POST
    (r"/api/v1/boards/([^/]+)/hooks/([^/]+)", "hooks.api.ApiHook"),  # PATCH, DELETE
    (r"/api/v1/boards/([^/]+)/webhooks", "boards.webhooks_api.ApiWebhooks"),  # GET, POST
    (r"/api/v1/boards/([^/]+)/webhooks/([^/]+)", "boards.webhooks_api.ApiWebhook"),  # GET, PATCH, DELETE
    (r"/api/v1/boards/([^/]+)/webhooks/([^/]+)/secret", "boards.webhooks_api.ApiWebhookSecret"),  # POST
    (r"/api/v1/boards/([^/]+)/webhooks/([^/]+)/test", "boards.webhooks_api.ApiWebhookTest"),  # POST
    (r"/api/v1/stream", "boards.stream.Stream"),  # GET
    (r"/api/v1/search", "messages.search.ApiSearch"),  # GET
    (r"/api/v1/signup", "accounts.tokens.ApiSignUp"),  # POST
    (r"/api/v1/signin", "accounts.tokens.ApiSignIn"),  # POST
    (r"/api/v1/signout", "accounts.tokens.ApiSignOut"),  # POST
    (r"/api/v1/me", "accounts.tokens.ApiMe"),  # GET
    (r"/api/v1/tokens", "accounts.tokens.ApiTokens"),  # GET, POST
    (r"/api/v1/tokens/([^/]+)", "accounts.tokens.ApiToken"),  # DELETE
    (r"/api/v1/openapi\.json", "operations.openapi.OpenApi"),  # GET
    (r"/api", "operations.openapi.ApiPage"),  # GET
    (r"/api/", Moved, {"url": "/api"}),  # GET
    # --- the rest
    (r"/favicon\.ico", "operations.web_app.Icon"),  # GET
    (r"/apple-touch-icon\.png", "operations.web_app.Icon"),  # GET
    (r"/robots\.txt", "operations.web_app.Robots"),  # GET
    (r"/healthz", "operations.health.Healthz"),  # GET
    (r"/readyz", "operations.health.Readyz"),  # GET
    (r"/metrics", "operations.metrics.Metrics"),  # GET
    (r"/static/([0-9a-f]{12})/(.+)", Static),  # GET
]
"""A handler that is named here is imported when it is first asked for: a start reads only what each board needs."""

EMBED_ROUTES: list[tuple[Any, ...]] = [
    (r"/embed", "boards.embed.Embed"),  # GET, POST
    (r"/b/([^/]+)/embed", "boards.embed.BoardEmbed"),  # GET, POST
    (r"/m/([^/]+)/embed", "boards.embed.MessageEmbed"),  # GET
    (r"/embed\.js", "boards.embed.Script"),  # GET
    (r"/oembed", "messages.oembed.OEmbed"),  # GET
]
"""Those that are there only with EMBED_FROM, on a site that everyone may read."""

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
        routes = ROUTES + (EMBED_ROUTES if is_embedding(settings) else [])
        routes += [route for one in set_up for route in routes_of(one)]
        super().__init__(on_demand(self, routes), transforms=[Compression], **options)

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
            allows_cors = getattr(found.handler_class, "allows_cors", False)
            return self.get_handler_delegate(request, Options, {"methods": methods, "allows_cors": allows_cors})
        return found
