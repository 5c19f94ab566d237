"""The processor in CONTRIBUTING is taken from the page and decides."""

from __future__ import annotations

import re

from genoflow.events.deadline_set import DeadlineSet
from genoflow.events.read_set_registered import ReadSetRegistered
from genoflow.processors.processor import Processor
from tests.examples import example
from tests.tidy.source import text_of


def test_the_processor_in_contributing_decides() -> None:
    [block] = re.findall(
        r"<!-- executed by tests/unit/test_contributing.py -->\n```python\n(.*?)```",
        text_of("CONTRIBUTING.md"),
        re.DOTALL,
    )
    room: dict[str, object] = {"__name__": "await_files"}
    exec(compile(block, "CONTRIBUTING.md", "exec"), room)  # the page is the program
    row = room["AWAIT_FILES"]
    assert isinstance(row, Processor)
    event = example(ReadSetRegistered, 1)
    state = row.state()
    [wait] = row.decide(state, event).events
    assert isinstance(wait, DeadlineSet)
    assert (wait.key, wait.deadline) == (event.sample_id, event.read_set_id)
    assert row.decide(row.evolve(state, event), event).events == ()
