"""What Tornado alone can do: a handler that says hello."""

import asyncio

import tornado.netutil
import tornado.web
from tornado.httpserver import HTTPServer


class Hello(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write("Hello, world")


class Health(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write({"status": "ok"})


async def main() -> None:
    application = tornado.web.Application(
        [("/", Hello), ("/healthz", Health)],
        log_function=lambda handler: None,  # because Longboard's is off
    )
    sockets = tornado.netutil.bind_sockets(0, "127.0.0.1")
    HTTPServer(application).add_sockets(sockets)
    print(f"http://127.0.0.1:{sockets[0].getsockname()[1]}/", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
