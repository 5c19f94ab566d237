"""Who was shown which subjects: every answer is told, once, and never by guessing."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from genoflow.api import events
from genoflow.api.identity import outbox
from genoflow.api.identity.permissions import Permission, Role
from genoflow.api.reads import Reads, tell_the_last
from genoflow.api.refusal import Refusal
from genoflow.events import topics
from genoflow.events.errors import StackFault
from genoflow.events.log.memory import MemoryLog
from genoflow.events.subjects_read import READ_MAX, SubjectsRead
from genoflow.projections.vectors import to_word
from tests.doors import Announced, Door, refused
from tests.integration.rows_over_http import COHORT, ask, follow

SAMPLE = COHORT.samples[0].name


async def told(door: Door) -> list[SubjectsRead]:
    """What the log is told of reads."""
    await door.services.reads.tell()
    heard = Announced()
    await outbox.send(door.services.pool, heard)
    return [fact for fact in heard.facts if isinstance(fact, SubjectsRead)]


def pairs(facts: list[SubjectsRead]) -> set[tuple[str, str, str, int]]:
    """Kind, id, route and how many answers of each entry."""
    return {(one.kind, one.subject, one.route, one.answers) for fact in facts for one in fact.reads}


async def test_a_read_of_one_sample_is_told_with_all_that_it_showed(door: Door) -> None:
    headers = await door.bearer("vera", Role.LAB_TECHNICIAN)
    vera = await door.services.accounts.find("vera")
    body = await ask(door, headers, f"/samples/{SAMPLE}")
    await ask(door, headers, f"/samples/{SAMPLE}")
    route = "/samples/{sample_id}"
    [fact] = facts = await told(door)
    cases = {("case", one["case_id"], route, 2) for one in body["cases_of_it"]}
    subjects = {("subject", body["subject_ref"], route, 2)}
    assert pairs(facts) == {("sample", SAMPLE, route, 2)} | cases | subjects
    assert (fact.account_id, fact.envelope.actor.id) == (vera.account_id, str(vera.account_id))
    assert fact.envelope.actor.kind == "person"
    assert fact.topic == topics.ACCESS.name
    assert await told(door) == []


async def test_a_list_tells_every_row_that_it_showed_and_no_other(door: Door) -> None:
    headers = await door.bearer("vera", Role.LAB_TECHNICIAN)
    shown = {one["sample_id"] for one in (await ask(door, headers, "/samples", limit=3))["items"]}
    told_of = {subject for kind, subject, _, _ in pairs(await told(door)) if kind == "sample"}
    assert told_of == shown
    assert len(shown) == 3


async def test_jobs_and_their_events_are_told_as_runs(door: Door) -> None:
    headers = await door.bearer("bo", Role.BIOINFORMATICIAN)
    jobs = {one["job_id"] for one in (await ask(door, headers, "/execution/jobs"))["items"]}
    assert {subject for kind, subject, _, _ in pairs(await told(door)) if kind == "run"} == jobs
    await ask(door, headers, "/events", type="RunSubmitted", limit=1_000)
    assert {subject for kind, subject, _, _ in pairs(await told(door)) if kind == "run"} <= jobs


async def test_a_key_is_told_apart_from_its_owner(door: Door) -> None:
    headers = await door.bearer("vera", Role.LAB_TECHNICIAN)
    key = await door.key("vera", Permission.SAMPLES_READ)
    for one in (headers, {"X-API-Key": key}):
        await ask(door, one, f"/samples/{SAMPLE}")
    facts = await told(door)
    assert {fact.envelope.actor.kind for fact in facts} == {"person", "service"}
    assert len({fact.account_id for fact in facts}) == 1


async def test_what_showed_nothing_is_not_told(door: Door) -> None:
    headers = await door.bearer("vera", Role.LAB_TECHNICIAN)
    refused(await door.client.get("/v1/samples/nobody", headers=headers), 404)
    refused(await door.client.get(f"/v1/samples/{SAMPLE}"), 401)
    partner = await door.bearer("paula", Role.PARTNER)
    refused(await door.client.get(f"/v1/samples/{SAMPLE}", headers=partner), 404)
    await ask(door, headers, "/samples/counts")
    await ask(door, headers, "/pipelines")
    assert await told(door) == []


async def test_what_did_not_change_is_told_as_well(door: Door) -> None:
    headers = await door.bearer("vera", Role.LAB_TECHNICIAN)
    address = f"/v1/samples/{SAMPLE}"
    tag = (await door.client.get(address, headers=headers)).headers["ETag"]
    again = await door.client.get(address, headers={**headers, "If-None-Match": tag})
    assert again.status_code == 304
    assert ("sample", SAMPLE, "/samples/{sample_id}", 2) in pairs(await told(door))


async def test_reading_who_read_tells_of_nobody_anew(door: Door, log: MemoryLog) -> None:
    headers = await door.bearer("ada", Role.AUDITOR)
    await ask(door, headers, f"/samples/{SAMPLE}")
    await follow(door, log, *(await told(door)))
    body = await ask(door, headers, "/events", topic=topics.ACCESS.name)
    [event] = body["events"]
    assert SAMPLE in {one["subject"] for one in event["payload"]["reads"]}
    assert await told(door) == []


async def test_a_long_list_becomes_several_facts(door: Door) -> None:
    await door.account("vera", Role.LAB_TECHNICIAN)
    token = (await door.login("vera"))["access_token"]
    caller = await door.services.sessions.caller(token)
    number = READ_MAX * 2 + 1
    body = ",".join(f'{{"sample_id":"S{one}"}}' for one in range(number))
    door.services.reads.note(caller, "/v1/samples", f"[{body}]".encode())
    facts = await told(door)
    assert [len(fact.reads) for fact in facts] == [READ_MAX, READ_MAX, 1]
    assert len({fact.envelope.event_id for fact in facts}) == 3
    assert len(pairs(facts)) == number
    assert door.services.reads.waiting == 0


async def test_what_cannot_be_kept_is_refused_and_not_shown(door: Door) -> None:
    headers = await door.bearer("vera", Role.LAB_TECHNICIAN)
    token = headers["Authorization"].removeprefix("Bearer ")
    caller = await door.services.sessions.caller(token)
    reads = Reads(door.services.pool, door.clock, entries_max=2)
    reads.note(caller, "/v1/samples", b'[{"sample_id":"S1"},{"sample_id":"S2"}]')
    with pytest.raises(Refusal, match="written down") as error:
        reads.note(caller, "/v1/samples", b'[{"sample_id":"S3"}]')
    assert error.value.status_code == 503
    reads.note(caller, "/v1/health", b'{"status":"up"}')
    await reads.tell()
    reads.note(caller, "/v1/samples", b'[{"sample_id":"S3"}]')
    assert reads.waiting == 1


async def test_reads_wait_while_the_database_is_away_and_the_end_says_so(
    door: Door, tables_url: str
) -> None:
    headers = await door.bearer("vera", Role.LAB_TECHNICIAN)
    token = headers["Authorization"].removeprefix("Bearer ")
    caller = await door.services.sessions.caller(token)
    pool = await asyncpg.create_pool(tables_url, min_size=1, max_size=1)
    reads = Reads(pool, door.clock)
    reads.note(caller, "/v1/samples", b'[{"sample_id":"S1"}]')
    await pool.close()
    with pytest.raises(StackFault, match="1 reads of subjects could not be told"):
        await tell_the_last(reads)
    assert reads.waiting == 1


async def test_the_end_of_a_service_tells_the_rest(door: Door) -> None:
    headers = await door.bearer("vera", Role.LAB_TECHNICIAN)
    await ask(door, headers, f"/samples/{SAMPLE}")
    await tell_the_last(door.services.reads)
    assert door.services.reads.waiting == 0
    heard = Announced()
    await outbox.send(door.services.pool, heard)
    assert [type(fact) for fact in heard.facts].count(SubjectsRead) == 1


async def test_two_that_tell_at_once_tell_it_once(door: Door) -> None:
    headers = await door.bearer("vera", Role.LAB_TECHNICIAN)
    await ask(door, headers, f"/samples/{SAMPLE}")
    counts = await asyncio.gather(*(door.services.reads.tell() for _ in range(4)))
    assert sorted(counts) == [0, 0, 0, 1]


async def test_a_stream_tells_what_it_showed_and_ends_where_it_cannot(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "STREAM_SECONDS_MAX", 0.5)
    headers = await door.bearer("bo", Role.BIOINFORMATICIAN)
    asked = {"position": to_word({}), "type": "SampleRegistered"}
    await door.client.get("/v1/events/stream", headers=headers, params=asked)
    found = pairs(await told(door))
    assert {route for _, _, route, _ in found} == {"/events/stream"}
    samples = {subject for kind, subject, _, _ in found if kind == "sample"}
    assert samples == {one.name for one in COHORT.samples}
    monkeypatch.setattr(door.services.reads, "_entries_max", 1)
    await ask(door, headers, f"/samples/{SAMPLE}")
    answer = await door.client.get("/v1/events/stream", headers=headers, params=asked)
    assert "data:" not in answer.text
