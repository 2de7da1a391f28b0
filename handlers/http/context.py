"""What handlers use besides their request, and what they share with the server. There is one for the whole process."""

from collections.abc import Mapping

from tornado.httputil import HTTPHeaders

from board.site import Site
from board.site.parts import Rules
from handlers.http.headers import DATA_CSP, PAGE_CSP, default_headers
from handlers.http.hosts import Names
from handlers.http.languages import Languages
from handlers.http.making import Making
from handlers.http.refusals import make_refusals
from handlers.login.provider import Provider
from net.connections import Connections
from net.event_streams import EventStreams
from net.fast_path.memo import RequestMemo
from net.listener import room_for
from settings import Settings, inherited_place


def rules_of(settings: Settings) -> Rules:
    return Rules(
        title=settings.title,
        first_name=settings.first_board or settings.title,
        reading=settings.reading,
        posting=settings.posting,
        order=settings.reading_order,
        signup=settings.signup,
        message_length=settings.message_length,
        token_seconds=3600 * settings.token_hours,
        board_making=settings.board_making,
        boards_each=settings.boards_each,
        passwords=settings.passwords,
        app_ids=settings.app_ids,
        webhooks_to_loopback=settings.webhooks_to_loopback,
        labels={client.name: client.label for client in settings.oidc},
    )


class Context:
    def __init__(self, site: Site, settings: Settings, providers: Mapping[str, Provider]) -> None:
        self.site = site
        self.config = settings
        self.max_body = 12 * settings.message_length + 1024
        """Bytes that a request's body may have: an emoji takes twelve of them in a form or as a JSON escape."""
        self.providers = providers
        """All that are known, by their names, also those that are not set up."""
        self.languages = Languages(settings.locales)
        self.making = Making()
        self.names = Names(settings)
        vary = "Accept-Language, Accept-Encoding" if self.languages.are_several else "Accept-Encoding"
        page = {"Content-Type": "text/html; charset=UTF-8", "Vary": vary}
        self.front_headers = HTTPHeaders(dict(default_headers(settings, PAGE_CSP)) | page)

        # What the server shares.
        headers = default_headers(settings, DATA_CSP)
        varying = [name.strip() for name in settings.varying_headers.split(",") if name.strip()]
        knows = site.waiters, site.credentials, site.scopes
        self.memo = RequestMemo(*knows, headers, varying) if settings.repeats else None
        is_counting = settings.limits and not settings.client_header
        self.connections = Connections(room_for(settings.max_parked), is_counting=is_counting)
        self.refusals = make_refusals(headers)
        self.event_streams = EventStreams(site.waiters, site.credentials, self.connections, self.refusals)
        self.under_way: set[object] = set()
        """Requests, including those whose replies wait for slow readers."""

        if settings.metrics_token:
            from handlers.operations.registry import Exposition  # what few ask for, all would pay

            self.exposition: Exposition | None = Exposition(site, self.connections, self.under_way, inherited_place())
        else:
            self.exposition = None
