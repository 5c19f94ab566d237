"""Events over HTTP: pages, filters, one by one, as a stream, and along their causes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import pytest

from genoflow.api import events as events_module
from genoflow.api.identity.permissions import Role
from genoflow.api.reading import POSITION
from genoflow.api.routes import ROUTERS
from genoflow.events.case_opened import CaseOpened
from genoflow.events.log.memory import MemoryLog
from genoflow.projections.vectors import from_word, to_word
from tests import run_facts
from tests.asked import opened
from tests.doors import Door, Unlimited, open_door, refused
from tests.examples import someone
from tests.heard import joined
from tests.integration.rows_over_http import follow
from tests.partition import MOMENT
from tests.spec import heard

SAMPLES = 4


@pytest.fixture
async def log() -> AsyncIterator[MemoryLog]:
    """The log behind the API."""
    async with MemoryLog() as opened_log:
        yield opened_log


@pytest.fixture
async def door(tables_url: str, log: MemoryLog) -> AsyncIterator[Door]:
    """The API over rows of twenty facts."""
    async with open_door(tables_url, routers=ROUTERS, limits=Unlimited()) as there:
        await follow(there, log, *(joined(f"S{number % SAMPLES}", number) for number in range(20)))
        yield there


async def test_pages_lead_through_all_events_and_end(door: Door) -> None:
    headers = await door.bearer("vera", Role.AUDITOR)
    seen: list[str] = []
    address = "/v1/events?limit=7"
    while True:
        page = (await door.client.get(address, headers=headers)).json()
        seen += [one["event_id"] for one in page["events"]]
        if page["next"] is None:
            break
        address = f"/v1/events?limit=7&after={quote(page['next'])}"
    assert len(seen) == len(set(seen)) == 20
    back = await door.client.get("/v1/events?newest_first=true&limit=1000", headers=headers)
    assert [one["event_id"] for one in back.json()["events"]] == seen[::-1]


async def test_filters_hold_and_unknown_ones_are_refused(door: Door) -> None:
    headers = await door.bearer("vera", Role.AUDITOR)
    two = await door.client.get("/v1/events?subject=S1&subject=S2", headers=headers)
    assert {one["subject"] for one in two.json()["events"]} == {"S1", "S2"}
    none = await door.client.get("/v1/events?type=Validated", headers=headers)
    assert none.json() == {"events": [], "next": None}
    error = refused(await door.client.get("/v1/events?sample=S1", headers=headers), 422)
    assert error["message"].startswith("sample: is no filter here; there are actor, after")
    naive = await door.client.get("/v1/events?recorded_from=2026-03-01T10:00:00", headers=headers)
    assert "has no time zone" in refused(naive, 422)["message"]
    for wrong in (
        "limit=0",
        "limit=1001",
        "after=x",
        f"after={uuid4()}",
        "after=gf.sample.v1[0]@999",
        "causation_id=1",
    ):
        refused(await door.client.get(f"/v1/events?{wrong}", headers=headers), 422)
    quoted = "' or true --"
    injected = await door.client.get("/v1/events", params={"subject": quoted}, headers=headers)
    assert injected.json()["events"] == []


async def test_an_answer_that_did_not_change_is_not_sent_again(door: Door, log: MemoryLog) -> None:
    headers = await door.bearer("vera", Role.AUDITOR)
    first = await door.client.get("/v1/events?subject=S1", headers=headers)
    asked = headers | {"If-None-Match": first.headers["ETag"]}
    again = await door.client.get("/v1/events?subject=S1", headers=asked)
    assert (again.status_code, again.content) == (304, b"")
    await follow(door, log, joined("S1", 99))
    changed = await door.client.get("/v1/events?subject=S1", headers=asked)
    assert changed.status_code == 200
    assert from_word(changed.headers[POSITION]) != from_word(first.headers[POSITION])


async def test_a_question_waits_for_what_was_written(door: Door, log: MemoryLog) -> None:
    headers = await door.bearer("vera", Role.AUDITOR)
    now = from_word((await door.client.get("/v1/events", headers=headers)).headers[POSITION])
    fact = joined("S1", 500)
    where = await log.append(fact)
    wanted = to_word({**now, (where.topic, where.partition): where.offset + 1})
    asking = asyncio.create_task(
        door.client.get(f"/v1/events?subject=S1&min_position={wanted}", headers=headers)
    )
    await asyncio.sleep(0.1)
    assert not asking.done()
    await follow(door, log)
    told = [one["event_id"] for one in (await asking).json()["events"]]
    assert str(fact.envelope.event_id) in told
    far = to_word({**now, (where.topic, where.partition): where.offset + 100})
    late = await door.client.get(f"/v1/events?min_position={far}", headers=headers)
    assert refused(late, 503, "BEHIND")["details"]["category"] == "storage"
    refused(await door.client.get("/v1/events?min_position=nonsense", headers=headers), 422)


async def test_one_event_and_its_lineage_are_told(door: Door, log: MemoryLog) -> None:
    headers = await door.bearer("vera", Role.AUDITOR)
    order: CaseOpened = heard(opened(), MOMENT)
    asked = order.follow(run_facts.requested(), by=someone())
    published = asked.follow(run_facts.published(), by=someone())
    await follow(door, log, order, asked, published)
    one = await door.client.get(f"/v1/events/{asked.envelope.event_id}", headers=headers)
    assert one.json()["causation_id"] == str(order.envelope.event_id)
    found = (
        await door.client.get(f"/v1/lineage/{asked.envelope.event_id}", headers=headers)
    ).json()
    assert [e["type"] for e in found["causes"]] == ["CaseOpened"]
    assert [e["type"] for e in found["consequences"]] == ["ResultsPublished"]
    for room in ("events", "lineage"):
        refused(await door.client.get(f"/v1/{room}/{uuid4()}", headers=headers), 404)
        refused(await door.client.get(f"/v1/{room}/nothing", headers=headers), 422)
    story = await door.client.get("/v1/samples/S1/timeline", headers=headers)
    assert {"CaseJoined", "RunRequested"} <= {e["type"] for e in story.json()["entries"]}
    refused(await door.client.get("/v1/samples/nobody/timeline", headers=headers), 404)


async def test_who_may_not_read_events_is_told_so(door: Door) -> None:
    headers = await door.bearer("paul", Role.PARTNER)
    for address in ("events", "events/stream", f"events/{uuid4()}", f"lineage/{uuid4()}"):
        refused(await door.client.get(f"/v1/{address}", headers=headers), 403)
        refused(await door.client.get(f"/v1/{address}"), 401)


def parts(text: str) -> list[dict[str, str]]:
    """Server-sent events, as a browser takes them apart."""
    found = []
    for block in text.split("\n\n"):
        lines = [line.partition(": ") for line in block.splitlines() if line[:1] != ":"]
        if lines:
            found.append({name: value for name, _, value in lines})
    return found


async def streamed(door: Door, headers: dict[str, str], **query: Any) -> list[dict[str, str]]:
    """What a stream of a second says."""
    answer = await door.client.get("/v1/events/stream", headers=headers, params=query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/event-stream")
    return parts(answer.text)


async def test_a_stream_goes_on_where_its_client_was(
    door: Door, log: MemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events_module, "STREAM_SECONDS_MAX", 1.0)
    headers = await door.bearer("vera", Role.AUDITOR)
    first = await streamed(door, headers, position=to_word({}))
    told = [json.loads(one["data"]) for one in first if "data" in one]
    assert len(told) == 20
    now = await streamed(door, headers)
    assert [one for one in now if "data" in one] == []  # begins with what comes
    await follow(door, log, *(joined("S9", number) for number in range(3)))
    # Cut off after any of them, a client is told the rest, each once.
    for number, one in enumerate(one for one in first if "data" in one):
        if number % 6 == 0:
            rest = await streamed(door, headers | {"Last-Event-ID": one["id"]})
            again = [json.loads(each["data"])["event_id"] for each in rest if "data" in each]
            assert again[: 19 - number] == [each["event_id"] for each in told[number + 1 :]]
            assert len(again) == 19 - number + 3
    only = await streamed(door, headers, position=to_word({}), subject="S9")
    assert {json.loads(one["data"])["subject"] for one in only if "data" in one} == {"S9"}
    broken = await door.client.get(
        "/v1/events/stream", headers=headers | {"Last-Event-ID": str(UUID(int=0))}
    )
    refused(broken, 422)


async def test_no_more_streams_than_a_process_can_feed(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events_module, "STREAM_SECONDS_MAX", 1.0)
    monkeypatch.setattr(events_module, "STREAMS_MAX", 1)
    headers = await door.bearer("vera", Role.AUDITOR)
    open_one = asyncio.create_task(streamed(door, headers))
    while not getattr(door.app.state, "streams", 0):
        await asyncio.sleep(0.01)
    refused(await door.client.get("/v1/events/stream", headers=headers), 503)
    await open_one
    assert door.app.state.streams == 0
    await streamed(door, headers)
