"""The provenance of results as people read it: the same facts, with less of the ids."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from genoflow.events.stored_version import name_of
from genoflow.events.types import Part
from genoflow.projections.asking.provenance_parts import Provenance

Line = dict[str, Any]


def facts_of(told: Provenance) -> Line:
    """What `print_facts` prints: a section for what entered, what was done, and what came of it."""
    run, pipeline = told.run, told.pipeline
    found: Line = {
        "run": run.run_id, "case": f"{run.case_id}, revision {run.case_revision}",
        "state": run.state, "counts": run.counts,
        "pipeline": f"{pipeline.document_id} {pipeline.version}", "code": pipeline.uri,
        "code_sha256": pipeline.code_sha256, "code_revision": pipeline.code_revision,
        "parameters": [f"{name} {value}" for name, value in told.parameters.values.items()],
        "reference": f"{told.reference.document_id} {told.reference.version}",
        "reference_files": _lines(told.reference.files, "kind", "sha256", "uri"),
        "profile": f"{told.profile.document_id} {told.profile.version}",
    }  # fmt: skip
    if told.targets is not None:
        targets = told.targets
        found["targets"] = f"{targets.document_id} {targets.version}, sha256 {targets.sha256}"
    found["inputs"] = [
        {
            "sample": sample.sample_id, "role": sample.role, "verdict": sample.verdict,
            "read_set": file.read_set_id, "file_role": file.role, "sha256": file.sha256,
            "file": name_of(file),
        }
        for sample in told.inputs
        for file in sample.files
    ]  # fmt: skip
    found["attempts"] = _lines(
        told.attempts, "attempt", "job_id", "engine", "engine_version", "exit_code", "ended"
    )
    found["tasks"] = _lines(
        told.tasks, "process", "sample_id", "ended", "exit_code", "container_digest"
    )
    found["decisions"] = [
        {
            "did": one.did, "who": one.actor.id, "for": one.actor.on_behalf_of, "role": one.role,
            "because": one.reason, "at": one.occurred_at,
        }
        for one in told.decisions
    ]  # fmt: skip
    found["checks"] = _lines(told.checks, "metric", "measured_on", "value", "unit", "verdict")
    found["outputs"] = [
        {"kind": o.kind, "sample": o.sample_id, "sha256": o.sha256, "file": name_of(o)}
        for o in told.outputs.files
    ]
    found["events"] = [
        {
            "type": one.type, "subject": one.subject, "recorded_at": one.recorded_at,
            "by": one.producer.service, "release": one.producer.version,
            "place": f"{one.topic}[{one.partition}]@{one.offset}",
        }
        for one in told.events
    ]  # fmt: skip
    return found


def _lines(rows: Iterable[Part], *names: str) -> list[Line]:
    return [{name: getattr(row, name) for name in names} for row in rows]
