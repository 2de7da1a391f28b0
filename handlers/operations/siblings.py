"""Collects the metrics of all nodes behind one socket, so that any node can report all: each node answers the
others with its metrics.

A client can't choose the node, and Prometheus keeps its first connection. net/workers.py makes a folder with a unix
socket for each node, named by the node's number.
"""

import asyncio
import pathlib
from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

NODE_SECONDS = 2.0
"""Seconds to wait for another node's metrics. A node that is paused or ending is left out."""


class Siblings:
    def __init__(self, place: str, registry: CollectorRegistry) -> None:
        self._place = pathlib.Path(place)
        self._registry = registry

    async def serve(self) -> None:
        """Answers the other nodes with this node's metrics. Runs until cancelled."""
        server = await asyncio.start_unix_server(self._tell, self._place)
        async with server:
            await server.serve_forever()

    async def _tell(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(generate_latest(self._registry))
        writer.close()

    async def metrics(self) -> bytes:
        """Returns the metrics of all nodes. Each line has the number of its node."""
        others = [path for path in sorted(self._place.parent.iterdir()) if path != self._place]
        told = await asyncio.gather(*(ask(path) for path in others))
        texts = {path.name: text for path, text in zip(others, told, strict=True) if text}
        return together({self._place.name: generate_latest(self._registry).decode(), **texts})


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


def together(texts: dict[str, str]) -> bytes:
    """Joins the texts. Each metric is described once, with the values of all nodes below it."""
    made: dict[str, Metric] = {}
    for node, text in sorted(texts.items()):
        for family in text_string_to_metric_families(text):
            metric = made.setdefault(family.name, Metric(family.name, family.documentation, family.type))
            for sample in family.samples:
                metric.add_sample(sample.name, {"node": node, **sample.labels}, sample.value)
    registry = CollectorRegistry()
    registry.register(MergedCollector(made.values()))
    return generate_latest(registry)


class MergedCollector(Collector):
    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = list(metrics)
        nodes = {sample.labels["node"] for metric in metrics for sample in metric.samples}
        self._metrics.append(
            GaugeMetricFamily("longboard_nodes_now", "Nodes that have answered with their metrics", len(nodes))
        )

    def describe(self) -> Iterable[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        yield from self._metrics
