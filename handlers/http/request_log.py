"""Counts requests, and logs a line for each if LOG_REQUESTS is on."""

import logging

import tornado.web

from handlers.http.context import Context
from net.logs import shown, shown_path

log = logging.getLogger("longboard.requests")


def log_request(handler: tornado.web.RequestHandler) -> None:
    """Tornado's `log_function`."""
    context: Context = handler.settings["context"]
    request, status = handler.request, handler.get_status()
    method = request.method if request.method in handler.SUPPORTED_METHODS else "other"
    context.site.counters.requests[method or "other", status] += 1
    if not context.config.log_requests:
        return
    client = getattr(handler, "client_address", request.remote_ip)
    path, took = shown_path(request.path), 1000 * request.request_time()
    fields = {"status": status, "method": method, "path": path, "client": client, "ms": round(took, 1)}
    if id := request.headers.get("X-Request-Id"):
        fields["request_id"] = shown(id)
    log.info("%d %s %s %s %.1f ms", status, method, path, client, took, extra={"fields": fields})
