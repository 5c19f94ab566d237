"""Facts that answer an earlier one of their subject: by chance alone they would never agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from genoflow.events.case_ready import CaseReady
from genoflow.events.demultiplex_completed import DemultiplexCompleted
from genoflow.events.demultiplex_reopened import DemultiplexReopened
from genoflow.events.demultiplex_requested import DemultiplexRequested
from genoflow.events.event import E, Event
from genoflow.events.file_cleared import FileCleared
from genoflow.events.file_quarantined import FileQuarantined
from genoflow.events.file_restore_awaited import FileRestoreAwaited
from genoflow.events.file_restored import FileRestored
from genoflow.events.notification_failed import NotificationFailed
from genoflow.events.notification_sent import NotificationSent
from genoflow.events.proposal import ProposalRefused
from genoflow.events.qc_requested import QcRequested
from genoflow.events.repair_tried import RepairTried
from genoflow.events.rerun_proposed import RerunProposed
from genoflow.events.rerun_requested import RerunRequested
from genoflow.events.run_inputs_awaited import RunInputsAwaited
from genoflow.events.sample_sheet_amended import SampleSheetAmended
from genoflow.events.sample_sheet_attached import SampleSheetAttached
from genoflow.events.scan_requested import ScanRequested
from genoflow.events.subscription_cancelled import SubscriptionCancelled
from genoflow.events.validation_attempt_failed import ValidationAttemptFailed
from genoflow.processors.alignments import ANSWERS
from genoflow.processors.ledger import OpenEffect
from genoflow.processors.running.names import run_asked_by
from tests.examples import example

CANCELLED_ONE_IN = 5
PLACE = ("bucket", "object_key", "version_id")


def answering(event: E, before: Sequence[Event]) -> E:
    """The same fact as an answer to what came before it under its key, where it is one."""
    if isinstance(event, DemultiplexCompleted):
        asked = [one for one in before if isinstance(one, DemultiplexRequested)]
        newest = max(asked, key=lambda one: one.attempt, default=None)
        if newest is not None:
            sheets = (e for e in before if isinstance(e, SampleSheetAttached | SampleSheetAmended))
            revision = max((one.revision for one in sheets), default=1)
            return _changed(event, **_of(newest, event), sheet_revision=revision)
    if isinstance(event, RerunRequested | RerunProposed):
        causes = [one for one in before if isinstance(one, CaseReady | RerunRequested)]
        if causes:
            which = causes[-1 if isinstance(event, RerunProposed) else 0]
            return _changed(event, run_id=run_asked_by(which))
    if isinstance(event, FileCleared | FileQuarantined):
        waiting = [one for one in before if isinstance(one, ScanRequested)]
        return _changed(event, **_place_of(waiting[-1])) if waiting else event
    if isinstance(event, DemultiplexReopened):
        asked = [one for one in before if isinstance(one, DemultiplexRequested)]
        return _changed(event, attempt=max((one.attempt for one in asked), default=1))
    return event


def outcome_of(event: Event, effect: OpenEffect) -> Event:
    """The same fact as the outcome of this very effect, where it is about what that was told."""
    asked = effect.arguments
    number = effect.effect_id.int
    if isinstance(event, ProposalRefused):
        return _changed(event, proposal_event_id=UUID(asked["proposal_id"]))
    if isinstance(event, SubscriptionCancelled) and number % CANCELLED_ONE_IN:
        event = example(NotificationFailed, number)  # else hardly a subscription would live
    if isinstance(event, (QcRequested, RepairTried, *ANSWERS)):
        name = "number" if isinstance(event, RepairTried) else "round"
        return _changed(event, **{name: asked[name]})  # which tells the answers of one cause apart
    if isinstance(event, RunInputsAwaited | FileRestoreAwaited | FileRestored):
        return _changed(event, **_of_look(event, asked))
    if isinstance(event, ScanRequested | ValidationAttemptFailed):
        return _changed(event, **_of_file(event, asked))
    if isinstance(event, NotificationSent | NotificationFailed):
        return _changed(event, **_of_notice(event, asked))
    return event


def _place_of(event: Event) -> dict[str, Any]:
    return {name: getattr(event, name) for name in PLACE}


def _of_file(event: Event, asked: Mapping[str, Any]) -> dict[str, Any]:
    place = {name: asked["file"][name] for name in PLACE}
    tried = {"attempt": asked["attempt"]} if isinstance(event, ValidationAttemptFailed) else {}
    return place | tried


def _of_notice(event: Event, asked: Mapping[str, Any]) -> dict[str, Any]:
    named = {"notification_id": UUID(asked["notice"]["notification_id"])}
    named["attempt"] = asked["attempt"]
    if isinstance(event, NotificationFailed):
        named["is_final"] = asked["attempt"] >= asked["attempts_max"]
    return named


def _of_look(event: Event, asked: Mapping[str, Any]) -> dict[str, Any]:
    look = {} if isinstance(event, FileRestored) else {"look": asked["look"]}
    if isinstance(event, RunInputsAwaited):
        return look
    return look | {name: asked["file"][name] for name in PLACE}


def _of(asked: DemultiplexRequested, event: DemultiplexCompleted) -> dict[str, Any]:
    library = event.libraries[0]
    of_rows = [
        library.model_copy(
            update={
                "sample_id": row.sample_id,
                "library_id": row.library_id,
                "lane": row.lane,
                "read_set_id": f"{row.library_id}.{asked.attempt}" if number else None,
            }
        )
        for number, row in enumerate(asked.rows)
    ]
    return {"attempt": asked.attempt, "libraries": tuple(of_rows)}


def _changed(event: E, **fields: Any) -> E:
    return type(event)(**dict(event) | fields).enveloped(event.envelope)
