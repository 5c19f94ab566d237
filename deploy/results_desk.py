"""What a person decides about results: those held are released, those published are withdrawn."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from genoflow.deploy.people import said_by
from genoflow.events.event import E, Event
from genoflow.events.results_published import ResultsPublished
from genoflow.events.results_retracted import ResultsRetracted
from genoflow.processors import run_rules as rules
from genoflow.processors.settling import Ruled


def released(
    run_id: str, story: Sequence[Event], *, person: str | None, at: datetime, **words: Any
) -> ResultsPublished:
    """The results of a run that is held, published all the same; Refused where it is not held."""
    return _said(story, rules.released(rules.run_of(story), run_id, **words), person, at)


def taken_back(
    run_id: str, story: Sequence[Event], *, person: str | None, at: datetime, **words: Any
) -> ResultsRetracted:
    """The end of published results, file by file; Refused where none of the run's are."""
    return _said(story, rules.taken_back(rules.run_of(story), run_id, **words), person, at)


def _said(story: Sequence[Event], ruled: Ruled[E], person: str | None, at: datetime) -> E:
    assert ruled.about is not None
    cause = next(one for one in story if one.envelope.event_id == ruled.about.event_id)
    return said_by(person, ruled.fact, at, cause)
