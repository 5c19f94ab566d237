"""The priority of a job over HTTP and by command: of one that runs, and of one that has no run."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest

from genoflow.api.identity.permissions import Role
from genoflow.deploy import run_desk
from genoflow.deploy.subject import LogSubjects
from genoflow.events import topics
from genoflow.events.case_closed import CaseClosed
from genoflow.events.errors import Refused
from genoflow.events.log.memory import MemoryLog
from genoflow.events.run_cancelled import RunCancelled
from genoflow.processors.request_run import REQUEST_RUN
from genoflow.processors.running.names import run_id_of
from genoflow.processors.settle_case import SETTLE_CASE
from genoflow.processors.submit_run import SUBMIT_RUN
from tests.doors import refused
from tests.integration.proposing import said
from tests.integration.rows_over_http import ask
from tests.integration.test_api_jobs import JOBS, STORY, Here, opened, ordered
from tests.partition import CODEC, MOMENT
from tests.run_facts import ready, requested
from tests.spec import heard

READY = heard(ready())
RUN_ID = run_id_of(READY.envelope.event_id)
# It waits for an archive or its launcher: whoever submits it is not there.
ASKED = heard(requested(run_id=RUN_ID))
ORDERED = ordered("C1", S1="single")


async def whose(here: Here, job_id: str, **words: Any) -> dict[str, Any]:
    """The job, once these are so."""
    async with asyncio.timeout(60):
        while True:
            found: dict[str, Any] = await ask(here.door, here.headers, f"/execution/jobs/{job_id}")
            if words.items() <= found.items():
                return found
            await asyncio.sleep(0.05)


async def test_a_job_is_more_urgent_with_its_case_and_its_run_hears_of_it(
    tables_url: str,
) -> None:
    rows = SETTLE_CASE, REQUEST_RUN
    async with opened(tables_url, ORDERED, READY, ASKED, rows=rows) as here:
        where = f"/{RUN_ID}/priority"
        first = await here.post(where, key="A", priority="high", reason="ward 3")
        same = await here.post(where, key="A", priority="high", reason="ward 3")
        stands = await here.post(where, key="B", priority="high", reason="ward 3")
        seen = await here.post(where, key="C", priority="low", reason="no", seen_offset=0)
        other = await here.post(where, key="D", priority="soon", reason="ward 3")
        async with asyncio.timeout(60):
            while not (wishes := await said(here.log, "RunPriorityRequested", topics.RUN)):
                await asyncio.sleep(0.05)
        case = await ask(here.door, here.headers, "/cases/C1")
        auditor = await here.door.bearer("rita", Role.AUDITOR)
        url = f"{JOBS}{where}"
        words = {"priority": "high", "reason": "ward 3"}
        no = await here.door.client.post(url, json=words, headers=auditor)
    fact = first.json()["fact"]
    assert (first.status_code, fact["type"]) == (200, "CasePriorityChanged"), first.text
    assert (fact["payload"]["priority"], fact["payload"]["reason"]) == ("urgent", "ward 3")
    assert same.json()["proposal_id"] == first.json()["proposal_id"]
    assert stands.json()["fact"]["event_id"] == fact["event_id"], "it stands so already"
    assert "has changed since it was looked at" in refused(seen, 409, "REFUSED")["message"]
    refused(other, 422)
    refused(no, 403)
    assert [(one.run_id, one.priority, one.reason) for one in wishes] == [
        (RUN_ID, "urgent", "ward 3")
    ]
    assert case["priority"] == "urgent"


async def test_a_job_tells_which_priority_it_has_and_why_it_stays(tables_url: str) -> None:
    rows = SETTLE_CASE, REQUEST_RUN, SUBMIT_RUN
    async with opened(tables_url, ORDERED, READY, ASKED, rows=rows) as here:
        where = f"/{RUN_ID}/priority"
        ended = RunCancelled(run_id=RUN_ID, case_id="C1", request_id="r", reason="not wanted")
        assert (await whose(here, str(RUN_ID)))["priority"] == "routine"
        await here.post(where, key="A", priority="low", reason="can wait")
        await here.log.append(heard(ended))
        kept = {"priority_kept": "over: it was cancelled"}
        found = await whose(here, str(RUN_ID), status="cancelled", **kept)
    assert found["priority"] == "routine"


async def test_a_job_that_has_no_run_yet_is_more_urgent_as_a_case(tables_url: str) -> None:
    async with opened(tables_url, *STORY, rows=[SETTLE_CASE]) as here:
        job_id = (await here.wish()).json()["job_id"]
        answer = await here.post(f"/{job_id}/priority", priority="low", reason="can wait")
        assert answer.json()["fact"]["subject"] == f"job-{job_id}", answer.text
        assert (await whose(here, job_id, priority="low"))["status"] == "queued"
        await here.post(f"/{job_id}/cancel", reason="not needed")
        late = await here.post(f"/{job_id}/priority", key="L", priority="high", reason="now")
        lost = await here.post(f"/{UUID(int=1)}/priority", priority="high", reason="now")
    assert "is closed, cancelled" in refused(late, 409, "REFUSED")["message"]
    refused(lost, 404)


async def ranked(log: MemoryLog, key: str, priority: str = "high") -> Any:
    """What the command says."""
    return await run_desk.ranked(
        LogSubjects(log), key, priority=priority, reason="ward 3", person="jo", request_id=None,
        at=MOMENT,
    )  # fmt: skip


async def test_the_command_says_the_same_and_says_it_once() -> None:
    async with MemoryLog(topics.TOPICS, partitions=4, codec=CODEC) as log:
        for event in (ORDERED, READY, ASKED):
            await log.append(event)
        first, twice = [await ranked(log, str(RUN_ID).upper()) for _ in range(2)]
        assert (first.type(), first.case_id, first.priority) == (
            "CasePriorityChanged", "C1", "urgent",
        )  # fmt: skip
        assert (first.envelope.actor.id, first.envelope.event_id) == (
            "jo", twice.envelope.event_id,
        )  # fmt: skip
        await log.append(first)
        with pytest.raises(Refused, match="is urgent already, and stays so"):
            await ranked(log, str(RUN_ID))
        for key, words in (
            ("R1", "is the id of no run"),
            (str(UUID(int=1)), "no case has this id"),
        ):
            with pytest.raises(Refused, match=words):
                await ranked(log, key)
        job_id = UUID(int=5)
        await log.append(ordered(f"job-{job_id}", S9="single"))
        assert (await ranked(log, str(job_id), "low")).case_id == f"job-{job_id}"
        await log.append(heard(CaseClosed(case_id="C1", outcome="cancelled", reason="no")))
        with pytest.raises(Refused, match="is closed, cancelled"):
            await ranked(log, str(RUN_ID), "low")
