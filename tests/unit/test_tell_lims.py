"""What became of samples and cases is told to a lab's information system, once each."""

from __future__ import annotations

import json
from uuid import UUID

import pytest

from genoflow.deploy.work import chosen
from genoflow.events.errors import Parked, Retry
from genoflow.events.event import Event
from genoflow.events.lims_update_failed import LimsUpdateFailed
from genoflow.events.lims_updated import LimsUpdated
from genoflow.events.results_published import ResultsPublished
from genoflow.processors.flow import PROCESSORS
from genoflow.processors.ports import Attempt, Lims, LimsSaidNo, Ports
from genoflow.processors.tell_lims import TELL_LIMS, Tell, update_lims
from tests import qc_facts as facts
from tests.examples import example
from tests.fakes import FakeClock, FakeLims
from tests.spec import Spec, heard

ROWS = {row.name: row for row in TELL_LIMS}
OF_SAMPLES, OF_RUNS = ROWS["tell-lims-sample"], ROWS["tell-lims-run"]
FAILED = heard(facts.failed())


def told(event: Event) -> Tell:
    return Tell(
        subject_topic=event.topic, subject_key=event.key,
        source_event_id=event.envelope.event_id, source_type=event.type(),
        occurred_at=event.envelope.occurred_at,
        body=json.dumps(event.payload(), sort_keys=True, ensure_ascii=False),
    )  # fmt: skip


async def done(lims: Lims | None, event: Event = FAILED) -> list[Event]:
    attempt = Attempt(UUID(int=1), 1, Ports(FakeClock(), lims=lims), lambda *_: None)
    return list(await update_lims(told(event), attempt))


def updated(*, found_already: bool) -> LimsUpdated:
    return LimsUpdated(
        subject_topic=FAILED.topic, subject_key=FAILED.key, source_type="QcFailed",
        source_event_id=FAILED.envelope.event_id, found_already=found_already,
    )  # fmt: skip


def test_each_fact_is_told_once() -> None:
    published = heard(example(ResultsPublished))
    for row, event in ((OF_SAMPLES, FAILED), (OF_RUNS, published)):
        [effect] = row.decide(row.state(), event).effects
        assert effect.arguments == told(event)
        Spec(row).given(event).when(event).then_nothing()


async def test_it_is_asked_before_it_is_told_and_a_repetition_finds_it_there() -> None:
    lims = FakeLims()
    assert await done(lims) == [updated(found_already=False)]
    assert await done(lims) == [updated(found_already=True)]
    assert lims.times_sent == 1
    [report] = lims.taken.values()
    assert report.event_id == FAILED.envelope.event_id
    assert json.loads(report.body)["sample_id"] == facts.SAMPLE


async def test_its_no_is_a_fact_and_its_silence_is_tried_again() -> None:
    [said] = await done(FakeLims(no=LimsSaidNo("no such sample; mend it there", 422)))
    assert said == LimsUpdateFailed(
        subject_topic=FAILED.topic, subject_key=FAILED.key, source_type="QcFailed",
        source_event_id=FAILED.envelope.event_id, reason="no such sample; mend it there",
        response_code=422,
    )  # fmt: skip

    def silent(operation: str) -> None:
        raise Retry(operation)

    with pytest.raises(Retry):
        await done(FakeLims(silent))


async def test_a_worker_without_a_lims_parks_what_it_was_told_to_do() -> None:
    with pytest.raises(Parked, match="set GENOFLOW_LIMS for the workers"):
        await done(None)


def test_a_worker_without_a_lims_leaves_these_rows_out_unless_they_are_named() -> None:
    names = {row.name for row in chosen((), has_lims=False)}
    assert set(PROCESSORS) - names == set(ROWS)
    assert {row.name for row in chosen((), has_lims=True)} == set(PROCESSORS)
    assert [row.name for row in chosen(("tell-lims-run",), has_lims=False)] == ["tell-lims-run"]
