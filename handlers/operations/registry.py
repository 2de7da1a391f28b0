"""The board's counters and current values, as prometheus_client writes them.

Imported only where METRICS_TOKEN is set, since the library takes 1.4 MB and a tenth of a start.
"""

from collections.abc import Collection, Iterable, Iterator

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from board.site import Site
from handlers.operations.siblings import Siblings
from net.connections import Connections
from storage.counters import Histogram


class BoardCollector(Collector):
    """Reads the counters at the moment of the request."""

    def __init__(self, site: Site, connections: Connections, under_way: Collection[object]) -> None:
        self._site = site
        self._connections = connections
        self._under_way = under_way

    def describe(self) -> Iterable[Metric]:
        return []  # all metrics are ours, and none is registered twice

    def collect(self) -> Iterator[Metric]:
        site, writing = self._site, self._site.storage.writing()
        counters = site.counters
        now = {
            "polls_now": ("Polls parked now", site.waiters.parked),
            "boards_now": ("Boards, with the first", len(site.waiters.directory)),
            "connections_now": ("Connections open now", self._connections.open_now),
            "requests_now": ("Requests under way now, without repeated polls", len(self._under_way)),
            "writes_waiting": ("Writes that wait for the writer", writing.waiting),
            "hashes_waiting": ("Passwords that are hashed or wait for it", site.passwords.waiting),
        }
        for name, (words, value) in now.items():
            yield GaugeMetricFamily(f"longboard_{name}", words, value)
        counted = {
            "polls_parked": ("Polls that were parked", counters.parked),
            "polls_delivered": ("Parked polls that were answered with news", counters.delivered),
            "polls_repeated": ("Polls that were known by their bytes and not parsed", counters.repeated),
            "polls_turned_away": ("Polls that were not parked for want of room", counters.turned_away),
            "resets": ("Polls that were told to begin anew", counters.resets),
        }
        for name, (words, value) in counted.items():
            yield CounterMetricFamily(f"longboard_{name}", words, value)
        yield histogram("wake_seconds", "From looking for news to the last parked poll's answer", counters.wakes)
        yield histogram("post_seconds", "Until a post was on disk", writing.posts)
        yield histogram("commit_writes", "Writes that were committed together", writing.batches)
        refused = CounterMetricFamily("longboard_refused", "Requests that were refused", labels=["code"])
        for code, count in counters.refused.items():
            refused.add_metric([code], count)
        yield refused
        requests = CounterMetricFamily("longboard_requests", "Requests but repeated polls", labels=["method", "status"])
        for (method, status), count in counters.requests.items():
            requests.add_metric([method, str(status)], count)
        yield requests
        if (copied_at := site.storage.copied_at()) is not None:
            words = "When the newest copy in BACKUP_DIR was made, in seconds since 1970; 0 if there is none"
            yield GaugeMetricFamily("longboard_copy_timestamp_seconds", words, copied_at)


def histogram(name: str, words: str, values: Histogram) -> HistogramMetricFamily:
    total, buckets = 0, []
    for bound, count in zip([*map(str, values.bounds), "+Inf"], values.counts, strict=True):
        total += count
        buckets.append((bound, total))
    return HistogramMetricFamily(f"longboard_{name}", words, buckets=buckets, sum_value=values.sum)


class Exposition:
    """What /metrics answers with: all metrics in the text format of Prometheus."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self, site: Site, connections: Connections, under_way: Collection[object], place: str) -> None:
        """`place` is the path of the socket at which the other nodes ask this one; "" if there is only one node."""
        self._registry = CollectorRegistry()  # other code may use the library's global one
        self._registry.register(BoardCollector(site, connections, under_way))
        ProcessCollector(registry=self._registry)
        self.siblings = Siblings(place, self._own) if place else None

    def _own(self) -> bytes:
        return generate_latest(self._registry)

    async def text(self) -> bytes:
        """Returns the metrics of all nodes. If there are several, each line has the number of its node."""
        return together(await self.siblings.texts()) if self.siblings else self._own()


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
