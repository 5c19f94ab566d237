"""What a person decides about reads that failed, held against what the log says of the sample."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import aclosing
from datetime import datetime
from typing import get_args
from uuid import uuid5

from genoflow.deploy.people import said_by
from genoflow.events import topics
from genoflow.events.errors import Refused
from genoflow.events.event import Event
from genoflow.events.log.partitioner import partition_of
from genoflow.events.log.port import EventLog
from genoflow.events.measured import Measured
from genoflow.events.qc_failed import QcFailed
from genoflow.events.qc_overridden import QcOverridden
from genoflow.events.qc_passed import QcPassed
from genoflow.events.qc_requested import QcRequested
from genoflow.events.top_up_requested import TopUpRequested
from genoflow.processors.qc_metrics import broken

# What a person may let go on. Mates that differ, or no reads at all, cannot be taken by any run.
CAN_BE_OVERRIDDEN = ("below threshold", "run failed")
Verdict = QcRequested | QcPassed | QcFailed | QcOverridden


async def qc_of(log: EventLog, sample_id: str) -> list[Event]:
    """What stands on the log about the quality of a sample's reads, in order."""
    name, key = topics.SAMPLE.name, sample_id.encode()
    place = (name, partition_of(key, await log.partitions(name)))
    start, stop = await log.starts(name), await log.ends(name)
    types = {kind.type() for kind in get_args(Verdict)}
    async with aclosing(log.read({place: start[place]}, {place: stop[place]})) as records:
        return [
            record.event
            async for record in records
            if record.key_bytes == key and record.type in types
        ]


def overridden(
    sample_id: str,
    story: Iterable[Event],
    *,
    reason: str,
    role: str,
    person: str | None,
    request_id: str | None,
    at: datetime,
    number: int | None = None,
) -> QcOverridden:
    """The override of the round that failed last; Refused where none holds the sample back."""
    failed = failed_last(sample_id, story, number)
    if failed.reason_code not in CAN_BE_OVERRIDDEN:
        raise Refused(
            f"{sample_id}: round {failed.round} failed because of {failed.reason_code!r}, and no "
            f"run can take such reads; {failed.reason}"
        )
    fact = QcOverridden(
        sample_id=sample_id,
        round=failed.round,
        overridden_event_id=failed.envelope.event_id,
        # Of the failure, so that the same command twice is one decision.
        request_id=request_id or str(uuid5(failed.envelope.event_id, "override")),
        role=role,
        reason=reason,
        failed_metrics=tuple(dict.fromkeys(one.metric for one in _failing(failed))),
    )
    return said_by(person, fact, at, failed)


def topped_up(
    sample_id: str,
    story: Iterable[Event],
    *,
    reason: str,
    reads: int | None,
    library_id: str | None,
    person: str | None,
    at: datetime,
    number: int | None = None,
) -> TopUpRequested:
    """The wish for more reads after the round that failed last; Refused where none did."""
    failed = failed_last(sample_id, story, number)
    wanted = reads or failed.reads_missing
    if wanted is None:
        raise Refused(
            f"{sample_id}: how many reads would be enough cannot be told from round "
            f"{failed.round}; say it with --reads"
        )
    fact = TopUpRequested(
        sample_id=sample_id,
        round=failed.round + 1,
        failed_event_id=failed.envelope.event_id,
        reads_wanted=wanted,
        reason=reason,
        library_id=library_id,
    )
    return said_by(person, fact, at, failed)


def failed_last(sample_id: str, story: Iterable[Event], number: int | None = None) -> QcFailed:
    """The failure that holds the sample back; Refused, with the reason, where there is none."""
    last: Verdict | None = None
    for event in story:
        if not isinstance(event, Verdict) or number not in (None, event.round):
            continue
        if last is None or event.round >= last.round:  # an older round may be answered later
            last = event
    if isinstance(last, QcFailed):
        return last
    raise _refusal(sample_id, last)


def _failing(failed: QcFailed) -> Iterable[Measured]:
    return broken(failed.measured) or failed.measured


def _refusal(sample_id: str, last: Verdict | None) -> Refused:
    way_on = f"`genoflow timeline {sample_id}` tells its story"
    if last is None:
        return Refused(f"{sample_id}: its reads were not judged yet; {way_on}")
    if isinstance(last, QcRequested):
        return Refused(f"{sample_id}: round {last.round} is being judged; wait for its verdict")
    if isinstance(last, QcOverridden):
        return Refused(f"{sample_id}: round {last.round} is overridden already; {way_on}")
    return Refused(f"{sample_id}: round {last.round} passed, nothing holds it back; {way_on}")
