"""Facts that a person states at the command line."""

from __future__ import annotations

import os
import pwd
from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import version

from pydantic import ValidationError

from genoflow.api.desks import Says
from genoflow.events.envelope import Actor, Producer
from genoflow.events.errors import Refused
from genoflow.events.event import E, Event, begin, explain
from genoflow.events.log.port import EventLog
from genoflow.processors.intake.privacy import PrivacyGuard


def os_user() -> str:
    """The account that runs this process."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid-{os.getuid()}"


def said_by(
    person: str | None,
    fact: E,
    at: datetime,
    because: Event | None = None,
    *,
    option: str = "--as",
) -> E:
    """The fact as this person states it, the account that runs this where nobody is named."""
    cause = because.envelope if because else None
    try:
        return begin(
            fact,
            occurred_at=at,
            actor=Actor(kind="person", id=person or os_user()),
            by=Producer(service="genoflow-cli", version=version("genoflow")),
            correlation_id=cause.correlation_id if cause else None,
            causation_id=cause.event_id if cause else None,
        )
    except ValidationError as error:
        raise Refused(explain(option, error)) from error


def saying(person: str | None, at: datetime, option: str = "--as") -> Says:
    """How this person states facts at this time."""

    def says(fact: E, because: Event | None = None) -> E:
        return said_by(person, fact, at, because, option=option)

    return says


async def append_said(
    log: EventLog, fact: Event, person_patterns: Sequence[str], *, dry_run: bool
) -> str:
    """Append what a person states, unless it identifies somebody, and say where it stands."""
    PrivacyGuard(person_patterns).check(fact)
    return "nothing was appended" if dry_run else str(await log.append(fact))


async def append_together(
    log: EventLog, facts: Sequence[Event], person_patterns: Sequence[str], *, dry_run: bool
) -> None:
    """Append all that a person states at once, or none of it."""
    guard = PrivacyGuard(person_patterns)
    for fact in facts:
        guard.check(fact)
    if facts and not dry_run:
        await log.append_atomically(facts)
