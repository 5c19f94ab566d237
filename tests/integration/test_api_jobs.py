"""Jobs over HTTP: samples that were ordered, by another pipeline, and what becomes of the wish."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from uuid import UUID

import pytest

from genoflow.api.identity.permissions import Role
from genoflow.api.submitting import duration
from genoflow.events import topics
from genoflow.events.case_closed import CaseClosed
from genoflow.events.case_opened import CaseOpened
from genoflow.events.event import Event
from genoflow.events.log.memory import MemoryLog
from genoflow.events.qc_passed import QcPassed
from genoflow.events.qc_requested import QcRequested
from genoflow.events.run_failed import RunFailed
from genoflow.processors.await_members import AWAIT_MEMBERS
from genoflow.processors.join_case import JOIN_CASE
from genoflow.processors.processor import Processor
from genoflow.processors.request_run import REQUEST_RUN
from genoflow.processors.settle_case import SETTLE_CASE
from genoflow.processors.settle_run import SETTLE_RUN
from genoflow.processors.tell_case import TELL_CASE
from tests.asked import like
from tests.doors import Door, refused
from tests.integration.proposing import deciding, lab, said
from tests.integration.rows_over_http import ask
from tests.run_facts import pipeline, requested
from tests.spec import heard
from tests.unit.test_configurations import saved

JOBS = "/v1/execution/jobs"
READY = ("CaseReady", topics.CASE)


def ordered(case_id: str, kind: str = "single", **roles: str) -> CaseOpened:
    members = [
        {"sample_id": sample, "role": role, "subject_ref": f"P-{case_id}"}
        for sample, role in roles.items()
    ]
    return heard(
        CaseOpened(
            case_id=case_id, kind=kind, assay="wgs", reference="GRCh38", members=members,
            source="lims",
        )
    )  # fmt: skip


PAIR = ordered("C2", "tumour-normal", S2="tumour", S3="normal")
GONE = heard(CaseClosed(case_id="C3", outcome="withdrawn", reason="consent"))
STORY = (
    heard(pipeline(document_id="germline")),
    heard(pipeline(document_id="duos", case_kinds=("tumour-normal",))),
    heard(saved(document_id="fast")), heard(saved(document_id="pairs", pipeline="duos")),
    ordered("C1", S1="single"), PAIR, ordered("C3", S4="single"), GONE,
)  # fmt: skip
WISH: dict[str, Any] = {"pipeline_id": "germline", "sample_ids": ["S1"]}


class Here(NamedTuple):
    """The API, its log, and somebody who may ask for jobs."""

    door: Door
    log: MemoryLog
    headers: dict[str, str]

    async def post(self, where: str = "", /, key: str = "K1", **words: Any) -> Any:
        """The answer to this."""
        headers = self.headers | {"Idempotency-Key": f"{key}{where}"}
        return await self.door.client.post(f"{JOBS}{where}", json=words, headers=headers)

    async def wish(self, key: str = "K1", /, **words: Any) -> Any:
        """The answer to a wish for a job."""
        return await self.post("", key=key, **WISH | words)


@asynccontextmanager
async def opened(tables_url: str, *events: Event, rows: Sequence[Processor]) -> Any:
    """The API over a log on which this has happened, with who decides on it."""
    async with lab(tables_url, *events) as (door, log), deciding(door, log, *rows):
        yield Here(door, log, await door.bearer("olaf", Role.OPERATOR))


@pytest.fixture
async def here(tables_url: str) -> AsyncIterator[Here]:
    """The API over a log on which there are orders and pipelines."""
    async with opened(tables_url, *STORY, rows=[SETTLE_CASE]) as there:
        yield there


async def test_a_job_is_a_case_of_its_own_and_is_known_before_it_runs(
    here: Here,
) -> None:
    door, log, headers = here
    answer = await here.wish(priority="high")
    assert answer.status_code == 201, answer.text
    body = answer.json()
    job_id = body["job_id"]
    assert body | {"proposal_id": ""} == {
        "job_id": job_id, "status": "queued", "estimated_start": None, "estimated_duration": None,
        "case_id": f"job-{job_id}", "proposal_id": "", "subscriptions": [],
    }  # fmt: skip
    again = await here.wish(priority="high")
    assert again.json()["job_id"] == job_id
    opened = [one for one in await said(log, "CaseOpened", topics.CASE) if one.run_id is not None]
    [case] = opened
    assert (case.run_id, case.pipeline, case.priority) == (UUID(job_id), "germline", "urgent")
    assert (case.kind, case.assay, case.reference) == ("single", "wgs", "GRCh38")
    [member] = case.members
    assert (member.sample_id, member.role, member.subject_ref) == ("S1", "single", "P-C1")
    found = await ask(door, headers, f"/execution/jobs/{job_id}")
    assert (found["job_id"], found["status"], found["state"]) == (job_id, "queued", "ordered")
    assert (found["waits_for"], found["case_id"]) == ("S1", f"job-{job_id}")
    assert found["progress"]["percentage"] is None


async def test_the_members_of_a_case_keep_their_roles_and_one_of_them_is_single(
    here: Here,
) -> None:
    log = here.log
    both = await here.wish("K1", pipeline_id="duos", sample_ids=["S3", "S2"], priority="low")
    one = await here.wish("K2", sample_ids=["S2"])
    assert (both.status_code, one.status_code) == (201, 201), (both.text, one.text)
    made = {str(e.run_id): e for e in await said(log, "CaseOpened", topics.CASE) if e.run_id}
    pair, alone = made[both.json()["job_id"]], made[one.json()["job_id"]]
    assert {(m.sample_id, m.role) for m in pair.members} == {("S2", "tumour"), ("S3", "normal")}
    assert (pair.kind, pair.priority) == ("tumour-normal", "low")
    assert [(m.sample_id, m.role) for m in alone.members] == [("S2", "single")]
    assert (alone.kind, alone.priority) == ("single", "routine")


@pytest.mark.parametrize(
    ("words", "faults"),
    [
        ({"sample_ids": ["S9", "S1", "S1"], "pipeline_id": "none"}, {
            "pipeline_id": "no pipeline is published under this id",
            "sample_ids.0": "S9: no open or published case names this sample",
            "sample_ids.2": "is that of sample_ids.1 too",
        }),
        ({"sample_ids": ["S4"]}, {"sample_ids.0": "S4: no open or published case names"}),
        ({"sample_ids": ["S1", "S2"]}, {"sample_ids": "these are not the members of one case"}),
        ({"pipeline_id": "duos"}, {"pipeline_id": "takes tumour-normal cases"}),
        ({"config_id": "none"}, {"config_id": "none: nobody has saved it"}),
        ({"config_id": "pairs"}, {"config_id": "pairs: it is of duos"}),
    ],
)  # fmt: skip
async def test_what_cannot_be_a_job_is_refused_with_every_place(
    here: Here, words: dict[str, Any], faults: dict[str, str]
) -> None:
    log = here.log
    details = refused(await here.wish(**words), 422)["details"]
    found = {one["field"]: one["reason"] for one in details["faults"]}
    assert found.keys() == faults.keys()
    for place, fact in faults.items():
        assert fact in found[place]
    assert await said(log, "CaseProposed", topics.CASE) == []


async def test_a_configuration_goes_with_the_job(here: Here) -> None:
    answers = [await here.wish("K1", config_id="fast"), await here.wish("K2")]
    assert [one.status_code for one in answers] == [201, 201]
    fast, usual = (one.json()["job_id"] for one in answers)
    made = [one for one in await said(here.log, "CaseOpened", topics.CASE) if one.run_id]
    assert {str(one.run_id): one.configuration for one in made} == {fast: "fast", usual: None}


async def test_a_key_is_of_one_job_and_who_may_not_gets_none(here: Here) -> None:
    door, log, _ = here
    assert (await here.wish()).status_code == 201
    refused(await here.wish(priority="low"), 422, "IDEMPOTENCY_KEY_REUSED")
    other = await door.bearer("rita", Role.AUDITOR)
    refused(await door.client.post(JOBS, json=WISH, headers=other), 403)
    assert len(await said(log, "CaseProposed", topics.CASE)) == 1


async def test_who_is_named_is_told_of_this_job_alone(here: Here) -> None:
    log = here.log
    refused(await here.wish(notification_settings={"email": "nobody"}), 422)
    assert await said(log, "CaseProposed", topics.CASE) == []
    settings = {"email": "user@example.com", "webhook_url": "https://example.com/webhook"}
    answer = await here.wish("K2", notification_settings=settings)
    assert answer.status_code == 201, answer.text
    body = answer.json()
    channels = [one["channel"] for one in body["subscriptions"]]
    assert channels == ["email", "webhook"]
    made = await said(log, "SubscriptionCreated", topics.NOTIFICATION)
    assert {one.subject_keys for one in made} == {(body["job_id"],)}
    assert {"RunStarted", "RunSucceeded", "RunFailed"} <= {*made[0].event_types}
    assert answer.headers["Cache-Control"] == "no-store", "a secret stands in it"


async def test_a_job_that_has_no_run_yet_ends_with_its_case(here: Here) -> None:
    door, _, headers = here
    job_id = (await here.wish()).json()["job_id"]
    ended = await here.post(f"/{job_id}/cancel", reason="not needed")
    assert ended.json()["fact"]["type"] == "CaseClosed", ended.text
    found = await ask(door, headers, f"/execution/jobs/{job_id}")
    assert (found["status"], found["reason"]) == ("cancelled", "not needed")


async def test_a_job_is_told_of_before_it_is_decided(tables_url: str) -> None:
    async with opened(tables_url, *STORY, rows=[JOIN_CASE]) as here:
        answer = await here.wish()
        assert answer.status_code == 202, answer.text
        assert answer.headers["Location"].startswith("/v1/proposals/")
        job_id, behind = answer.json()["job_id"], answer.headers["GenoFlow-Position"]
        found = await ask(
            here.door, here.headers, f"/execution/jobs/{job_id}?min_position={behind}"
        )
        lost = await here.door.client.get(f"{JOBS}/{UUID(int=1)}", headers=here.headers)
    assert (found["status"], found["waits_for"]) == ("queued", "its order to be accepted")
    assert (found["pipeline"], found["priority"]) == ("germline", "routine")
    refused(lost, 404)


async def test_a_job_of_samples_that_are_ready_is_run_under_its_id(tables_url: str) -> None:
    asked = like(
        QcRequested, sample_id="S1", round=1, assay="wgs", reference="GRCh38", target_bases=None
    )
    good = like(QcPassed, sample_id="S1", round=1)
    rows = (SETTLE_CASE, JOIN_CASE, TELL_CASE, AWAIT_MEMBERS)
    async with opened(tables_url, *STORY, heard(asked), heard(good), rows=rows) as here:
        job_id = (await here.wish()).json()["job_id"]
        async with asyncio.timeout(60):
            while not (made := [o for o in await said(here.log, *READY) if o.run_id]):
                await asyncio.sleep(0.05)
    [ready] = made
    assert (ready.case_id, ready.pipeline) == (f"job-{job_id}", "germline")
    effects = REQUEST_RUN.decide(REQUEST_RUN.state(), heard(ready)).effects
    assert [str(dict(one.arguments)["run_id"]) for one in effects] == [job_id]


async def test_a_job_that_failed_goes_on(tables_url: str) -> None:
    asked = heard(requested())
    of_run: dict[str, Any] = {"run_id": asked.run_id, "case_id": asked.case_id}
    failed = heard(like(RunFailed, **of_run, attempt=1, will_retry=False))
    async with opened(tables_url, asked, failed, rows=[SETTLE_RUN]) as here:
        where = f"/{asked.run_id}/retry"
        first = await here.post(where, key="A", reason="more disk")
        twice = await here.post(where, key="B", reason="more disk")
        found = await ask(here.door, here.headers, f"/execution/jobs/{asked.run_id}")
        said_of_it = await said(here.log, "RunRetryRequested", topics.RUN)
    fact = first.json()["fact"]
    assert (fact["type"], fact["payload"]["attempt"]) == ("RunRetryRequested", 2)
    assert "is under way" in refused(twice, 409, "REFUSED")["message"]
    assert (found["status"], found["waits_for"]) == ("queued", "to be submitted")
    assert len(said_of_it) == 1


def test_a_duration_is_as_iso_has_it() -> None:
    found = [duration(one) for one in (0.2, 59, 61, 3_600, 9_000)]
    assert found == ["PT1S", "PT59S", "PT1M", "PT1H", "PT2H30M"]
