"""The status as Prometheus metrics.

Names and units by Prometheus' conventions: base units (bytes, ratios 0..1), `_total` for what only
grows. All but two are gauges, since they are read off what stands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from tiktok_assets.status import ProjectStatus

_PREFIX = "tiktok_assets_"
#: These have a value also where none waits or runs, so that a graph does not break off.
_LANES = ("analysis", "errands")


def registry(latest: Callable[[], ProjectStatus]) -> CollectorRegistry:
    """A registry of its own with these metrics; `latest` is asked at each scrape."""
    found = CollectorRegistry()
    found.register(StatusCollector(latest))
    return found


class StatusCollector(Collector):
    """Makes the metrics of the latest status."""

    def __init__(self, latest: Callable[[], ProjectStatus]) -> None:
        self._latest = latest

    def describe(self) -> list[Metric]:
        """Nothing, so that registering this does not read the whole status."""
        return []

    def collect(self) -> Iterator[Metric]:
        """All metrics."""
        status = self._latest()
        yield _gauge("videos", "Registered videos", len(status.videos))
        yield _gauge("documents", "Videos that have a document", status.documents)
        yield _gauge("reports", "Videos that have a report", status.reports)
        yield _by(
            "unreadable_videos", "Videos whose last decoding failed", "asset",
            {name: len(found) for name, found in status.refused.items()},
        )  # fmt: skip
        yield from _analyzers(status)
        yield from _queue(status)
        yield from _disk(status)
        yield from _workers(status)
        yield from _gpus(status)


def _analyzers(status: ProjectStatus) -> Iterator[Metric]:
    rows = {row.analyzer: row for row in status.analyzers}
    for name, about, values in (
        ("results", "Videos with a result", {n: r.results for n, r in rows.items()}),
        ("failed_videos", "Videos without one after a failure",
         {n: len(r.failures) for n, r in rows.items()}),
        ("missing_videos", "Videos not tried yet", {n: r.missing for n, r in rows.items()}),
        ("success_ratio", "Share of the videos tried that have a result",
         {n: r.success_ratio for n, r in rows.items() if r.success_ratio is not None}),
    ):  # fmt: skip
        yield _by(f"analyzer_{name}", f"{about}, by analyzer", "analyzer", values)


def _queue(status: ProjectStatus) -> Iterator[Metric]:
    waiting = dict.fromkeys(_LANES, 0) | status.queue.waiting
    running = dict.fromkeys(_LANES, 0) | Counter(run.lane for run in status.queue.running)
    yield _by("runs_queued", "Runs that wait for a worker, by lane", "lane", waiting)
    yield _by("runs_in_progress", "Runs in progress, by lane", "lane", running)
    yield _by("urls", "URLs to be downloaded or done with, by state", "state", status.queue.urls)


def _disk(status: ProjectStatus) -> Iterator[Metric]:
    disk = status.disk
    yield _gauge("disk_free_bytes", "Free on the disk of the data folder", disk.free_bytes)
    yield _gauge("disk_floor_bytes", "With less free nothing is begun", disk.floor_bytes)
    yield _by("folder_size_bytes", "What the folders take", "folder", disk.folder_bytes)
    yield _gauge(
        "frame_cache_limit_bytes", "Bound of the frame cache", disk.frame_cache_limit_bytes
    )


def _workers(status: ProjectStatus) -> Iterator[Metric]:
    labels = ("worker", "model", "device")
    resident = _labelled(GaugeMetricFamily, "model_resident", "1 while the model is loaded", labels)
    memory = _labelled(
        GaugeMetricFamily, "model_memory_bytes", "Declared need of a loaded model", labels
    )
    loads = _labelled(CounterMetricFamily, "model_loads", "Times a model was loaded", labels)
    hits = _labelled(CounterMetricFamily, "model_hits", "Loans of a model already loaded", labels)
    for worker in status.workers:
        for model in worker.models:
            values = [worker.name, model.model_id, model.device]
            resident.add_metric(values, float(model.resident))
            memory.add_metric(values, model.memory_mb * 1e6 if model.resident else 0.0)
            loads.add_metric(values, model.loads)
            hits.add_metric(values, model.hits)
    workers = {worker.name: worker for worker in status.workers}
    yield _by(
        "worker_memory_bytes", "Resident memory of a worker's process", "worker",
        {name: worker.memory_bytes for name, worker in workers.items()},
    )  # fmt: skip
    yield _by(
        "worker_silent_seconds", "Time since a worker's last sign of life", "worker",
        {name: worker.silent_s for name, worker in workers.items()},
    )  # fmt: skip
    yield _by(
        "worker_steps", "Steps a worker is busy with", "worker",
        {name: len(worker.steps) for name, worker in workers.items()},
    )  # fmt: skip
    yield from (resident, memory, loads, hits)


def _gpus(status: ProjectStatus) -> Iterator[Metric]:
    labels = ("gpu", "name")
    used = _labelled(GaugeMetricFamily, "gpu_memory_used_bytes", "Memory in use", labels)
    size = _labelled(GaugeMetricFamily, "gpu_memory_size_bytes", "Memory there is", labels)
    busy = _labelled(
        GaugeMetricFamily, "gpu_utilization_ratio", "Share of the time at work, 0..1", labels
    )
    for gpu in status.gpus:
        values = [str(gpu.index), gpu.name]
        used.add_metric(values, gpu.memory_used_bytes)
        size.add_metric(values, gpu.memory_total_bytes)
        if gpu.utilization_ratio is not None:
            busy.add_metric(values, gpu.utilization_ratio)
    yield from (used, size, busy)


def _gauge(name: str, about: str, value: float) -> Metric:
    return GaugeMetricFamily(_PREFIX + name, about, value=value)


def _by(name: str, about: str, label: str, values: Mapping[str, float]) -> Metric:
    metric = _labelled(GaugeMetricFamily, name, about, (label,))
    for key, value in values.items():
        metric.add_metric([key], value)
    return metric


def _labelled(
    kind: type[GaugeMetricFamily] | type[CounterMetricFamily],
    name: str,
    about: str,
    labels: tuple[str, ...],
) -> GaugeMetricFamily | CounterMetricFamily:
    return kind(_PREFIX + name, about, labels=labels)
