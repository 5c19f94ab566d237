"""What `genoflow top` shows of facts that were folded: pure, as text, and as a document."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from rich.cells import cell_len

from genoflow.deploy.top.show import Seen, show
from genoflow.deploy.top.shown import Shown, StuckShown
from genoflow.deploy.top.tables import matching, sections
from genoflow.deploy.top.words import hint_of, short, tower_line, why
from genoflow.deploy.worker_status import LostEnd, Standing, WorkerStatus
from genoflow.events import topics
from genoflow.events.alert_resolved import AlertResolved
from genoflow.events.event import Event
from genoflow.processors.watchtower.fold import Tower
from genoflow.processors.watchtower.kept import Key, Subject, Wait
from tests.alert_facts import ALERT, acknowledged, alert_id, raised, resolved
from tests.partition import MOMENT
from tests.spec import heard
from tests.top_lab import (
    MINUTE,
    NOBODY,
    NOW,
    SLOW,
    at_work,
    busy,
    partition_of,
    printed,
    rows_of,
    seen,
    slow_runs,
    succeeds,
    task,
)
from tests.tower_histories import recount
from tests.tower_rules import LATE, rules


def run_id(number: int) -> str:
    """The run of this number among the slow ones."""
    return str(UUID(int=800 + number, version=4))


async def stuck(*seconds: int) -> tuple[StuckShown, ...]:
    """What is stuck of runs that go on for so long."""
    return show(seen(await slow_runs(*seconds)), NOW).stuck


# -- what is stuck


async def test_a_wait_beyond_what_was_learned_is_stuck_and_says_what_it_waits_for() -> None:
    [row] = await stuck(2_100, 1_900)
    assert (row.subject, row.stage, row.topic) == (run_id(0), "run", topics.RUN.name)
    assert row.waited_seconds == 2_100
    assert row.limit_seconds == pytest.approx(2_000, rel=0.02)
    assert row.beyond == pytest.approx(1.05, abs=0.03)
    assert (row.rule, row.expected, row.owed_by) == ("late-run", ("RunSucceeded",), "settle-run")
    assert (row.last_type, row.last_at) == ("RunStarted", NOW - timedelta(seconds=2_100))
    assert row.about == {"project": "P0", "assay": "wgs", "pipeline": "germline"}
    assert why(row) == (
        "waits for RunSucceeded (1) of settle-run; RunStarted was seen last, 03-01 08:00; "
        "no alert is open"
    )


async def test_what_is_furthest_beyond_its_limit_stands_first() -> None:
    assert [row.subject for row in await stuck(2_040, 2_090, 2_060)] == [
        run_id(1), run_id(2), run_id(0),
    ]  # fmt: skip


async def test_the_alert_of_a_wait_is_named_and_the_end_takes_both_away() -> None:
    trial = await slow_runs(2_100)
    await trial.look(NOW)
    [row] = show(seen(trial), NOW).stuck
    [alert] = show(seen(trial), NOW).alerts
    assert row.alerts == (alert.alert_id,)
    assert (alert.subject_key, alert.about["project"]) == (run_id(0), "P0")
    await succeeds(trial, 0, NOW + MINUTE)
    after = show(seen(trial), NOW + MINUTE)
    assert (after.stuck, after.alerts, after.stuck_total, after.alerts_total) == ((), (), 0, 0)


async def test_without_a_rule_twice_what_is_usual_is_the_limit() -> None:
    trial = await slow_runs(2_090, 1_950)
    [row] = show(seen(trial, rules=()), NOW).stuck
    assert (row.subject, row.rule) == (run_id(0), None)
    assert row.limit_seconds == pytest.approx(2_000, rel=0.03)
    assert why(row).endswith("no rule is about it")


def waits_alone() -> Tower:
    """A tower that knows one wait, a minute old, and has learned nothing."""
    tower, subject = Tower(), Subject()
    subject.waits["run", "1"] = Wait(NOW.timestamp() - 60, "", "RunStarted")
    tower.restore(Key("subject", topics.RUN.name, 0, "R"), subject)
    return tower


def test_without_a_history_the_ceiling_counts_and_without_a_rule_nothing_does() -> None:
    ruled = Seen(waits_alone(), NOBODY, rules=[rules(LATE)])
    assert show(ruled, NOW).stuck == ()
    [row] = show(ruled, NOW + timedelta(days=1)).stuck
    assert row.limit_seconds == 86_400
    assert show(Seen(waits_alone(), NOBODY), NOW + timedelta(days=365)).stuck == ()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "of settle-run; RunStarted"),
        ({"worker": None}, "of settle-run: nobody works on it; RunStarted"),
        ({"lag": 1_200}, "of settle-run, which is 1,200 records behind; RunStarted"),
        ({"parked_keys": 2}, "of settle-run, which has 2 parked; RunStarted"),
    ],
)
async def test_what_is_the_matter_with_whoever_owes_it_is_said(
    fields: dict[str, Any], words: str
) -> None:
    trial = await slow_runs(2_100)
    here = partition_of(trial, run_id(0))
    tasks = (
        task("settle-run", topics.RUN.name, here, **fields),
        task("settle-run", topics.RUN.name, 1 - here, lag=7, worker=None),
    )
    [row] = show(seen(trial, standing=Standing((), tasks)), NOW).stuck
    assert words in why(row)


# -- stages


async def test_stages_count_the_last_hour_as_a_plain_loop_does() -> None:
    trial, found = await busy()
    shown = show(found, NOW)
    expected: Counter[tuple[str, str]] = Counter()
    recounted = recount(await trial.records())
    for (size, _, _, stage, what), number in recounted.counts.items():
        if size == "minute":
            expected[stage, what] += number
    told = {
        (one.stage, what): number
        for one in shown.stages
        for what in ("began", "ended", "failed", "retried")
        if (number := getattr(one, what))
    }
    assert told == expected
    run = next(one for one in shown.stages if one.stage == "run")
    lengths = [
        seconds
        for (size, _, name, stage), some in recounted.seconds.items()
        if (size, name, stage) == ("hour", "all", "run")
        for seconds in some
    ]
    assert run.p50_seconds == pytest.approx(sorted(lengths)[(len(lengths) - 1) // 2], rel=0.011)
    assert (run.stuck, run.oldest_since) == (1, NOW - 33 * MINUTE)
    assert run.waiting == expected["run", "began"] - len(lengths)


async def test_the_rate_is_of_five_whole_minutes() -> None:
    trial, found = await busy()
    now = NOW + timedelta(seconds=30)  # the minute that has begun is not whole
    counts = recount(await trial.records()).counts
    over: Counter[str] = Counter()
    for (size, begins, _, stage, what), number in counts.items():
        is_recent = now.timestamp() - 330 <= begins < now.timestamp() - 30
        if size == "minute" and is_recent and what in ("ended", "failed"):
            over[stage] += number
    told = {one.stage: one.per_minute for one in show(found, now).stages if one.per_minute}
    assert told == {stage: number / 5 for stage, number in over.items()}
    assert told["run"] > 0


async def test_two_hours_later_nothing_counts_but_how_long_it_took() -> None:
    _, found = await busy()
    later = show(found, NOW + timedelta(hours=2)).stages
    assert {(one.began, one.ended, one.failed, one.retried) for one in later} == {(0, 0, 0, 0)}
    assert next(one for one in later if one.stage == "run").p50_seconds is not None


# -- the tower


async def test_it_is_said_how_far_the_tower_can_be_believed() -> None:
    trial = await slow_runs(2_100)
    silent = show(seen(trial), NOW + MINUTE)
    assert silent.tower.state == "silent"
    assert "says nothing of what is late; is `genoflow tower` running?" in tower_line(silent)
    await trial.look(NOW)
    shown = show(seen(trial), NOW)
    assert shown.tower.state == "current"
    assert tower_line(shown) == "the tower has counted everything, through 03-01 08:17:09 (18m ago)"
    behind = show(seen(trial, ends_at=NOW - timedelta(seconds=20)), NOW)
    assert tower_line(behind).startswith("the tower is 20s behind; it has counted through")
    stale = show(seen(trial, ends_at=NOW - 12 * MINUTE), NOW)
    assert tower_line(stale) == "the tower's table ends 12m ago; is `genoflow tower` running?"
    empty = show(Seen(Tower(), NOBODY), NOW)
    assert tower_line(empty) == "the tower has counted nothing yet; is `genoflow tower` running?"


# -- alerts


def alerts_of(*events: Event) -> list[tuple[str, str, int]]:
    """Severity, state and parts of the alerts that are shown."""
    shown = show(Seen(Tower(), NOBODY, alerts=rows_of(events)), MOMENT + MINUTE)
    assert shown.alerts_total == len(shown.alerts)
    return [(one.severity, one.state, one.parts) for one in shown.alerts]


def test_alerts_stand_by_severity_then_open_ones_first_then_the_newest() -> None:
    later = raised(5, MOMENT + timedelta(seconds=30))
    events = [raised(1), raised(2, severity="critical"), later, heard(acknowledged(1), MOMENT)]
    assert alerts_of(*events) == [
        ("critical", "raised", 0), ("warning", "raised", 0), ("warning", "acknowledged", 0),
    ]  # fmt: skip
    shown = show(Seen(Tower(), NOBODY, alerts=rows_of([raised(1), later])), MOMENT + MINUTE)
    assert [(one.alert_id, one.age_seconds) for one in shown.alerts] == [
        (alert_id(5), 30), (ALERT, 60),
    ]  # fmt: skip


def test_a_lead_counts_the_parts_that_are_open_and_what_is_over_is_gone() -> None:
    events: list[Event] = [raised(1), raised(2, part_of=ALERT), raised(3, part_of=ALERT)]
    assert sorted(alerts_of(*events)) == [
        ("warning", "raised", 0), ("warning", "raised", 0), ("warning", "raised", 2),
    ]  # fmt: skip
    over = AlertResolved(**resolved(2).model_dump(exclude={"envelope"}))
    assert sorted(alerts_of(*events, heard(over, MOMENT))) == [
        ("warning", "raised", 0), ("warning", "raised", 1),
    ]  # fmt: skip


# -- who works


def test_processors_are_added_up_over_their_partitions_and_workers_over_their_tasks() -> None:
    shown = show(Seen(Tower(), at_work(lag=3, parked_effects=1)), NOW)
    first, second, third = shown.processors
    assert (first.processor, first.partitions, first.lag, first.parked_effects) == (
        "validate-files", 2, 6, 2,
    )  # fmt: skip
    assert (first.per_second, first.open_effects, first.workers, first.unowned) == (3.0, 4, 1, 0)
    assert second.lag == 0
    assert (third.unowned, third.lag, third.per_second) == (1, 12, 0.0)
    [worker] = shown.workers
    assert (worker.processors, worker.partitions, worker.up_seconds) == (3, 5, 26 * 3_600)
    assert worker.doing == ("validate-file of S3",)


def test_an_input_that_nobody_can_read_on_is_shown() -> None:
    lost = LostEnd(topics.RUN.name, 1, 42, 17, NOW)
    text = printed(show(Seen(Tower(), Standing((), (), (lost,))), NOW))
    assert "gf.run.v1[1]" in text
    assert "docs/reliability.md" in text


# -- as text and as a document


async def test_the_text_fits_eighty_columns_and_names_every_section() -> None:
    _, found = await busy()
    shown = show(found, NOW)
    text = printed(shown)
    assert max(cell_len(line) for line in text.splitlines()) <= 80
    for section in sections(shown):
        assert section.title in text
    assert str(SLOW) in text
    assert "stuck" in printed(shown, 140)


def test_names_of_any_length_and_kind_fit_and_cannot_steer_a_terminal() -> None:
    worker = WorkerStatus("研究所" * 40 + "\x1b[2J", "1", 30.0, 0, ())
    tower = waits_alone()
    [key] = tower.values
    tower.restore(key._replace(rest="S" * 200 + "\x07"), tower.values.pop(key))
    found = Seen(tower, Standing((worker,), ()), rules=[rules(LATE)])
    text = printed(show(found, NOW + timedelta(days=2)))
    assert max(cell_len(line) for line in text.splitlines()) <= 80
    assert not {"\x1b", "\x07"} & set(text)


def test_an_empty_lab_says_what_is_not_there() -> None:
    text = printed(show(Seen(Tower(), NOBODY), NOW))
    for words in ("nothing is stuck", "no alert", "`genoflow work` starts one", "0 stuck"):
        assert words in text


async def test_the_document_is_read_back_as_it_was() -> None:
    _, found = await busy()
    shown = show(found, NOW)
    written = shown.model_dump_json()
    assert Shown.model_validate_json(written) == shown
    assert json.loads(written)["format"] == 1


async def test_more_than_a_screen_of_rows_is_counted_and_not_listed() -> None:
    tower = waits_alone()
    [key] = tower.values
    for number in range(700):
        tower.restore(key._replace(rest=f"R{number}"), tower.values[key])
    shown = show(Seen(tower, NOBODY, rules=[rules(LATE)]), NOW + timedelta(days=2))
    assert (len(shown.stuck), shown.stuck_total) == (500, 701)
    text = printed(shown)
    assert "and 480 more" in text
    assert "and 201 more" in text


# -- looking for something


@pytest.mark.parametrize(
    ("text", "subjects"),
    [("p1", [1]), ("GERMLINE", [0, 1]), (f" {run_id(0)} ", [0]), ("late-run", [0, 1]), ("x", [])],
)
async def test_a_text_leaves_the_rows_that_hold_it(text: str, subjects: list[int]) -> None:
    trial = await slow_runs(2_100, 2_090)
    await trial.look(NOW)
    shown = show(seen(trial), NOW)
    found = matching(shown, text)
    assert [one.subject for one in found.stuck] == [run_id(number) for number in subjects]
    assert {one.subject_key for one in found.alerts} == {run_id(number) for number in subjects}
    assert found.stuck_total == 2
    assert matching(shown, " ") == shown


# -- words


def test_lengths_of_time_take_six_characters() -> None:
    said = [short(seconds) for seconds in (None, 0.44, 42, 720, 12_240, 4e5, 8.64e8)]
    assert said == ["-", "0.4s", "42s", "12m", "3.4h", "4.6d", "10,000.0d"]


async def test_each_row_names_the_command_that_tells_more() -> None:
    trial = await slow_runs(2_100)
    await trial.look(NOW)
    shown = show(seen(trial, standing=at_work(parked_keys=1)), NOW)
    assert hint_of(shown.stuck[0]) == f"genoflow run why {run_id(0)} says more"
    other = shown.stuck[0].model_copy(update={"topic": topics.NOTIFICATION.name})
    assert hint_of(other) == f"genoflow timeline {run_id(0)} says more"
    assert str(shown.alerts[0].alert_id) in hint_of(shown.alerts[0])
    assert "genoflow parked list" in hint_of(shown.processors[0])
    assert hint_of(shown.workers[0]) == ""
