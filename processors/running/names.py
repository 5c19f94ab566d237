"""What a run and its parts are called: the same words wherever they are computed."""

from __future__ import annotations

from uuid import UUID, uuid5

from genoflow.events.case_ready import CaseReady
from genoflow.events.identity import GENOFLOW
from genoflow.events.rerun_requested import RerunRequested

MANIFEST = "manifest.json"


def run_id_of(case_ready_id: UUID) -> UUID:
    """The run that a CaseReady leads to, by the id of that event."""
    return uuid5(GENOFLOW, f"{case_ready_id}/run")


def run_asked_by(event: CaseReady | RerunRequested) -> UUID:
    """The run that a case asks for, or a person once more: the one that its order named, if any."""
    named = event.run_id if isinstance(event, CaseReady) else None
    return named or run_id_of(event.envelope.event_id)


def output_prefix(case_id: str, run_id: UUID) -> str:
    """Where everything that a run leaves stands, in the bucket of results."""
    return f"cases/{case_id}/{run_id}"


def attempt_prefix(prefix: str, attempt: int) -> str:
    """Where what one submission leaves stands: a later one never writes over it."""
    return f"{prefix}/attempt-{attempt}"


def manifest_key(prefix: str, attempt: int) -> str:
    """Where the manifest of one submission stands."""
    return f"{attempt_prefix(prefix, attempt)}/{MANIFEST}"


def job_name(run_id: UUID, attempt: int) -> str:
    """What a submission is called wherever jobs have names."""
    return f"gf-{run_id}-{attempt}"
