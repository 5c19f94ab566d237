"""The flow: what is emitted is read, nothing runs in a circle, and README shows the same table."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator

import pytest

from genoflow.events import topics
from genoflow.events.catalogue import EVENTS
from genoflow.events.deadline_passed import DeadlinePassed
from genoflow.events.deadline_set import DeadlineSet
from genoflow.events.event import Event
from genoflow.processors.flow import FLOW, PROCESSORS, Porch
from genoflow.processors.flow_chart import (
    around,
    edges,
    flow_table,
    graphviz,
    mermaid,
    nodes,
    reaches,
)
from genoflow.processors.processor import Processor
from genoflow.processors.read_models import ReadModel
from genoflow.projections.models import MODELS
from tests.tidy.source import text_of, tree_of

ROWS = pytest.mark.parametrize("row", PROCESSORS.values(), ids=lambda row: row.name)
# What a decider may import: the vocabulary, the words of a row, and what is pure.
MAY_IMPORT = ("genoflow.events.", "genoflow.processors.", "pydantic.")
MAY_NOT_IMPORT = ("genoflow.events.log", "genoflow.processors.adapters", "genoflow.processors.work")


def said_by(row: object) -> tuple[type[Event], ...]:
    if isinstance(row, Porch):
        return row.emits
    return row.said if isinstance(row, Processor) else ()


def test_the_readme_shows_the_flow_that_runs() -> None:
    assert flow_table() in text_of("README.md"), "paste `genoflow flow` into README.md"


def test_every_row_has_a_name_of_its_own() -> None:
    names = [row.name for row in FLOW]
    assert len(names) == len(set(names))


@ROWS
def test_a_name_can_be_part_of_a_topic_and_of_a_group(row: Processor) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9-]*", row.name)
    assert len(row.changelog.name) <= topics.TOPIC_NAME_CHARACTERS_MAX
    names = [effect.name for effect in row.effects]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z][a-z0-9-]*", name) for name in names)


def test_every_changelog_is_one_processors_alone() -> None:
    names = [row.changelog.name for row in PROCESSORS.values()]
    assert len(names) == len(set(names))
    assert not {*names} & {topic.name for topic in (*topics.TOPICS, *topics.INTERNAL)}


def test_every_event_of_the_flow_stands_in_the_catalogue() -> None:
    used = {event for row in FLOW for event in said_by(row)}
    used |= {event for row in FLOW if not isinstance(row, Porch) for event in row.on}
    used |= {event for row in PROCESSORS.values() for event in (*row.folds, *row.again)}
    assert used <= set(EVENTS)


def test_every_emitted_event_is_read_or_declared_terminal() -> None:
    unread = {
        f"{row.name}: {event.type()}"
        for row in FLOW
        for event in said_by(row)
        if not event.about.terminal and not any(reaches(row, event, other) for other in FLOW)
    }
    assert unread == set()


@ROWS
def test_what_a_processor_reads_can_stand_on_its_topic(row: Processor) -> None:
    read = (*row.on, *row.folds)
    assert [e.type() for e in read if e.about.topics and row.reads not in e.about.topics] == []
    assert len(read) == len(set(read))


@ROWS
def test_what_may_lead_back_is_something_that_it_says(row: Processor) -> None:
    assert set(row.again) <= set(row.said)


def consequences() -> dict[tuple[str, str], set[tuple[str, str]]]:
    """(who, what it says) -> what others say because of it, declared ways back left out."""
    return {
        (row.name, event.type()): {
            (reader.name, then.type())
            for reader in PROCESSORS.values()
            if event in reader.on and reaches(row, event, reader)
            for then in reader.said
            if then not in reader.again
        }
        for row in FLOW
        for event in said_by(row)
    }


def circles(after: dict[tuple[str, str], set[tuple[str, str]]]) -> Iterator[list[str]]:
    def walk(here: tuple[str, str], way: list[tuple[str, str]]) -> Iterator[list[str]]:
        if here in way:
            yield [f"{who}: {what}" for who, what in (*way[way.index(here) :], here)]
            return
        for following in sorted(after.get(here, ())):
            yield from walk(following, [*way, here])

    for first in sorted(after):
        yield from walk(first, [])


def test_nothing_runs_in_a_circle_but_what_is_declared_to_come_again() -> None:
    assert list(circles(consequences())) == []


def test_a_circle_would_be_found() -> None:
    after = consequences()
    after["clock-sample", "DeadlinePassed"].add(("watch-silence", "DeadlineSet"))
    assert any("watch-silence: DeadlineSet" in circle for circle in circles(after))


def test_every_topic_on_which_a_deadline_is_set_has_its_clock() -> None:
    needed = {row.reads for row in PROCESSORS.values() if DeadlineSet in row.said}
    clocks = {row.reads for row in PROCESSORS.values() if DeadlinePassed in row.said}
    assert needed
    assert needed <= clocks


@ROWS
def test_a_state_begins_with_its_defaults(row: Processor) -> None:
    required = [name for name, field in row.state.model_fields.items() if field.is_required()]
    assert required == [], f"{row.name}: a subject that nobody knows has no values for these"
    assert row.state() == row.state.model_validate_json(row.state().model_dump_json())


@ROWS
def test_a_decider_knows_no_client_and_no_neighbour(row: Processor) -> None:
    module = row.decide.__module__
    others = {other.decide.__module__ for other in PROCESSORS.values()} - {module}
    for node in ast.walk(tree_of(f"{module.removeprefix('genoflow.').replace('.', '/')}.py")):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for name in names:
            ours = f"{name}.".startswith(MAY_IMPORT) and not name.startswith(MAY_NOT_IMPORT)
            assert name not in others, f"{module} imports {name}: deciders meet on the log"
            assert ours or name.split(".")[0] in sys.stdlib_module_names, f"{module}: {name}"


def test_a_chart_shows_every_row_and_every_effect() -> None:
    rows = [node.name for node in nodes() if node.kind != "effect"]
    assert rows == [row.name for row in FLOW]
    effects = [f"{row.name}/{effect.name}" for row in PROCESSORS.values() for effect in row.effects]
    assert [node.name for node in nodes() if node.kind == "effect"] == effects
    opened = [edge.target for edge in edges() if not edge.events]
    assert opened == effects


VERDICTS = ("SequencingRunQcPassed", "SequencingRunQcFailed")
# Which edges may be gone along again, each with a bound that its rows state.
AGAIN = {
    ("abandon-uploads", "clock-sample"): ("DeadlineSet",),
    ("validate-files", "clock-sample"): ("DeadlineSet",),
    ("validate-files/validate", "validate-files"): (
        "ValidationAttemptFailed",
        "ScanRequested",
    ),
    ("validate-files/validate", "scan-files"): ("ScanRequested",),
    ("validate-files/validate", "restore-files"): ("ValidationAttemptFailed",),
    ("restore-files", "clock-sample"): ("DeadlineSet",),
    ("restore-files/restore", "restore-files"): ("FileRestoreAwaited", "FileRestored"),
    ("restore-files/restore", "validate-files"): ("FileRestored",),
    ("restore-files/restore", "tell-case"): ("FileRestored",),
    ("submit-run", "clock-run"): ("DeadlineSet",),
    ("submit-run/restore", "submit-run"): ("RunInputsAwaited", "RunInputsRestored"),
    # As often as attempts: a job that its launcher has may be moved, and not submitted.
    ("submit-run/launch", "submit-run"): ("RunSubmitted",),
    ("submit-run/launch", "settle-run"): ("RunSubmitted",),
    ("submit-run/launch", "sweep-run"): ("RunSubmitted",),
    ("submit-run/launch", "watch-runs"): ("RunSubmitted",),
    ("submit-run/launch", "charge-runs"): ("RunSubmitted",),
    ("watch-silence", "clock-sample"): ("DeadlineSet",),
    ("watch-runs", "clock-run"): ("DeadlineSet",),
    # Once for each step of a ladder, and once at its end.
    ("escalate-alerts", "clock-alert"): ("DeadlineSet", "DeadlineCancelled"),
    # Four tries for an alert, with a wait between two.
    ("repair-sources", "clock-alert"): ("DeadlineSet",),
    ("repair-sources/ask", "repair-sources"): ("RepairTried",),
    # To the keys of samples; the row itself reads those of runs, on the other topic.
    ("tell-samples/tell", "tell-samples"): VERDICTS,
    ("tell-samples/tell", "check-qc"): VERDICTS,
    ("tell-samples/tell", "relabel"): VERDICTS,
    ("tell-samples/tell", "plan-notifications-sequencing-run"): VERDICTS[1:],
    ("tell-samples/tell", "queue-notifications-sequencing-run"): VERDICTS[1:],
    # To the keys of other samples, once for each time that a person relabelled.
    ("relabel", "relabel"): ("ReadSetInvalidated", *VERDICTS),
    ("relabel", "check-qc"): ("ReadSetInvalidated", *VERDICTS),
    ("relabel", "measure-reads"): ("ReadSetInvalidated",),
    ("relabel", "analyze-qc"): ("ReadSetInvalidated",),
    ("relabel", "tell-case"): ("ReadSetInvalidated",),
    ("relabel", "tell-content"): ("ReadSetInvalidated",),
    ("relabel", "tell-claims"): ("ReadSetInvalidated",),
    ("relabel", "tell-samples"): VERDICTS,
    ("relabel", "plan-notifications-sequencing-run"): VERDICTS[1:],
    ("relabel", "queue-notifications-sequencing-run"): VERDICTS[1:],
    ("relabel/copy", "relabel"): ("FileLanded",),
    ("relabel/copy", "tell-claims"): ("FileLanded",),
    ("relabel/copy", "checksum-files"): ("FileLanded",),
    ("relabel/copy", "validate-files"): ("FileLanded",),
    ("relabel/copy", "watch-silence"): ("FileLanded",),
    ("relabel/copy", "measure-alignments"): ("FileLanded",),
    ("relabel/copy", "abandon-uploads"): ("FileLanded",),
    ("relabel/copy", "sweep-sample"): ("FileLanded",),
    ("relabel/copy", "sweep-sequencing-run"): ("FileLanded",),
    # As often as the request allows attempts.
    ("collect-results", "submit-run"): ("RunFailed",),
    ("collect-results", "settle-run"): ("RunFailed",),
    ("collect-results", "charge-runs"): ("RunFailed",),
    ("collect-results", "sweep-run"): ("RunFailed",),
    ("collect-results", "watch-runs"): ("RunFailed",),
    ("collect-results", "plan-notifications-run"): ("RunFailed",),
    ("collect-results", "queue-notifications-run"): ("RunFailed",),
    ("collect-results/read-manifest", "submit-run"): ("RunFailed",),
    ("collect-results/read-manifest", "settle-run"): ("RunFailed",),
    ("collect-results/read-manifest", "charge-runs"): ("RunFailed",),
    ("collect-results/read-manifest", "sweep-run"): ("RunFailed",),
    ("collect-results/read-manifest", "watch-runs"): ("RunFailed",),
    ("collect-results/read-manifest", "plan-notifications-run"): ("RunFailed",),
    ("collect-results/read-manifest", "queue-notifications-run"): ("RunFailed",),
    ("deliver", "deliver"): ("NotificationFailed",),
    ("deliver", "clock-notification"): ("DeadlineSet",),
    ("deliver/email", "deliver"): ("NotificationFailed",),
    ("deliver/webhook", "deliver"): ("NotificationFailed", "SubscriptionCancelled"),
    ("deliver/sns", "deliver"): ("NotificationFailed", "SubscriptionCancelled"),
    ("deliver/slack", "deliver"): ("NotificationFailed", "SubscriptionCancelled"),
}


def test_what_comes_again_is_dashed() -> None:
    assert {(edge.source, edge.target): edge.events for edge in edges() if edge.again} == AGAIN
    assert '-. "DeadlineSet" .->' in mermaid(nodes(), edges())
    assert graphviz(nodes(), edges()).count('style="dashed"') == len(AGAIN)


def test_names_are_quoted_in_charts() -> None:
    chart = graphviz(nodes(), edges())
    for line in chart.splitlines()[2:-1]:
        assert re.fullmatch(r'    "[^"]+"( -> "[^"]+")? \[[^"]*"[^"]*".*\];', line), line
    for line in mermaid(nodes(), edges()).splitlines()[1:]:
        assert re.fullmatch(
            r'    n\d+(?:[\[(/]+"[^"]+"[\])/]+| -->| -- "[^"]+" -->| -\. "[^"]+" \.->)(?: n\d+)?',
            line,
        ), line


def test_the_surroundings_of_a_row_are_those_that_it_touches() -> None:
    shown, joined = around("clock-sample")
    assert [node.name for node in shown] == [
        "abandon-uploads", "validate-files", "restore-files", "watch-silence", "clock-sample",
        "clock-sample/deadline", "audit-trail",
    ]  # fmt: skip
    assert all("clock-sample" in edge.source + edge.target for edge in joined)


def test_read_models_read_what_is_in_the_catalogue() -> None:
    assert all(set(row.on) <= set(EVENTS) for row in FLOW if isinstance(row, ReadModel))


def test_the_flow_names_the_read_models_that_there_are() -> None:
    named = {row.name: row.about for row in FLOW if isinstance(row, ReadModel)}
    assert named == {model.name: model.about for model in MODELS}
