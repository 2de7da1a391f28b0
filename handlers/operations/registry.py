"""The board's counters and current values, in the shape that prometheus_client takes."""

from collections.abc import Collection, Iterable, Iterator

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from board.site import Site
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


def histogram(name: str, words: str, values: Histogram) -> HistogramMetricFamily:
    total, buckets = 0, []
    for bound, count in zip([*map(str, values.bounds), "+Inf"], values.counts, strict=True):
        total += count
        buckets.append((bound, total))
    return HistogramMetricFamily(f"longboard_{name}", words, buckets=buckets, sum_value=values.sum)


def make_registry(site: Site, connections: Connections, under_way: Collection[object]) -> CollectorRegistry:
    """Other code may use the library's global registry."""
    made = CollectorRegistry()
    made.register(BoardCollector(site, connections, under_way))
    ProcessCollector(registry=made)
    return made
