"""The flow: what is emitted is read, nothing runs in a circle, and README shows the same table."""

from __future__ import annotations

from genoflow.events.catalogue import EVENTS
from genoflow.processors.flow import FLOW, Porch, ReadModel, flow_table
from tests.tidy.source import text_of


def test_the_readme_shows_the_flow_that_runs() -> None:
    assert flow_table() in text_of("README.md"), "paste flow_table() into README.md"


def test_every_row_has_a_name_of_its_own() -> None:
    names = [row.name for row in FLOW]
    assert len(names) == len(set(names))


def test_every_event_of_the_flow_stands_in_the_catalogue() -> None:
    used = {event for row in FLOW for event in (row.emits if isinstance(row, Porch) else row.on)}
    assert used <= set(EVENTS)


def test_every_emitted_event_is_read_or_declared_terminal() -> None:
    emitted = {event for row in FLOW if isinstance(row, Porch) for event in row.emits}
    read = {event for row in FLOW if isinstance(row, ReadModel) for event in row.on}
    assert {event.__name__ for event in emitted - read if not event.about.terminal} == set()


def test_nothing_runs_in_a_circle() -> None:
    # Porches answer to the outside world and read models answer to nobody: no edge closes a loop
    # until a processor stands in the table, and then it has to be looked at here.
    assert {type(row) for row in FLOW} <= {Porch, ReadModel}
