"""The fake's URLs, and its listening socket on 127.0.0.1, which nobody else can reach."""

import tornado.httpserver
import tornado.netutil
import tornado.web

from fake_facebook.graph import AccessToken, Graph, Me, ProfilePicture
from fake_facebook.memory import App, Memory
from fake_facebook.pages import Dialog, Home, PersonAction

APP_ID = "1234567890123456"
APP_SECRET = "fake-0123456789abcdef0123456789ab"  # noqa: S105 (of an app that does not exist)
VERSION = r"/(v\d{1,3}\.\d)"


def app_for(board: str, app_id: str = APP_ID, app_secret: str = APP_SECRET) -> App:
    """Returns the app of a board at this origin, configured as docs/facebook.md says."""
    board = board.rstrip("/")
    return App(
        app_id, app_secret, f"{board}/facebook/callback", f"{board}/facebook/deauthorize", f"{board}/facebook/delete"
    )


def listen(memory: Memory, port: int) -> tuple[tornado.httpserver.HTTPServer, str]:
    """Serves on the running loop. Returns the server and its address. Raises OSError."""
    shared = {"memory": memory}
    application = tornado.web.Application(
        [
            (r"/", Home, shared),
            (r"/people/(\d+)/(rename|deauthorize|delete)", PersonAction, shared),
            (r"/platform/profilepic/", ProfilePicture, shared),
            (VERSION + r"/dialog/oauth", Dialog, shared),
            (VERSION + r"/oauth/access_token", AccessToken, shared),
            (VERSION + r"/me", Me, shared),
            (VERSION + r"/(.*)", Graph, shared),
        ]
    )
    server = tornado.httpserver.HTTPServer(application)
    sockets = tornado.netutil.bind_sockets(port, "127.0.0.1")
    server.add_sockets(sockets)
    return server, f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
