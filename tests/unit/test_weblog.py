"""Weblog's payload: what becomes a fact, which is the trace's own, and what is refused."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest

from genoflow.events.errors import Refused
from genoflow.events.run_started import RunStarted
from genoflow.events.task_completed import TaskCompleted
from genoflow.events.task_failed import TaskFailed
from genoflow.events.task_started import TaskStarted
from genoflow.events.task_submitted import TaskSubmitted
from genoflow.processors.adapters.weblog_receiver import BODY_BYTES_MAX, WeblogReceiver
from genoflow.processors.intake.task_news import task_facts
from genoflow.processors.intake.weblog import told
from genoflow.processors.running.manifest import Submission
from genoflow.processors.running.names import job_name
from tests.examples import someone
from tests.run_facts import RUN_ID, requested

SESSION = UUID("765ea07b-b02c-4609-86f1-cc4470c17391")
SUBMISSION = Submission(
    requested=requested(), attempt=2, job_id=UUID(int=9), caused_by=UUID(int=4),
    correlation_id=UUID(int=5),
)  # fmt: skip
# As Nextflow 24.10 sends it, its own numbers for what is not known yet included.
TRACE = {
    "task_id": 2, "status": "SUBMITTED", "hash": "fd/271e5f", "name": "ALIGN (S1 x)",
    "exit": 2147483647, "submit": 1795259715342, "start": 0, "process": "ALIGN", "tag": "S1 x",
    "container": None, "attempt": 1, "script": "echo", "queue": None, "cpus": 1, "memory": None,
}  # fmt: skip
ENDED = {
    "status": "COMPLETED", "exit": 0, "start": 1795259715358, "complete": 1795259715393,
    "duration": 51, "realtime": 35, "native_id": 15052, "error_action": None, "%cpu": 98.5,
    "peak_rss": 4096, "workdir": "/scratch/fd/271e5f",
}  # fmt: skip


def payload(event: str, trace: dict[str, Any] | None = None, **fields: Any) -> bytes:
    """What the engine posts."""
    known = {
        "runName": job_name(RUN_ID, 2), "runId": str(SESSION), "event": event,
        "utcTime": "2026-11-21T11:15:15Z",
    }  # fmt: skip
    if trace is not None:
        known["trace"] = TRACE | trace  # type: ignore[assignment]
    return json.dumps(known | fields).encode()


def facts(body: bytes) -> list[Any]:
    """What is said of it."""
    return [*told(SUBMISSION, body, engine_version="24.10.0", by=someone())]


def test_a_run_that_begins_says_by_which_engine_and_session() -> None:
    [fact] = facts(payload("started", metadata={"workflow": {"resume": True}}))
    expected = RunStarted(
        run_id=RUN_ID, attempt=2, job_id=str(UUID(int=9)), engine="nextflow",
        engine_version="24.10.0", session_id=str(SESSION), resumed=True,
    )  # fmt: skip
    assert fact.payload() == expected.payload()
    assert fact.envelope.correlation_id == UUID(int=5)
    [fact] = facts(payload("started"))
    assert not fact.resumed
    assert facts(payload("completed")) == facts(payload("error", {})) == []


def test_a_task_is_followed_through_its_life() -> None:
    [waits] = facts(payload("process_submitted", {}))
    [works] = facts(payload("process_started", {"start": 1795259715358, "native_id": 15052}))
    [done] = facts(payload("process_completed", ENDED))
    assert [type(one) for one in (waits, works, done)] == [
        TaskSubmitted, TaskStarted, TaskCompleted,
    ]  # fmt: skip
    assert {one.task_id for one in (waits, works, done)} == {"fd/271e5f"}
    assert (waits.sample_id, works.native_id, done.duration_seconds) == ("S1", "15052", 0.051)
    assert waits.envelope.occurred_at < works.envelope.occurred_at < done.envelope.occurred_at


def test_weblog_and_the_trace_say_one_fact() -> None:
    row = {name: "" if value is None else str(value) for name, value in (TRACE | ENDED).items()}
    [traced] = task_facts(SUBMISSION, [row], is_over=False, by=someone())
    [posted] = facts(payload("process_completed", ENDED))
    assert posted == traced
    assert posted.resources.cpu_percent == 98.5
    assert posted.envelope.event_id == traced.envelope.event_id


def test_a_failure_is_said_when_the_engine_has_decided() -> None:
    failed = ENDED | {"status": "FAILED", "exit": 137}
    [fact] = facts(payload("process_completed", failed | {"error_action": "RETRY"}))
    assert isinstance(fact, TaskFailed)
    assert (fact.will_retry, fact.exit_code) == (True, 137)
    [fact] = facts(payload("process_completed", failed | {"error_action": "TERMINATE"}))
    assert not fact.will_retry
    assert facts(payload("process_completed", failed)) == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "payload of weblog.the whole"),
        (b"[]", "payload of weblog.the whole"),
        (b"\xff{", "payload of weblog.the whole"),
        (b'{"event": "started"}', "payload of weblog.runName: Field required"),
        (payload("started", runId="7"), "payload of weblog.runId"),
        (payload("started", runName="gf-other-1"), "is about gf-other-1, and this is gf-"),
        (payload("process_started"), "process_started comes without a trace"),
        (payload("process_paused", {}), "nobody knows the event process_paused"),
        (payload("process_started", {"task_id": "x"}), "payload of weblog.trace.task_id"),
        (payload("process_started", {"attempt": 0}), "payload of weblog.trace.attempt"),
        (payload("process_started", {"hash": ""}), "payload of weblog.trace.hash"),
        (payload("process_started", {"hash": "a\x00b"}), "TaskStarted.task_id"),
    ],
)
def test_what_is_no_payload_is_refused_with_the_reason(body: bytes, words: str) -> None:
    with pytest.raises(Refused) as caught:
        facts(body)
    assert words in str(caught.value)


def test_the_receiver_takes_what_comes_to_its_own_path() -> None:
    heard: list[bytes] = []

    def accept(body: bytes) -> None:
        if body == b"bad":
            raise Refused("it is bad")
        heard.append(body)

    with WeblogReceiver(accept) as receiver:
        address = urlsplit(receiver.url)
        assert address.hostname == "127.0.0.1"

        def post(path: str, body: bytes, **headers: str) -> tuple[int, str]:
            line = http.client.HTTPConnection(str(address.hostname), address.port, timeout=10)
            line.request("POST", path, body, headers)
            answer = line.getresponse()
            said = answer.status, answer.read().decode()
            line.close()
            return said

        assert post(address.path, b"good")[0] == 202
        assert post(address.path, b"bad") == (400, "it is bad")
        assert post("/", b"good")[0] == 404
        too_long = {"Content-Length": str(BODY_BYTES_MAX + 1)}
        assert post(address.path, b"", **too_long)[0] == 413
    assert heard == [b"good"]
