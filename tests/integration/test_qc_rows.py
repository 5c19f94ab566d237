"""Rows of QC: rounds of samples and runs, their verdicts, and the metrics that these rest on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from genoflow.api.qc_answers import answer, round_told
from genoflow.events.measured import Measured
from genoflow.events.qc_failed import QcFailed
from genoflow.events.qc_metrics_recorded import QcMetricsRecorded
from genoflow.events.qc_overridden import QcOverridden
from genoflow.events.qc_passed import QcPassed
from genoflow.events.read_set_invalidated import ReadSetInvalidated
from genoflow.events.top_up_requested import TopUpRequested
from genoflow.events.unknown_metric import UnknownMetric
from genoflow.projections import qc
from genoflow.projections.asking import sample as asking
from tests import qc_facts
from tests.asked import failed, like, passed
from tests.integration.rows import (
    Rows,
    all_pages,
    are_equal_in_pieces,
    histories,
    rows_of,
    uses_of,
)
from tests.partition import MOMENT
from tests.spec import heard

SAMPLE = "S7"
READERS = ("judge-reads", "tell-case", "check-qc", "measure-reads")


@pytest.fixture
async def rows(postgres_url: str) -> AsyncIterator[Rows]:
    async with rows_of(postgres_url, qc.Qc()) as opened:
        yield opened


async def told(rows: Rows, number: int = 1) -> Any:
    found = await qc.qc_of(rows.connection, SAMPLE, number)
    assert found is not None
    return found


def requested(number: int = 1) -> Any:
    return qc_facts.requested(number, sample_id=SAMPLE, read_set_ids=("A", "B"))


def measured() -> Any:
    return like(
        QcMetricsRecorded, sample_id=SAMPLE, round=1, profile="wgs-30x", read_set_ids=("A", "B")
    )


def test_the_flow_says_what_is_used() -> None:
    assert uses_of(qc.Qc()) == set(qc.USES)


async def test_a_round_goes_from_its_question_to_its_verdict(rows: Rows) -> None:
    await rows.tell(requested())
    found = await told(rows)
    assert (found["state"], found["waits_for"], found["read_sets"]) == (
        "in QC", "to be measured", 2,
    )  # fmt: skip
    await rows.tell(measured())
    found = await told(rows)
    assert (found["state"], found["waits_for"]) == ("in QC", "its verdict")
    assert found["measured_at"] is not None
    await rows.tell(passed("A", "B"))
    found = await told(rows)
    assert (found["state"], found["waits_for"], found["verdict"]) == ("QC passed", None, "passed")
    assert (found["profile"], found["assay"], found["reference"]) == ("strict", "wgs", "GRCh38")
    [metric] = await qc.metrics_of(rows.connection, found["verdict_id"])
    named = {name: metric[name] for name in ("subject", "metric", "value", "unit", "verdict")}
    assert named == {
        "subject": SAMPLE, "metric": "mean_coverage", "value": 11.2, "unit": "x", "verdict": "pass",
    }  # fmt: skip
    assert metric["required_min"] == 30.0
    assert not await rows.set_aside()


async def test_a_metric_that_cannot_be_told_says_why(rows: Rows) -> None:
    why = UnknownMetric(metric="contamination", reason="no index came")
    recorded = like(QcMetricsRecorded, sample_id=SAMPLE, round=1, unknown=(why,))
    missing = Measured(metric="contamination", value=0.0, unit="fraction", verdict="not judged")
    await rows.tell(requested(), recorded, like(QcPassed, sample_id=SAMPLE, round=1,
                                                measured=(missing,)))  # fmt: skip
    found = await told(rows)
    measured_now = await qc.metrics_of(rows.connection, found["verdict_id"])
    assert [(one["metric"], one["why"]) for one in measured_now] == [
        ("contamination", "no index came")
    ]
    answered = answer(round_told(found), measured_now, is_round=True)
    for name in ("contamination", "contamination_rate"):
        assert (answered["metrics"][name], answered["unknown"][name]) == (None, "no index came")


async def test_a_failure_waits_for_a_person_who_answers_for_it(rows: Rows) -> None:
    verdict = failed(reads_missing=50)
    name = verdict.envelope.event_id
    await rows.tell(requested(), verdict)
    found = await told(rows)
    assert (found["state"], found["waits_for"], found["reads_missing"]) == (
        "QC failed", "a person, or more reads", 50,
    )  # fmt: skip
    wanted = like(TopUpRequested, sample_id=SAMPLE, round=2, failed_event_id=name, reads_wanted=60)
    await rows.tell(wanted)
    found = await told(rows)
    assert (found["waits_for"], found["reads_wanted"]) == ("more reads", 60)
    override: dict[str, Any] = {"sample_id": SAMPLE, "round": 1, "role": "director"}
    other = like(QcOverridden, **override, reason="of another", request_id="q0")
    await rows.tell(other)
    assert (await told(rows))["state"] == "QC failed"
    then = await rows.tell(like(QcOverridden, **override, overridden_event_id=name, reason="safe"))
    found = await told(rows)
    assert (found["state"], found["waits_for"], found["verdict"]) == (
        "QC overridden", None, "failed",
    )  # fmt: skip
    assert (found["overridden_by"], found["override_role"], found["override_reason"]) == (
        "tests", "director", "safe",
    )  # fmt: skip
    await rows.tell(like(ReadSetInvalidated, sample_id=SAMPLE, read_set_id="L1.FC.1"))
    assert (await told(rows))["is_void"]
    before = await qc.qc_of(rows.connection, SAMPLE, 1, at=then)
    assert before is not None
    assert not before["is_void"]
    assert await qc.count_qc(rows.connection, is_void=False) == {}
    assert await qc.count_qc(rows.connection, is_void=False, at=then) == {"QC overridden": 1}
    assert await qc.metrics_of(rows.connection, before["verdict_id"], at=then)


async def test_another_verdict_of_a_round_has_metrics_of_its_own(rows: Rows) -> None:
    await rows.tell(failed(), heard(passed(), MOMENT + timedelta(hours=1)))
    found = await told(rows)
    assert (found["state"], found["reason"]) == ("QC passed", None)
    [metric] = await qc.metrics_of(rows.connection, found["verdict_id"])
    assert metric["verdict"] == "pass"


async def test_qc_of_a_run_stands_with_the_run_alone(rows: Rows) -> None:
    await rows.tell(qc_facts.run_passed(None), qc_facts.run_failed(SAMPLE))
    await rows.tell(qc_facts.run_failed(None, 2))
    found = await qc.list_run_qc(rows.connection)
    assert [(one["instrument_run_id"], one["round"], one["state"]) for one in found] == [
        (qc_facts.RUN, 1, "QC passed"), (qc_facts.RUN, 2, "QC failed"),
    ]  # fmt: skip
    assert found[1]["reason"] == "most of it belongs to nobody"
    [metric] = await qc.metrics_of(rows.connection, found[1]["verdict_id"])
    assert metric["subject"] == qc_facts.RUN
    [last] = await qc.list_run_qc(rows.connection, state="QC failed", after=[qc_facts.RUN, 1])
    assert last["round"] == 2
    assert await qc.list_qc(rows.connection) == []


@pytest.mark.parametrize("seed", range(4))
async def test_every_history_gives_the_states_that_people_are_told(rows: Rows, seed: int) -> None:
    events = histories(READERS, seed)
    await are_equal_in_pieces(rows, events, seed)
    number = 0
    for key in dict.fromkeys(event.key for event in events):
        sample = asking.sample_of(key, [event for event in events if event.key == key])
        newest = sample.judged
        if newest is None:
            continue
        number += 1
        found = await qc.qc_of(rows.connection, key, newest.round)
        assert found is not None
        overridden = sample.overridden and sample.overridden.overridden_event_id
        is_let = overridden == newest.envelope.event_id
        words = {QcPassed: "QC passed", QcFailed: "QC overridden" if is_let else "QC failed"}
        assert found["state"] == words.get(type(newest), "in QC")
        assert (
            found["since"]
            == (sample.overridden if is_let and sample.overridden else newest).envelope.occurred_at
        )
    assert number
    assert not await rows.set_aside()


async def test_pages_and_filters(rows: Rows) -> None:
    for number in range(1, 8):
        await rows.tell(requested(number), *([passed(round=number)] if number % 2 else []))
    seen = await all_pages(qc.list_qc, rows.connection, qc.ORDER, 3)
    assert sorted(one["round"] for one in seen) == list(range(1, 8))
    ask: Any = {"connection": rows.connection}
    assert await qc.count_qc(**ask) == {"QC passed": 4, "in QC": 3}
    assert await qc.count_qc(**ask, profile="strict") == {"QC passed": 4}
    assert len(await qc.list_qc(**ask, state="in QC", sample_id=SAMPLE)) == 3
    assert await qc.list_qc(**ask, sample_id="nobody") == []
