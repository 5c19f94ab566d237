"""Rows of alerts: raised, told, taken up and ended, each once, and the same as the log tells."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from genoflow.deploy.subject import LogSubjects
from genoflow.events import topics
from genoflow.events.alert_resolved import PERSON
from genoflow.events.event import Event
from genoflow.events.repair_tried import BROUGHT, NOTHING_NEW, RepairTried
from genoflow.processors.escalate_alerts import ESCALATE_ALERTS
from genoflow.projections import alerts
from tests.alert_facts import ALERT, MINUTE, acknowledged, alert_id, raised, resolved, told
from tests.integration.rows import (
    Rows,
    all_pages,
    are_equal_in_pieces,
    histories,
    rows_of,
    uses_of,
)
from tests.partition import MOMENT, Partition
from tests.spec import heard

SEEDS = range(2)
COLUMNS = {*alerts.AlertRow.__slots__}


@pytest.fixture
async def rows(postgres_url: str) -> AsyncIterator[Rows]:
    async with rows_of(postgres_url, alerts.Alerts()) as opened:
        yield opened


def test_the_flow_tells_what_it_reads() -> None:
    assert uses_of(alerts.Alerts()) == set(alerts.USES)


def whole(*events: Event) -> list[Event]:
    """The same, and what the row of the flow says to them."""
    partition = Partition(ESCALATE_ALERTS)
    partition.put(*events)
    partition.work()
    return [*events, *partition.said]


async def test_an_alert_is_told_from_its_beginning_to_its_end(rows: Rows) -> None:
    await rows.tell(raised())
    found = await alerts.alert_of(rows.connection, ALERT)
    assert found is not None
    assert (found["state"], found["step"], found["steps"]) == ("raised", 0, 3)
    assert found["figures"] == [{"name": "waited", "value": 2520.0, "unit": "s", "limit": 1260.0}]
    await rows.tell(heard(told(1), MOMENT), heard(told(2, 900), MOMENT + 15 * MINUTE))
    found = await alerts.alert_of(rows.connection, ALERT)
    assert found is not None
    assert (found["step"], found["told_at"]) == (2, MOMENT + 15 * MINUTE)
    await rows.tell(heard(acknowledged(), MOMENT + 20 * MINUTE))
    found = await alerts.alert_of(rows.connection, ALERT)
    assert found is not None
    assert (found["state"], found["since"]) == ("acknowledged", MOMENT + 20 * MINUTE)
    assert (found["acknowledged_by"], found["acknowledged_because"]) == (
        "tests", "the store is slow",
    )  # fmt: skip
    await rows.tell(heard(resolved(), MOMENT + 30 * MINUTE))
    found = await alerts.alert_of(rows.connection, ALERT)
    assert found is not None
    assert (found["state"], found["manner"]) == ("resolved", "over")
    assert found["resolved_because"] == "S-1 was validated"
    assert found["acknowledged_at"] == MOMENT + 20 * MINUTE


async def test_what_was_tried_to_have_what_is_lacking_is_told(rows: Rows) -> None:
    said = {
        "alert_id": ALERT, "tries_max": 4, "stage": "land", "subject_topic": topics.SAMPLE.name,
        "subject_key": "S-1", "porch": "store-notifications", "place": "s3://raw/",
    }  # fmt: skip
    first = RepairTried(**said, number=1, outcome=NOTHING_NEW, reason="nothing is there")
    second = RepairTried(**said, number=2, outcome=BROUGHT, facts=2, reason="it was told")
    await rows.tell(
        heard(first, MOMENT), raised(stage="land", item="RS1 R1", owed_by="store-notifications"),
        heard(first, MOMENT + MINUTE), heard(second, MOMENT + 11 * MINUTE),
        heard(first, MOMENT + 12 * MINUTE),
    )  # fmt: skip
    found = await alerts.alert_of(rows.connection, ALERT)
    assert found is not None
    assert (found["stage"], found["item"], found["owed_by"]) == (
        "land", "RS1 R1", "store-notifications",
    )  # fmt: skip
    assert (found["tries"], found["tried_at"], found["repaired"]) == (2, MOMENT + 11 * MINUTE, 2)
    assert (found["repair_outcome"], found["repair_reason"]) == (BROUGHT, "it was told")
    assert found["state"] == "raised", "it is over when the wait is"


async def test_the_first_word_counts(rows: Rows) -> None:
    await rows.tell(raised(), heard(resolved(), MOMENT + MINUTE))
    before = await alerts.alert_of(rows.connection, ALERT)
    later = heard(resolved(manner=PERSON), MOMENT + 2 * MINUTE)
    other = later.envelope.model_copy(update={"event_id": alert_id(77)})  # as a decider says it
    await rows.tell(later.enveloped(other), heard(acknowledged(), MOMENT + 3 * MINUTE))
    assert await alerts.alert_of(rows.connection, ALERT) == before


async def test_alerts_are_found_by_what_is_asked_for(rows: Rows) -> None:
    facts: list[Event] = [
        raised(number, MOMENT + number * MINUTE, subject_key=f"S-{number % 3}",
               severity=("info", "critical")[number % 2])
        for number in range(1, 8)
    ]  # fmt: skip
    part = raised(8, MOMENT + timedelta(hours=1), part_of=alert_id(1), rule="failing", kind="rate")
    await rows.tell(*facts, part, heard(acknowledged(2)), heard(resolved(3)))

    async def numbers(**filters: object) -> list[int]:
        found = await alerts.list_alerts(rows.connection, **filters)  # type: ignore[arg-type]
        return [next(n for n in range(9) if alert_id(n) == one["alert_id"]) for one in found]

    assert await numbers() == [8, 7, 6, 5, 4, 3, 2, 1]
    assert await numbers(state="acknowledged") == [2]
    assert await numbers(state="resolved") == [3]
    assert await numbers(severity="critical") == [7, 5, 3, 1]
    assert await numbers(subject="S-1", state="raised") == [8, 7, 4, 1]
    assert await numbers(rule="failing") == await numbers(kind="rate") == [8]
    assert await numbers(part_of=alert_id(1)) == [8]
    assert await numbers(rule="' or 1 = 1") == []
    every = await alerts.list_alerts(rows.connection)
    paged = await all_pages(alerts.list_alerts, rows.connection, alerts.ORDER, 3)
    assert paged == every


async def test_rows_tell_what_the_log_tells(rows: Rows) -> None:
    for seed in SEEDS:
        await rows.tell(*whole(*histories(("escalate-alerts",), seed)))
    events = LogSubjects(rows.log).every(topics.ALERT)
    log = await alerts.alerts_told(events)
    found = [
        {name: value for name, value in row.items() if name in COLUMNS}
        for row in await alerts.list_alerts(rows.connection)
    ]
    assert found == log
    assert log
    assert await rows.set_aside() == []


@pytest.mark.parametrize("seed", SEEDS)
async def test_they_are_the_same_however_they_grow(rows: Rows, seed: int) -> None:
    await are_equal_in_pieces(rows, whole(*histories(("escalate-alerts",), seed)), seed)


async def test_rows_are_told_as_they_were(rows: Rows) -> None:
    then = await rows.tell(raised())
    before = await alerts.list_alerts(rows.connection)
    await rows.tell(heard(acknowledged()))
    assert await alerts.list_alerts(rows.connection, at=then) == before
    assert await alerts.list_alerts(rows.connection) != before
