"""/metrics, in the words of the service: series by verdict, seconds by stage, requests, jobs, loaded models.

Nothing is labelled by an id or a machine: their number has no bound.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

QUICK = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60)
LONG = (0.1, 0.5, 1, 5, 15, 60, 300, 900, 3_600)
MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """What one service counts."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.series = Counter("tsclust_series", "Series scored, by verdict.", ["verdict"], registry=self.registry)
        self.requests = Counter(
            "tsclust_requests", "Requests answered.", ["method", "route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "tsclust_request_seconds", "Seconds to the answer.", ["route"], buckets=QUICK, registry=self.registry
        )
        self.stages = Histogram(
            "tsclust_stage_seconds", "Seconds of a stage of a job.", ["stage"], buckets=LONG, registry=self.registry
        )
        self.jobs = Gauge("tsclust_jobs", "Jobs by state.", ["state"], registry=self.registry)
        self.loaded = Gauge("tsclust_models_loaded", "Models in memory.", registry=self.registry)
        self.waiting = Gauge("tsclust_series_waiting", "Series that wait for their scores.", registry=self.registry)

    def text(self) -> bytes:
        """In Prometheus' format."""
        return generate_latest(self.registry)
