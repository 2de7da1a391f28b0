"""One line for each request, when the setting says so. Never the query: it may hold secrets."""

import logging

import tornado.web

log = logging.getLogger("longboard.requests")


def log_request(handler: tornado.web.RequestHandler) -> None:
    request = handler.request
    took = 1000 * request.request_time()
    log.info("%d %s %s %s %.1f ms", handler.get_status(), request.method, request.path, request.remote_ip, took)
