"""One trace from a request through deciders to rows, and back to an answer."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from genoflow.api.identity.permissions import Role
from genoflow.events.log.memory import MemoryLog
from genoflow.events.spans import context_of
from genoflow.processors.join_case import JOIN_CASE
from genoflow.processors.settle_case import SETTLE_CASE
from genoflow.projections.models import MODELS
from genoflow.projections.runner import keep_up
from tests.integration.rows_over_http import door_over
from tests.integration.test_api_jobs import JOBS, STORY, WISH
from tests.partition import CODEC
from tests.toy import TOY, landed
from tests.traces import Traces, name_of, way
from tests.unit.test_spans import GIVEN
from tests.workers import Lab, until


async def test_a_wish_is_followed_to_the_answer_about_it(tables_url: str) -> None:
    traces = Traces()
    async with MemoryLog(codec=CODEC) as log:
        for event in STORY:
            await log.append(event)
        log.spans = traces.spans  # what happened before is not told
        async with door_over(tables_url, log) as door:
            headers = await door.bearer("olaf", Role.OPERATOR) | {"traceparent": GIVEN}
            connection = await asyncpg.connect(tables_url)
            stop = asyncio.Event()
            feeding = asyncio.create_task(keep_up(log, CODEC, connection, MODELS, stop))
            async with Lab(log).working(SETTLE_CASE, JOIN_CASE) as running:
                answer = await door.client.post(
                    JOBS, json=WISH, headers=headers | {"Idempotency-Key": "K1"}
                )
                assert answer.status_code == 201, answer.text
                address = f"{JOBS}/{answer.json()['job_id']}"

                async def is_joined() -> bool:
                    rows = await connection.fetch(
                        "select from live.events where type = 'CaseJoined'"
                    )
                    return len(rows) == 5  # four of the orders, and that of the wish

                await until(is_joined, running)
            shown = await door.client.get(address, headers=headers)
            assert shown.status_code == 200
            stop.set()
            await feeding
            await connection.close()
    spans = [one for one in traces.all() if f"{one.context.trace_id:032x}" == GIVEN[3:35]]
    wish = "api POST /execution/jobs"
    assert way(spans, "join-case CaseJoined") == [
        "join-case CaseJoined", "settle-case CaseOpened", "settle-case look-at-samples",
        "api CaseProposed", wish,
    ]  # fmt: skip
    assert way(spans, "project rows of CaseJoined")[1:] == way(spans, "join-case CaseJoined")
    [asked] = [one for one in spans if name_of(one) == "api GET /execution/jobs/{job_id}"]
    [wished] = [one for one in spans if name_of(one) == wish]
    for one in (asked, wished):
        assert one.parent is not None
        assert f"{one.parent.span_id:016x}" == GIVEN[36:52]


@pytest.mark.parametrize("lab", ["kafka"], indirect=True)
async def test_a_real_log_tells_what_is_appended_and_what_follows(lab: Lab) -> None:
    traces = Traces()
    lab.log.spans = traces.spans
    first, *others = landed("a", "mail"), landed("b"), landed("c")
    place = await lab.log.append(first)
    await lab.log.append_atomically(others)

    async def all_told() -> bool:
        return len(await lab.said("TopUpRequested")) == 3

    async with lab.working(TOY) as running:
        await until(all_told, running)
    spans = traces.all()
    told = [one for one in spans if one.name == "TopUpRequested"]
    assert {one.parent.span_id for one in told if one.parent} == {
        context_of(event.envelope).span_id for event in (first, *others)
    }
    [root] = [one for one in spans if one.context.span_id == context_of(first.envelope).span_id]
    assert root.attributes is not None
    assert root.attributes["messaging.kafka.offset"] == place.offset
