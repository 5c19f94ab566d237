"""What read models fold of files, samples and runs of instruments, beside what people are told.

Both are asked after every event of seeded histories and of facts in any order: the same word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import pytest

from genoflow.events import topics
from genoflow.events.event import Event
from genoflow.events.topics import Topic
from genoflow.processors.flow import FLOW, PROCESSORS
from genoflow.processors.read_models import ReadModel
from genoflow.projections import file_state, sample_state, sequencing_runs
from genoflow.projections.asking import file as asked_file
from genoflow.projections.asking import sample as asked_sample
from genoflow.projections.asking import sequencing as asked_run
from genoflow.projections.asking.subject import Answer, fold
from tests.asked import told
from tests.histories import history
from tests.sample_stories import (
    ASSIGNED,
    GIVEN_UP_STORY,
    LOOSE,
    OF_THE_RUN,
    OF_THE_SAMPLE,
    shuffled,
)
from tests.spec import heard

SEEDS = 3  # of the history of every row that reads the topic
SHUFFLES = 150
OF_SAMPLES = [row.name for row in PROCESSORS.values() if row.reads is topics.SAMPLE]
OF_RUNS = [row.name for row in PROCESSORS.values() if row.reads is topics.SEQUENCING_RUN]
Story = tuple[str, list[Event]]


@cache
def stories(topic: Topic) -> list[Story]:
    """What may be heard of subjects."""
    rows, facts = OF_SAMPLES, OF_THE_SAMPLE
    if topic is topics.SEQUENCING_RUN:
        rows, facts = OF_RUNS, OF_THE_RUN
    found: list[Story] = []
    for name in rows:
        for seed in range(SEEDS):
            by_key: dict[str, list[Event]] = {}
            for event in history(PROCESSORS[name], seed):
                by_key.setdefault(event.key, []).append(event)
            found += by_key.items()
    for seed in range(SHUFFLES):
        events = shuffled(facts, seed)
        found.append((events[0].key, events))
    if topic is topics.SAMPLE:
        found += [(LOOSE.key, [heard(LOOSE), heard(ASSIGNED)]), ("S7", told(*GIVEN_UP_STORY))]
    return found


def waits(answers: Iterable[Answer]) -> bool:
    """Whether people are told that it waits for something."""
    return any(one.is_waiting for one in answers)


def test_a_sample_is_where_people_are_told_that_it_is() -> None:
    met = set()
    for key, events in stories(topics.SAMPLE):
        if key.startswith("unassigned/"):
            continue
        asked, ours = asked_sample.Sample(key), sample_state.Sample(key)
        for event in events:
            fold(asked, [event], asked_sample.USES)
            if type(event) not in sample_state.USES:
                continue
            ours.take(event)
            assert ours.state == asked_sample.word(asked), (key, event)
            wait = ours.wait.waits_for
            met.add((ours.state, wait))
            if not ours.is_elsewhere or ours.cases:
                assert (wait is not None) == waits(asked_sample.why(asked)), (key, event, wait)
    assert {state for state, _ in met} == {
        "relabelled", "QC overridden", "QC failed", "in QC", "case closed", "waits for order",
        "QC passed", "file rejected", "waits for reads", "files valid", "waits for files",
    }  # fmt: skip
    assert {wait for _, wait in met} == {
        None, "an order", "reads", "files", "validation", "a corrected file", "another try",
        "a person", "registration", "QC", "measurement", "a verdict", "a decision", "a top-up",
    }  # fmt: skip


def test_a_read_set_is_as_far_as_people_are_told() -> None:
    for key, events in stories(topics.SAMPLE):
        ours = sample_state.Sample(key)
        for event in (one for one in events if type(one) in sample_state.USES):
            ours.take(event)
        asked = asked_sample.facts(asked_sample.sample_of(key, events))
        assert [(one.name, one.state) for one in ours.read_sets.values()] == [
            (one["read_set"], one["state"]) for one in asked["read_sets"]
        ]


def test_a_file_is_as_people_are_told() -> None:
    met = set()
    for topic in (topics.SAMPLE, topics.SEQUENCING_RUN):
        for key, events in stories(topic):
            asked: asked_file.Files = {}
            ours: file_state.KnownFiles = {}
            for event in events:
                if type(event) in file_state.USES:
                    told = asked[asked_file.take(asked, topic, event)].row
                    found = file_state.take(ours, topic.name, event)
                    met.add(found.state)
                    assert found == told, (key, event)
    assert met == {
        "unassigned", "assigned", "landed", "valid", "rejected", "mismatched", "tried",
        "quarantined",
    }  # fmt: skip


def test_a_run_of_an_instrument_is_where_people_are_told_that_it_is() -> None:
    met = set()
    for key, events in stories(topics.SEQUENCING_RUN):
        asked, ours = asked_run.SequencingRun(key), sequencing_runs.SequencingRun(key)
        for event in events:
            fold(asked, [event], asked_run.USES)
            if type(event) not in sequencing_runs.USES:
                continue
            sequencing_runs.USES[type(event)](ours, event)
            assert sequencing_runs.word(ours) == asked_run.word(asked), (key, event)
            wait, reason = sequencing_runs.wait_of(ours)
            met.add((sequencing_runs.word(ours), wait))
            assert (wait is not None) == waits(asked_run.why(asked)), (key, event, reason)
    assert {state for state, _ in met} == {
        "failed", "waits for sheet", "waits for files", "waits for copy", "in demultiplexing",
        "demultiplexing failed", "demultiplexed",
    }  # fmt: skip
    assert {wait for _, wait in met} == {
        None, "a decision", "a mended sheet", "its sample sheet", "the instrument", "its copy",
        "demultiplexing",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "uses"),
    [
        ("files", file_state.USES),
        ("samples", sample_state.USES),
        ("sequencing-runs", sequencing_runs.USES),
    ],
)
def test_the_flow_says_what_a_read_model_uses(
    name: str, uses: dict[type[Event], Callable[..., Any]]
) -> None:
    [row] = [row for row in FLOW if isinstance(row, ReadModel) and row.name == name]
    assert set(row.on) == set(uses)
