"""What a sample can be held against by a profile that somebody named, and how it comes out.

An analysis answers a question. It reads what validation has measured, and no round of the sample,
no case and no run follows from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from genoflow.events.case_joined import CaseJoined
from genoflow.events.case_left import CaseLeft
from genoflow.events.errors import Refused
from genoflow.events.event import Event
from genoflow.events.file_quarantined import FileQuarantined
from genoflow.events.file_rejected import FileRejected
from genoflow.events.file_violations import FileViolations
from genoflow.events.metric_names import READS_UNITS, bound_faults
from genoflow.events.qc_analysis_failed import QcAnalysisFailed
from genoflow.events.qc_analysis_passed import QcAnalysisPassed
from genoflow.events.qc_analysis_proposed import QcAnalysisProposed
from genoflow.events.qc_analysis_requested import QcAnalysisRequested
from genoflow.events.read_set_file import ReadSetFile
from genoflow.events.read_set_invalidated import ReadSetInvalidated
from genoflow.events.threshold import Threshold
from genoflow.events.types import METRICS_MAX, Part
from genoflow.events.validated import Validated
from genoflow.processors.materials import MATERIAL_OF, materials_of, split_by_material
from genoflow.processors.measures import (
    INDEX_ROLES,
    METHOD_VERSION,
    Measures,
    file_name,
    measures_of,
    values_of,
)
from genoflow.processors.processor import State
from genoflow.processors.qc_metrics import SHOWN_MAX, broken, in_words, judged
from genoflow.processors.qc_profiles import SHIPPED
from genoflow.processors.sample_reads import Order, Wish
from genoflow.processors.strictness import STRICT, counted, not_taken, total_of

ENGINE = "analyze-qc"
PLACES_SHOWN_MAX = 5  # files in one sentence


class KnownFile(Part):
    """A validated file, and what was measured of it."""

    file: ReadSetFile
    lane: int | None
    measures: Measures
    violations: int = 0

    @property
    def place(self) -> str:
        """Where it is, as people write it."""
        return f"s3://{self.file.bucket}/{self.file.object_key}"


class Material(State):
    """The validated files of a sample, and what was ordered of it."""

    files: tuple[KnownFile, ...] = ()
    gone: tuple[str, ...] = ()
    quarantined: tuple[str, ...] = ()  # versions of files
    orders: tuple[Order, ...] = ()


class Question(Part):
    """What is to be held against which profile."""

    sample_id: str
    profile: str
    overrides: tuple[Threshold, ...]
    wish: Wish | None
    material: str
    files: tuple[KnownFile, ...]


FACTS = (CaseJoined, CaseLeft, Validated, FileRejected, FileQuarantined, ReadSetInvalidated)


# -- what is known of a sample


def heard(state: Material, event: Event) -> dict[str, object]:
    """What is known otherwise after this event."""
    if isinstance(event, CaseJoined):
        wish = Wish(**{name: getattr(event, name) for name in Wish.model_fields})
        others = _others(state, event.case_id)
        return {"orders": (*others, Order(case_id=event.case_id, wish=wish))}
    if isinstance(event, CaseLeft):
        return {"orders": _others(state, event.case_id)}
    if isinstance(event, ReadSetInvalidated):
        kept = tuple(one for one in state.files if one.file.read_set_id != event.read_set_id)
        return {"gone": tuple(dict.fromkeys((*state.gone, event.read_set_id))), "files": kept}
    if isinstance(event, FileRejected | FileQuarantined):
        kept = tuple(one for one in state.files if one.measures.name != file_name(event))
        if isinstance(event, FileRejected):
            return {"files": kept}
        return {"files": kept, "quarantined": (*state.quarantined, file_name(event))}
    assert isinstance(event, Validated)
    return {"files": _with_file(state, event)}


def _others(state: Material, case_id: str) -> tuple[Order, ...]:
    return tuple(one for one in state.orders if one.case_id != case_id)


def _with_file(state: Material, event: Validated) -> tuple[KnownFile, ...]:
    # Of no read set, or of one that counts no more: it is no file of this sample's material.
    if event.read_set_id is None or event.read_set_id in state.gone or event.role in INDEX_ROLES:
        return state.files
    if event.role not in MATERIAL_OF or file_name(event) in state.quarantined:
        return state.files
    named = {name: getattr(event, name) for name in ReadSetFile.model_fields}
    file = KnownFile(
        file=ReadSetFile(**named),
        lane=event.lane,
        measures=measures_of(event),
        violations=event.violations,
    )
    slot = (event.read_set_id, event.role, event.lane)
    kept = (o for o in state.files if (o.file.read_set_id, o.file.role, o.lane) != slot)
    return (*kept, file)


# -- what may be asked


def asked(state: Material, said: QcAnalysisProposed) -> Question:
    """The question of a proposal; Refused, with the reason, where it cannot be answered."""
    _check(said.profile, said.thresholds)
    files = _chosen(state, said)
    materials = materials_of(one.file.role for one in files)
    if len(materials) > 1:
        raise Refused(
            f"{said.sample_id}: has files of {' and of '.join(materials)}, and a profile is held "
            f"against one of them; name it by data_path (--data)"
        )
    return Question(
        sample_id=said.sample_id,
        profile=said.profile,
        overrides=said.thresholds,
        wish=state.orders[-1].wish if state.orders else None,
        material=materials[0],
        files=files,
    )


def _check(profile: str, overrides: Sequence[Threshold]) -> None:
    if overrides and profile in SHIPPED:
        raise Refused(
            f"parameters: the profile {profile} is the same for everybody; leave them out, or ask "
            f"by custom or by a profile of your own"
        )
    for one in overrides:
        if one.metric not in READS_UNITS:
            there = ", ".join(READS_UNITS)
            raise Refused(f"parameters.{one.metric}: is not measured; there are {there}")
        if one.unit != READS_UNITS[one.metric]:
            raise Refused(
                f"parameters.{one.metric}: is measured in {READS_UNITS[one.metric]!r}, not in "
                f"{one.unit!r}"
            )
        for fault in bound_faults(one.required_min, one.warn_min, one.warn_max, one.required_max):
            raise Refused(f"parameters.{one.metric}: {fault}")


def _chosen(state: Material, said: QcAnalysisProposed) -> tuple[KnownFile, ...]:
    if not state.files:
        raise Refused(
            f"{said.sample_id}: none of its files is validated and counts; "
            f"`genoflow sample why {said.sample_id}` tells what it waits for"
        )
    if said.bucket is None:
        return state.files
    found = tuple(one for one in state.files if _is_in(one.file, said.bucket, said.object_key))
    if not found:
        path = f"s3://{said.bucket}/{said.object_key or ''}"
        there = [one.place for one in state.files]
        more = f" and {len(there) - PLACES_SHOWN_MAX:,} more" * (len(there) > PLACES_SHOWN_MAX)
        raise Refused(
            f"data_path: {path} holds no validated file of {said.sample_id}; there are "
            f"{', '.join(there[:PLACES_SHOWN_MAX])}{more}"
        )
    return found


def _is_in(file: ReadSetFile, bucket: str, key: str | None) -> bool:
    if file.bucket != bucket:
        return False
    return (
        key is None or file.object_key == key or file.object_key.startswith(f"{key.rstrip('/')}/")
    )


# -- how it comes out


def violating(question: Question) -> tuple[FileViolations, ...]:
    """The files of the question that break a must of their specification."""
    return tuple(_counted(one) for one in question.files if one.violations)


def _counted(one: KnownFile) -> FileViolations:
    place = {"bucket": one.file.bucket, "object_key": one.file.object_key}
    return FileViolations(**place, version_id=one.file.version_id, violations=one.violations)


def overridden(
    thresholds: Sequence[Threshold], overrides: Sequence[Threshold]
) -> tuple[Threshold, ...]:
    """The thresholds of a profile, with those of the question in their place or beside them."""
    found = {one.metric: one for one in thresholds} | {one.metric: one for one in overrides}
    return tuple(found.values())


def verdict(question: Question, request: QcAnalysisRequested) -> Event:
    """Passed or failed, with every metric beside what was required of it."""
    values = values_of([one.measures for one in question.files], request.genome_bases or 0)
    known = {metric: (value, READS_UNITS[metric]) for metric, value in values.items()}
    fitting, others = split_by_material(request.thresholds, request.material, known)
    strictly = counted(request.validation, total_of(request.violating))
    measured = (*strictly, *judged(fitting, known), *others)[:METRICS_MAX]
    said: dict[str, Any] = {
        "sample_id": request.sample_id,
        "analysis_id": request.analysis_id,
        "profile": request.profile,
        "profile_version": request.profile_version,
        "measured": measured,
        "engine": ENGINE,
        "engine_version": METHOD_VERSION,
    }
    failures = broken(measured)
    way_on = "Nothing was held back: this answers a question, and the sample's rounds decide"
    if request.validation == STRICT and request.violating:
        version = request.profile_version or ""
        reason = not_taken(request.profile, version, request.violating, failures, way_on)
        return QcAnalysisFailed(**said, reason=reason)
    if not fitting:
        names = ", ".join(one.metric for one in request.thresholds[:SHOWN_MAX])
        reason = f"the profile asks for {names}, and none of it can be told of a {request.material}"
        return QcAnalysisFailed(**said, reason=f"{reason}; ask by a profile for {request.material}")
    if failures:
        return QcAnalysisFailed(**said, reason=in_words(failures, way_on))
    return QcAnalysisPassed(**said)
