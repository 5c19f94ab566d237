"""Charts over HTTP: one is restarted by those who decide about alerts, once for one request."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from genoflow.api.identity.permissions import Role
from genoflow.deploy.subject import LogSubjects
from genoflow.events import topics
from genoflow.events.event import Event
from genoflow.events.log.memory import MemoryLog
from genoflow.events.log.recorded import Raw
from genoflow.events.quality_chart_restarted import QualityChartRestarted
from genoflow.processors.watchtower.kept import write_value
from genoflow.processors.watchtower.quality import chart_key
from genoflow.processors.watchtower.quality_kept import KeptChart
from tests.doors import Door, refused
from tests.integration.rows_over_http import door_over
from tests.partition import CODEC
from tests.quality_histories import chart_name

NAME = chart_name("q30_fraction")
PLACE = f"/v1/monitoring/charts/{NAME.chart_id}/restart"
WISH = {"reason": "a new lot, which is to stay"}


@pytest.fixture
async def log() -> AsyncIterator[MemoryLog]:
    async with MemoryLog(codec=CODEC) as there:
        key, value = chart_key(NAME), write_value(KeptChart(NAME), 1)
        await there.append_raw(topics.TOWER.name, 0, [Raw(key.written(), value, [], 0)])
        yield there


@pytest.fixture
async def door(tables_url: str, log: MemoryLog) -> AsyncIterator[Door]:
    async with door_over(tables_url, log) as there:
        yield there


async def story(log: MemoryLog) -> list[Event]:
    key = str(NAME.chart_id)
    return (await LogSubjects(log).events_of(topics.CATALOG, [key]))[key]


async def test_a_chart_is_restarted_by_those_who_may(door: Door, log: MemoryLog) -> None:
    headers = await door.bearer("ada", Role.OPERATOR) | {"Idempotency-Key": "k-1"}
    answer = await door.client.post(PLACE, headers=headers, json=WISH)
    assert answer.status_code == 200, answer.text
    again = await door.client.post(PLACE, headers=headers, json=WISH)
    assert again.headers["Idempotency-Replayed"] == "true"
    [fact] = await story(log)
    assert isinstance(fact, QualityChartRestarted)
    assert {name: getattr(fact, name) for name in NAME.model_dump()} == NAME.model_dump()
    assert (fact.reason, fact.role) == (WISH["reason"], "operator")
    assert answer.json()["event_id"] == str(fact.envelope.event_id)
    assert answer.json()["metric"] == "q30_fraction"
    headers["Idempotency-Key"] = "k-2"
    other = await door.client.post(PLACE, headers=headers, json=WISH)
    assert other.json()["event_id"] != answer.json()["event_id"]
    assert len(await story(log)) == 2


async def test_what_may_not_be_said_of_a_chart_is_refused(door: Door, log: MemoryLog) -> None:
    headers = await door.bearer("ada", Role.OPERATOR)
    nowhere = f"/v1/monitoring/charts/{UUID(int=9)}/restart"
    answer = await door.client.post(nowhere, headers=headers, json=WISH)
    assert "there is none; `genoflow charts list`" in refused(answer, 404)["message"]
    for wrong in ({}, {"reason": ""}, WISH | {"surplus": 1}, WISH | {"role": "clinician"}):
        refused(await door.client.post(PLACE, headers=headers, json=wrong), 422)
    theirs = await door.bearer("pam", Role.PARTNER)
    refused(await door.client.post(PLACE, headers=theirs, json=WISH), 403)
    assert await story(log) == []
