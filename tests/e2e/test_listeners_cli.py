"""What listeners tell of themselves, as processes on a real broker and a real object store."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from genoflow.deploy.addresses import Addresses
from genoflow.deploy.settings import Settings
from tests.e2e.workers import running, settings_of, succeeds, until
from tests.servers import Bucket
from tests.traces import Collector, collector


@pytest.fixture
def spans() -> Iterator[Collector]:
    """Where spans are sent."""
    with collector() as found:
        yield found


@pytest.fixture
def settings(
    stack: Addresses, suffix: str, tmp_path: Path, s3_bucket: Bucket, spans: Collector
) -> Settings:
    """A deployment of this test's own, whose processes tell figures and spans."""
    s3_bucket.client.put_bucket_versioning(
        Bucket=s3_bucket.name, VersioningConfiguration={"Status": "Enabled"}
    )
    found = settings_of(
        stack, suffix, tmp_path / "home", raw_bucket=s3_bucket.name, metrics="127.0.0.1:0",
        traces=spans.address,
    )  # fmt: skip
    succeeds(found, "topics", "apply")
    return found


def address(log: Path) -> str:
    """Where the process with this log tells its figures."""
    until(lambda: "/metrics" in log.read_text(), "it says where")
    return str(re.findall(r"tells its figures at (\S+)/metrics", log.read_text())[-1])


def told(at: str) -> dict[str, float]:
    """Its figures, by name and labels."""
    lines = httpx2.get(f"{at}/metrics").text.splitlines()
    parted = [line.rpartition(" ") for line in lines if not line.startswith("#")]
    return {name.removeprefix("genoflow_listener_"): float(value) for name, _, value in parted}


def test_what_came_in_what_was_refused_and_when(
    settings: Settings, s3_bucket: Bucket, tmp_path: Path, spans: Collector
) -> None:
    ingest_log, sweep_log, watch_log = (tmp_path / name for name in ("ingest", "sweep", "watch"))
    share = tmp_path / "share"
    share.mkdir()
    for log in (ingest_log, sweep_log, watch_log):
        log.touch()
    with (
        running(settings, ingest_log, "ingest", "notifications", "--reconcile-every", "24"),
        running(settings, sweep_log, "sweep", "--every", "1"),
        running(settings, watch_log, "watch", str(share), "--every", "0.2"),
    ):
        ingest, sweep, watch = map(address, (ingest_log, sweep_log, watch_log))
        about = {"gf-sample": "S1", "gf-role": "R1"}
        s3_bucket.client.put_object(Bucket=s3_bucket.name, Key="in/a.gz", Body=b"x", Metadata=about)
        until(lambda: sum(
            value for name, value in told(ingest).items() if name.startswith("facts_total")
        ) == 1, "the porch or the crawl has told it")  # fmt: skip
        until(lambda: told(ingest)['looks_total{listener="reconcile"}'] == 1, "it has crawled")
        until(lambda: told(ingest)['messages_total{listener="notifications"}'] >= 1, "it heard")
        until(lambda: told(ingest)["genoflow_spans_sent_total"] >= 1, "its span is sent")
        assert told(ingest)["genoflow_spans_dropped_total"] == 0
        until(lambda: told(sweep)['looks_total{listener="sweep"}'] >= 1, "it has looked")
        until(lambda: told(watch)['looks_total{listener="watch"}'] >= 2, "it has looked twice")
        assert told(sweep)['refused_total{listener="sweep"}'] >= 1  # no rules are published
        assert told(sweep)['problems{listener="sweep"}'] == 1
        for at, name in ((ingest, "notifications"), (sweep, "sweep"), (watch, "watch")):
            figures = told(at)
            assert figures["genoflow_log_up"] == 1
            looked_at = figures[f'last_look_timestamp_seconds{{listener="{name}"}}']
            assert looked_at > figures["process_start_time_seconds"]
            assert figures[f'failures_total{{listener="{name}"}}'] == 0
            assert httpx2.get(f"{at}/health/ready").status_code == 200
        assert 'last_fact_timestamp_seconds{listener="watch"}' not in told(watch)
    requests = [ExportTraceServiceRequest.FromString(body) for _, _, body in spans.posted]
    named = {
        span.name
        for request in requests
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    }
    assert named == {"FileLanded"}
