"""Collects the metrics of all nodes behind one socket, so that any node can report all: each node answers the
others with its metrics.

A client can't choose the node, and Prometheus keeps its first connection. net/workers.py makes a folder with a unix
socket for each node, named by the node's number.
"""

import asyncio
import pathlib
from collections.abc import Callable

NODE_SECONDS = 2.0
"""Seconds to wait for another node's metrics. A node that is paused or ending is left out."""


class Siblings:
    def __init__(self, place: str, own: Callable[[], bytes]) -> None:
        """`place` is the path of this node's socket. `own` returns this node's metrics."""
        self._place = pathlib.Path(place)
        self._own = own

    async def serve(self) -> None:
        """Answers the other nodes with this node's metrics. Runs until cancelled."""
        server = await asyncio.start_unix_server(self._tell, self._place)
        async with server:
            await server.serve_forever()

    async def _tell(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(self._own())
        writer.close()

    async def texts(self) -> dict[str, str]:
        """Returns the metrics of all nodes by their numbers."""
        others = [path for path in sorted(self._place.parent.iterdir()) if path != self._place]
        told = await asyncio.gather(*(ask(path) for path in others))
        texts = {path.name: text for path, text in zip(others, told, strict=True) if text}
        return {self._place.name: self._own().decode(), **texts}


async def ask(path: pathlib.Path) -> str:
    """Returns a node's metrics; "" if it does not answer."""
    try:
        async with asyncio.timeout(NODE_SECONDS):
            reader, writer = await asyncio.open_unix_connection(path)
            try:
                return (await reader.read()).decode()
            finally:
                writer.close()
    except OSError:  # TimeoutError is a subclass
        return ""
