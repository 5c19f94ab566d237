"""Spans of what workers do: under the same ids whoever does it, and nobody waits for them."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from uuid import UUID

import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from genoflow.api.tracing import Step
from genoflow.deploy.observed import spans as sending
from genoflow.deploy.observed.spans import SpanSender, endpoint_of, of_spans, spans_of
from genoflow.deploy.settings import read_settings
from genoflow.events import topics
from genoflow.events.errors import Refused
from genoflow.events.event import Event, begin
from genoflow.events.log.memory import MemoryLog
from genoflow.events.spans import Context, Span, context_of
from genoflow.events.subjects_read import SubjectsRead
from tests.examples import example
from tests.toy import TOY, landed
from tests.traces import SECONDS_MAX, Traces, collector, ids, name_of, way
from tests.workers import Lab, until

GIVEN = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
ANOTHER = SpanSender("tests", InMemorySpanExporter)


def one_of(number: int) -> Span:
    """Some span."""
    return Span("toy", "TopUpRequested", Context(1, number + 1), None, number, number + 1)


def in_trace(event: Event, traceparent: str) -> Event:
    """The same fact, of which a story began under this."""
    return event.enveloped(event.envelope.model_copy(update={"traceparent": traceparent}))


async def played(*events: Event, killed_at: str = "") -> list[ReadableSpan]:
    """The spans of a lab in which these events happened, and a worker may have been killed."""
    traces = Traces()
    log = MemoryLog(topics.declared([TOY.changelog]), spans=traces.spans)
    lab = Lab(log)

    def reach(point: str) -> None:
        if point == killed_at:
            raise ZeroDivisionError

    async with log:
        for event in events:
            await log.append(event)
        if killed_at:
            assert isinstance(await lab.ended(TOY, reach=reach), ZeroDivisionError)

        async def all_sent() -> bool:
            return len(await lab.said("NotificationSent", topics.NOTIFICATION)) == 1

        async with lab.working(TOY) as running:
            await until(all_sent, running)
    return list(traces.all())


async def test_one_event_is_followed_from_its_porch_through_an_effect() -> None:
    letter = in_trace(landed("a", "mail"), GIVEN)
    spans = await played(letter)
    assert len(spans) == 5
    assert way(spans, "toy NotificationSent") == [
        "toy NotificationSent", "toy mail", "tests FileLanded"
    ]  # fmt: skip
    assert way(spans, "toy TopUpRequested") == ["toy TopUpRequested", "tests FileLanded"]
    assert way(spans, "toy mail try") == ["toy mail try", "toy mail", "tests FileLanded"]
    assert {f"{one.context.trace_id:032x}" for one in spans} == {GIVEN[3:35]}
    [root] = [one for one in spans if name_of(one) == "tests FileLanded"]
    assert root.parent is not None
    assert f"{root.parent.span_id:016x}" == GIVEN[36:52]
    assert f"{root.context.span_id:016x}" == letter.envelope.event_id.hex[16:]
    by_name = {name_of(one): one for one in spans}
    effect, tried = by_name["toy mail"], by_name["toy mail try"]
    times = [effect.start_time, tried.start_time, tried.end_time, effect.end_time]
    assert times == sorted(time or 0 for time in times)
    assert root.attributes is not None
    assert root.attributes["messaging.destination.name"] == topics.SAMPLE.name
    assert root.attributes["messaging.kafka.offset"] == 0
    assert root.attributes["genoflow.subject"] == "S1"


async def test_without_a_traceparent_the_trace_is_the_correlation() -> None:
    event = landed("a", "mail")
    spans = await played(event)
    assert {one.context.trace_id for one in spans} == {event.envelope.correlation_id.int}
    [root] = [one for one in spans if one.parent is None]
    assert root.context.span_id == context_of(event.envelope).span_id


async def test_a_second_delivery_and_another_worker_name_the_same_spans() -> None:
    event = landed("a", "mail")
    plain = await played(event)
    twice = await played(event, event)
    assert set(ids(twice).items()) == set(ids(plain).items())
    for point in ("after-take", "before-open", "before-outcome-commit", "after-outcome-commit"):
        killed = await played(event, killed_at=point)
        assert ids(killed) == ids(plain), point
        # What was decided is told once it stands: what was never committed was never told.
        assert sum(name_of(one) == "toy TopUpRequested" for one in killed) <= 1
        assert sum(name_of(one) == "toy NotificationSent" for one in killed) == 1


async def test_what_nobody_sampled_is_not_told() -> None:
    assert await played(in_trace(landed("a", "mail"), f"{GIVEN[:-2]}00")) == []


async def test_what_is_parked_is_a_fault_below_its_cause() -> None:
    traces = Traces()
    log = MemoryLog(topics.declared([TOY.changelog]), spans=traces.spans)
    async with log:
        await log.append(landed("a", "poison"))

        async def is_parked() -> bool:
            return bool(await Lab(log).said("EventParked", topics.PARKED))

        async with Lab(log).working(TOY) as running:
            await until(is_parked, running)
    spans = traces.all()
    assert way(spans, "toy EventParked") == ["toy EventParked", "tests FileLanded"]
    [parked] = [one for one in spans if one.name == "EventParked"]
    assert (parked.status.status_code, parked.status.description) == (
        StatusCode.ERROR, "ValueError",
    )  # fmt: skip


async def test_accounts_are_no_attributes() -> None:
    traces = Traces()
    async with MemoryLog(spans=traces.spans) as log:
        await log.append(example(SubjectsRead))
    [span] = traces.all()
    assert span.attributes is not None
    assert "genoflow.subject" not in span.attributes


async def test_nobody_is_told_where_nobody_takes_spans() -> None:
    log = MemoryLog(topics.declared([TOY.changelog]))
    assert log.spans is None
    async with log:
        await log.append(landed("a", "mail"))
    assert spans_of(None, "tests") is None


# -- on the way to a collector


def sender_to(address: str) -> SpanSender:
    """One that sends there."""
    endpoint = endpoint_of(address)
    return SpanSender("tests", lambda: OTLPSpanExporter(endpoint=endpoint, timeout=1), endpoint)


def test_a_collector_reads_them_as_otlp() -> None:
    with collector() as found:
        spans = sender_to(found.address)
        spans.put(one_of(1))
        spans.put(one_of(2))
        spans.close(SECONDS_MAX)
    assert (spans.sent, spans.dropped) == (2, 0)
    [(path, kind, body)] = found.posted
    assert (path, kind) == ("/v1/traces", "application/x-protobuf")
    [of_toy] = ExportTraceServiceRequest.FromString(body).resource_spans
    said = {one.key: one.value.string_value for one in of_toy.resource.attributes}
    assert (said["service.name"], said["deployment.environment.name"]) == ("toy", "tests")
    [scope] = of_toy.scope_spans
    assert [(one.name, one.span_id.hex(), one.start_time_unix_nano) for one in scope.spans] == [
        ("TopUpRequested", f"{2:016x}", 1), ("TopUpRequested", f"{3:016x}", 2),
    ]  # fmt: skip


@pytest.mark.parametrize("status", [400, 503])
def test_what_a_collector_refuses_is_counted(status: int, caplog: pytest.LogCaptureFixture) -> None:
    with collector(status=status) as found:
        spans = sender_to(found.address)
        spans.put(one_of(1))
        spans.close(SECONDS_MAX)
    assert (spans.sent, spans.dropped) == (0, 1)
    assert "takes no spans" in caplog.text
    assert "start the collector, or unset it" in caplog.text


def test_a_collector_that_is_away_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "WAITING_MAX", 600)
    never = threading.Event()
    with collector(waits=never) as found:
        spans = sender_to(found.address)
        began = time.monotonic()
        for number in range(5_000):
            spans.put(one_of(number))
        took = time.monotonic() - began
        assert spans.dropped >= 5_000 - 600 - sending.BATCH_MAX
        spans.close(0.1)
        assert took < 1.0
        assert spans.sent == 0
    sent, dropped = of_spans([spans])
    assert (sent.name, dropped.name) == ("genoflow_spans_sent", "genoflow_spans_dropped")
    assert dropped.samples[0].value == spans.dropped
    spans.put(one_of(1))  # after the end
    assert spans.dropped > 4_000


@pytest.mark.parametrize(
    "address", ["collector:4318", "ftp://collector", "http://", "http://u:p@collector:4318"]
)
def test_an_address_that_is_none_is_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENOFLOW_TRACES", address)
    with pytest.raises(Refused, match=r"^GENOFLOW_TRACES: .* is no address .*; mend it or unset"):
        read_settings()


def test_what_sends_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "LIBRARY", "no_such_library")
    with pytest.raises(Refused, match=r"GENOFLOW_TRACES=http://x: .*pip install 'genoflow\[trace"):
        spans_of("http://x", "tests")


def test_otlps_own_path_is_added_where_none_is_named() -> None:
    assert endpoint_of("http://c:4318") == "http://c:4318/v1/traces"
    assert endpoint_of("http://c:4318/") == "http://c:4318/v1/traces"
    assert endpoint_of("https://c/otlp/traces") == "https://c/otlp/traces"


# -- what a request says of its trace


@pytest.mark.parametrize(
    "given",
    [
        "", "00-x", GIVEN[:-1], f"{GIVEN}-more", f"ff{GIVEN[2:]}", GIVEN.upper(),
        f"00-{'0' * 32}-{GIVEN[36:]}", f"{GIVEN[:36]}{'0' * 16}-01", f" {GIVEN}",
    ],
)  # fmt: skip
def test_what_is_no_traceparent_is_not_carried(given: str) -> None:
    assert Step(given, None).carried is None


def test_a_traceparent_is_carried_and_of_a_newer_version_what_is_known() -> None:
    assert Step(GIVEN, None).carried == GIVEN
    assert Step(f"01{GIVEN[2:]}-more", None).carried == GIVEN
    traced = Step(GIVEN, ANOTHER).carried
    assert traced is not None
    assert traced[:36] == GIVEN[:36]
    assert traced[36:] != GIVEN[36:]
    fresh = Step("", ANOTHER).carried
    assert fresh is not None
    assert fresh[3:35] != GIVEN[3:35]
    event = begin(
        landed("a"), occurred_at=landed("a").envelope.occurred_at,
        actor=landed("a").envelope.actor, by=landed("a").envelope.producer, traceparent=fresh,
    )  # fmt: skip
    assert context_of(event.envelope).trace_id == int(fresh[3:35], 16)
    assert isinstance(event.envelope.event_id, UUID)


ENDS = """
import sys
from genoflow.deploy.observed.spans import spans_of
from genoflow.events.spans import Context, Span
spans_of(sys.argv[1], "tests").put(Span("toy", "last", Context(1, 2), None, 1, 2))
"""


def test_a_command_that_ends_at_once_has_sent_its_spans() -> None:
    with collector() as found:
        subprocess.run([sys.executable, "-c", ENDS, found.address], check=True, timeout=60)
    [(_, _, body)] = found.posted
    assert b"last" in body


def test_a_command_ends_also_where_no_collector_is() -> None:
    with collector() as found:
        pass  # nobody is there any more
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", ENDS, found.address], check=True, timeout=60, capture_output=True
    )
    assert time.monotonic() - began < sending.END_SECONDS_MAX + 10  # to load what it needs
    assert b"Traceback" not in done.stderr
