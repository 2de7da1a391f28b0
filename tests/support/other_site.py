"""A web site that isn't ours, on this machine: pages that a test gives it, by their paths."""

import contextlib
import http.server
import threading
from collections.abc import Iterator


class OtherSite:
    """`pages` is read at each request; `origin` has a port, and so is no origin of a board's."""

    def __init__(self, host: str = "localhost") -> None:
        pages = self.pages = dict[str, str]()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = pages.get(self.path.partition("?")[0], "").encode()
                self.send_response(200 if body else 404)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *words: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://{host}:{self.server.server_port}"

    def show(self, body: str, path: str = "/", head: str = "") -> str:
        """Has a page with this body. Returns its address."""
        self.pages[path] = (
            f'<!doctype html><html lang="en"><head><meta name="viewport" content="width=device-width">'
            f'<title>Another site</title><link rel="icon" href="data:,">{head}</head><body><main><h1>Another site</h1>{body}</main></body></html>'
        )
        return self.origin + path


@contextlib.contextmanager
def other_site(host: str = "localhost") -> Iterator[OtherSite]:
    """127.0.0.1 as the host is the same site as a board of our tests, to which browsers send cookies from it."""
    site = OtherSite(host)
    thread = threading.Thread(target=site.server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield site
    finally:
        site.server.shutdown()
        thread.join()
        site.server.server_close()
