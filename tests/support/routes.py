"""Every URL with its handler, also of those that a server imports only when they are asked for."""

import handlers
from handlers.http.on_demand import handler_of

ROUTES = [(pattern, handler_of(target), *rest) for pattern, target, *rest in handlers.ROUTES + handlers.EMBED_ROUTES]
