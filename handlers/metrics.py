"""/metrics, in the format of Prometheus: the board's counters, and current values.

If several nodes share one socket, each of them answers for all.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from handlers.errors import RefusedError
from handlers.monitored import Monitored
from storage.counters import Histogram

if TYPE_CHECKING:
    from handlers import Application


class BoardCollector(Collector):
    """Reads the counters at the moment of the request."""

    def __init__(self, application: "Application") -> None:
        self._application = application

    def describe(self) -> Iterable[Metric]:
        return []  # all metrics are ours, and none is registered twice

    def collect(self) -> Iterator[Metric]:
        site = self._application.site
        counters, writing = site.counters, site.storage.writing()
        now = {
            "polls_now": ("Polls parked now", site.waiters.parked),
            "connections_now": ("Connections open now", self._application.connections()),
            "requests_now": ("Requests under way now, without repeated polls", len(self._application.under_way)),
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


def registry(application: "Application") -> CollectorRegistry:
    """Makes the application's own registry. Other code may use the library's global one."""
    made = CollectorRegistry()
    made.register(BoardCollector(application))
    ProcessCollector(registry=made)
    return made


class Metrics(Monitored):
    for_whom = "anyone"

    async def prepare(self) -> None:
        if not self.config.metrics_token:
            raise RefusedError(404, "not_found", "There is nothing here.")
        await super().prepare()

    async def get(self) -> None:
        if not self.is_monitor:
            raise RefusedError(401, "invalid_token", "This token is not valid. METRICS_TOKEN says which is.")
        self.set_header("Content-Type", CONTENT_TYPE_LATEST)
        siblings = self.application.siblings
        self.finish(await siblings.metrics() if siblings else generate_latest(self.application.registry))
