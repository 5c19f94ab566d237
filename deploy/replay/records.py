"""What a replay leaves on the log, where somebody asks for it: that it was done, and what came."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from uuid import uuid4

from genoflow.deploy.people import append_said, append_together, said_by
from genoflow.deploy.replay.decide import Group, Report
from genoflow.events.divergence_found import SUBJECTS_MAX, DivergenceFound
from genoflow.events.envelope import Producer
from genoflow.events.event import Event
from genoflow.events.log.port import EventLog
from genoflow.events.qc_profile_published import QcProfilePublished
from genoflow.events.replay_completed import ReplayCompleted
from genoflow.events.replay_started import ReplayStarted
from genoflow.events.types import TEXT_CHARACTERS_MAX

GROUPS_MAX = 1_000  # of one transaction; a kind for every field of every type is less


class Minutes:
    """Keeps the minutes of one replay."""

    def __init__(self, log: EventLog, person_patterns: Sequence[str], person: str | None) -> None:
        self._log = log
        self._patterns = person_patterns
        self._person = person
        self._started: ReplayStarted | None = None

    async def begin(
        self,
        processor: str,
        commit: str | None,
        profile: QcProfilePublished | None,
        since: datetime | None,
    ) -> None:
        """Say that a replay begins, and who wants it."""
        fact = ReplayStarted(
            stream=processor,
            replay_id=uuid4(),
            revision=commit,
            since=since,
            profile=profile.document_id if profile else None,
            profile_version=profile.version if profile else None,
        )
        self._started = said_by(self._person, fact, datetime.now(UTC))
        await append_said(self._log, self._started, self._patterns, dry_run=False)

    async def begin_to_ask(self, stream: str, since: datetime | None = None) -> None:
        """Say that work is asked for again, and who wants it; the requests hold the reason."""
        await self.begin(stream, None, None, since)

    async def end_of_asking(self, chosen: int, asked: int, *, is_whole: bool) -> None:
        """Say of how many subjects how many were asked about; nothing was compared."""
        started = self._started
        assert started is not None, "it begins before it ends"
        by = Producer(service=started.envelope.producer.service, version=version("genoflow"))
        fact = ReplayCompleted(
            stream=started.stream, replay_id=started.replay_id, records=chosen, compared=0,
            decisions=asked, untold_effects=0, differences=0, is_whole=is_whole,
        )  # fmt: skip
        now, actor = datetime.now(UTC), started.envelope.actor
        said = started.follow(fact, by=by, occurred_at=now, actor=actor)
        await append_said(self._log, said, self._patterns, dry_run=False)

    async def end(self, report: Report) -> None:
        """Say what came of it, each kind of difference as a fact, all at once."""
        started = self._started
        assert started is not None, "it begins before it ends"
        by = Producer(service=started.envelope.producer.service, version=version("genoflow"))
        facts: list[Event] = [
            _divergence(started, group) for group in report.groups(1)[:GROUPS_MAX]
        ]
        facts.append(
            ReplayCompleted(
                stream=started.stream,
                replay_id=started.replay_id,
                records=report.records,
                compared=report.taken,
                decisions=report.decisions,
                untold_effects=report.untold,
                differences=len(report.differences),
                is_whole=not report.is_cut,
            )
        )
        now, actor = datetime.now(UTC), started.envelope.actor
        said = [started.follow(fact, by=by, occurred_at=now, actor=actor) for fact in facts]
        await append_together(self._log, said, self._patterns, dry_run=False)


def _divergence(started: ReplayStarted, group: Group) -> DivergenceFound:
    [example] = group.examples
    return DivergenceFound(
        stream=started.stream,
        replay_id=started.replay_id,
        kind=group.kind,
        what=group.what[:TEXT_CHARACTERS_MAX],
        differences=group.count,
        subjects_count=len(group.subjects),
        subjects=group.subjects[:SUBJECTS_MAX],
        example=f"{example.subject} at {example.cause}",
    )
