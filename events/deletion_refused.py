"""Files that a rule would have deleted are kept."""

from __future__ import annotations

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from genoflow.events.deletion_proposed import PROPOSED_FILES_MAX
from genoflow.events.event import About
from genoflow.events.on_subject import OnSubject
from genoflow.events.stored_version import StoredVersion
from genoflow.events.types import Choices, Name, Reason, Utc

HELD, UNDER_WAY, TOO_EARLY, UNKNOWN = "held", "under way", "too early", "unknown"
LOCKED, CHANGED, FETCHED = "locked", "changed", "fetched"
Why = Annotated[str, Choices(HELD, UNDER_WAY, TOO_EARLY, UNKNOWN, LOCKED, CHANGED, FETCHED)]


class DeletionRefused(OnSubject):
    """FileDeleted is the positive twin. Where the store holds a lock, this is all that is done."""

    about: ClassVar[About] = About(
        topics=(),
        key="subject_key",
        version="1.0",
        discriminator=("proposal_event_id", "reason_code"),
        terminal=True,
    )

    proposal_event_id: UUID = Field(description="the proposal")
    rule: Name = Field(description="the rule that was due")
    reason_code: Why = Field(
        description="a hold, an open run, a rule not due, no such file, a lock, another object, or "
        "a link in use"
    )
    reason: Reason = Field(description="why, for people")
    files: tuple[StoredVersion, ...] = Field(
        min_length=1, max_length=PROPOSED_FILES_MAX, description="what is kept"
    )
    kept_until: Utc | None = Field(
        None, description="when it is asked again; none where something has to change before"
    )
