"""Metrics in the format of Prometheus: counts of requests, and statistics of the index."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from sahel_dedup.index.metadata import Counts
from sahel_dedup.index.results import IndexStats

_BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
_COUNTED = frozenset(item.name for item in fields(Counts))


class Metrics:
    """Counters of requests, and gauges of the index."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._answered = Counter(
            "sahel_requests", "Requests answered.", ["path", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "sahel_request_seconds", "How long they took.", ["path"], registry=self._registry
        )
        self._batches = Histogram(
            "sahel_batch_articles", "Articles added to the index in one batch.", buckets=_BATCHES,
            registry=self._registry,
        )  # fmt: skip
        self._waiting = Gauge(
            "sahel_waiting_articles", "Articles that wait.", registry=self._registry
        )

    def answered(self, path: str, status: int, seconds: float) -> None:
        """Count a request."""
        self._answered.labels(path, str(status)).inc()
        self._seconds.labels(path).observe(seconds)

    def batch(self, articles: int) -> None:
        """Count a batch."""
        self._batches.observe(articles)

    def text(self, stats: IndexStats, waiting: int) -> bytes:
        """Return all metrics as text."""
        self._waiting.set(waiting)
        return generate_latest(self._registry) + generate_latest(_of_index(stats))


def _of_index(stats: IndexStats) -> CollectorRegistry:
    registry = CollectorRegistry()
    for item in fields(stats):
        value = getattr(stats, item.name)
        if isinstance(value, datetime):
            value = value.timestamp()
        elif isinstance(value, timedelta):
            value = value.total_seconds()
        if value is not None:
            text = f"See {item.name} of sahel_dedup.index.IndexStats."
            name = f"sahel_index_{item.name}"
            if item.name in _COUNTED:
                Counter(name, text, registry=registry).inc(value)
            else:
                Gauge(name, text, registry=registry).set(value)
    return registry
