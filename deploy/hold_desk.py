"""What a person says of legal holds, held against what the log says of the sample.

A hold contradicts nothing, so it is appended as it is said. What is under way when it comes is
decided by the order of the sample; and each deletion looks for holds once more before it is done.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import uuid5

from genoflow.api.desks import Append, Decided
from genoflow.deploy.subject import LogSubjects, story_of
from genoflow.events.errors import NotThere
from genoflow.events.event import Event
from genoflow.events.identity import external_id
from genoflow.events.legal_hold_placed import LegalHoldPlaced
from genoflow.events.legal_hold_released import LegalHoldReleased
from genoflow.events.log.port import EventLog
from genoflow.events.subjects import Subjects

Hold = LegalHoldPlaced | LegalHoldReleased


def holds_of(story: Sequence[Event]) -> dict[str, LegalHoldPlaced]:
    """The holds that stand, by their names, in the order in which they were placed."""
    standing: dict[str, LegalHoldPlaced] = {}
    for event in story:
        if isinstance(event, LegalHoldPlaced):
            standing.setdefault(event.hold_id, event)
        elif isinstance(event, LegalHoldReleased):
            standing.pop(event.hold_id, None)
    return standing


async def placed(
    subjects: Subjects, sample_id: str, hold_id: str, decided: Decided
) -> tuple[Hold, bool]:
    """The hold, and whether it is new; NotThere where nothing is known of the sample."""
    story = await story_of(subjects, sample_id)
    standing = holds_of(story).get(hold_id)
    before = _before(story, LegalHoldPlaced, decided) or standing
    if before is not None:
        return before, False
    return _fact(LegalHoldPlaced, sample_id, hold_id, decided, len(story)), True


async def released(
    subjects: Subjects, sample_id: str, hold_id: str, decided: Decided
) -> tuple[Hold, bool]:
    """The release, and whether it is new; NotThere where no such hold stands."""
    story = await story_of(subjects, sample_id)
    before = _before(story, LegalHoldReleased, decided)
    if before is not None:
        return before, False
    standing = holds_of(story)
    if hold_id not in standing:
        has = f"those that stand: {', '.join(standing)}" if standing else "none stands"
        raise NotThere(f"sample {sample_id!r}: has no legal hold {hold_id!r}; {has}")
    return _fact(LegalHoldReleased, sample_id, hold_id, decided, len(story)), True


def _before(story: Sequence[Event], kind: type[Hold], decided: Decided) -> Hold | None:
    """The fact of a first try of unknown outcome."""
    same = (one for one in story if isinstance(one, kind) and decided.request_id)
    return next((one for one in same if one.request_id == decided.request_id), None)


def _fact(kind: type[Hold], sample_id: str, hold_id: str, decided: Decided, number: int) -> Hold:
    # Of how much was known: placed, released and placed again are three decisions.
    same = uuid5(external_id(kind.type(), sample_id, hold_id), str(number))
    fact = kind(
        sample_id=sample_id,
        hold_id=hold_id,
        role=decided.role,
        reason=decided.reason,
        request_id=decided.request_id or str(same),
    )
    return decided.says(fact)


class LogHolds:
    """HoldDesk over the log."""

    def __init__(self, log: EventLog) -> None:
        self._subjects = LogSubjects(log)

    async def place(
        self, sample_id: str, hold_id: str, decided: Decided, append: Append
    ) -> LegalHoldPlaced:
        """Say that nothing of the sample may be deleted."""
        fact, is_new = await placed(self._subjects, sample_id, hold_id, decided)
        if is_new:
            await append(fact)
        assert isinstance(fact, LegalHoldPlaced)
        return fact

    async def release(
        self, sample_id: str, hold_id: str, decided: Decided, append: Append
    ) -> LegalHoldReleased:
        """Say that this hold is over."""
        fact, is_new = await released(self._subjects, sample_id, hold_id, decided)
        if is_new:
            await append(fact)
        assert isinstance(fact, LegalHoldReleased)
        return fact
