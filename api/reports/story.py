"""A report from what the log says of a sample or a run: its verdict, its files, its events.

The same for the command, which reads the log, and for the route, which reads the audit trail.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from genoflow.api.reports.report import (
    Fact,
    FileTold,
    Judgement,
    Report,
    Share,
    Verdict,
    judgement,
    verdict_of,
)
from genoflow.events.event import Event
from genoflow.events.file_rejected import FileRejected
from genoflow.events.qc_analysis_failed import QcAnalysisFailed
from genoflow.events.qc_analysis_passed import QcAnalysisPassed
from genoflow.events.qc_analysis_requested import QcAnalysisRequested
from genoflow.events.qc_failed import QcFailed
from genoflow.events.qc_metrics_recorded import QcMetricsRecorded
from genoflow.events.qc_overridden import QcOverridden
from genoflow.events.qc_passed import QcPassed
from genoflow.events.qc_requested import QcRequested
from genoflow.events.validated import Validated

Payload = Mapping[str, Any]
OF_SAMPLE: Sequence[type[Event]] = (
    Validated, FileRejected, QcRequested, QcMetricsRecorded, QcPassed, QcFailed, QcOverridden,
    QcAnalysisRequested, QcAnalysisPassed, QcAnalysisFailed,
)  # fmt: skip
ASKED = {one.type() for one in (QcRequested, QcAnalysisRequested)}
GOOD = {"QcPassed", "QcAnalysisPassed", "SequencingRunQcPassed", "ResultsChecked"}
BAD = {"QcFailed", "QcAnalysisFailed", "SequencingRunQcFailed", "ResultsHeld"}
OF_FILES = {one.type() for one in (Validated, FileRejected)}
COUNTS = ("errors", "violations", "notes")
NO_CURVES = (
    "The log keeps the figures of each file and not its curves. `genoflow qc report` draws those, "
    "too, where the files themselves are named."
)


@dataclass(frozen=True, slots=True)
class Heard:
    """One event of the story, whoever tells it."""

    type: str
    event_id: str
    at: str
    place: str
    by: str
    payload: Payload

    @property
    def fact(self) -> Fact:
        """It as the report names it."""
        return Fact(self.type, self.event_id, self.at, self.place, self.by)


def job_of(one: Heard) -> str:
    """Which round or question an event is about; empty where it is about neither."""
    if "analysis_id" in one.payload:
        return str(one.payload["analysis_id"])
    number = one.payload.get("round")
    return f"{one.payload['sample_id']}.{number}" if number is not None else ""


def jobs_of(heard: Iterable[Heard]) -> list[str]:
    """The rounds and questions of a sample that have a verdict, in their order."""
    return list(dict.fromkeys(job_of(one) for one in heard if one.type in GOOD | BAD))


def report_of(heard: Sequence[Heard], job: str) -> Report | None:
    """The report of this round or question; None where it has no verdict."""
    story = _once(heard)
    ours = [one for one in story if job_of(one) == job]
    verdict = next((one for one in reversed(ours) if one.type in GOOD | BAD), None)
    if verdict is None:
        return None
    asked = next((one for one in reversed(ours) if one.type in ASKED), None)
    request = asked.payload if asked else {}
    judged = _judged(verdict.payload, request, _unknown(ours))
    files = list(_files(story, request))
    reason = verdict.payload.get("reason")
    overridden = next((one for one in reversed(ours) if one.type == QcOverridden.type()), None)
    if overridden is not None:
        said = overridden.payload
        reason = f"{reason} It goes on by {overridden.by}, as {said['role']}: {said['reason']}"
    sample = verdict.payload["sample_id"]
    return Report(
        title=f"Quality of {sample}",
        subject=str(sample),
        verdict=verdict_of(judged, passed=verdict.type in GOOD),
        reason=reason,
        about=_about(job, verdict.payload, request),
        judged=judged,
        files=[told for told, _ in files],
        facts=[one.fact for one in (*(of for _, of in files), *ours)],
        notes=(NO_CURVES,),
    )


def _once(heard: Iterable[Heard]) -> list[Heard]:
    """Each event the first time that it stands there: the log may hold one twice."""
    return list({one.event_id: one for one in reversed(list(heard))}.values())[::-1]


def _about(job: str, verdict: Payload, request: Payload) -> list[tuple[str, object]]:
    known = {**request, **{name: value for name, value in verdict.items() if value is not None}}
    names = ("sample_id", "assay", "material", "profile", "profile_version", "profile_sha256",
             "reference", "reference_version", "genome_bases", "target_bases", "instrument_run_id",
             "engine", "engine_version")  # fmt: skip
    told = [(name.replace("_", " "), known[name]) for name in names if known.get(name) is not None]
    return [("report of", job), *told]


def _unknown(story: Sequence[Heard]) -> dict[str, str]:
    """Why metrics of this round could not be told, as whoever measured it said."""
    told = (one for heard in story for one in heard.payload.get("unknown", ()))
    return {one["metric"]: one["reason"] for one in told}


def _judged(verdict: Payload, request: Payload, why: Mapping[str, str]) -> list[Judgement]:
    warned = {one["metric"]: one for one in request.get("thresholds", ())}
    found = [judgement(one, warned.get(one["metric"])) for one in verdict.get("measured", ())]
    return [replace(one, why=why.get(one.metric, one.why)) if one.why else one for one in found]


def _files(story: Sequence[Heard], request: Payload) -> Iterator[tuple[FileTold, Heard]]:
    """The files that were asked about, as their last validation told them."""
    last = {_version(one.payload): one for one in story if one.type in OF_FILES}
    for named in request.get("files", ()):
        if (found := last.get(_version(named))) is not None:
            yield _file(found), found


def _version(payload: Payload) -> tuple[Any, Any, Any]:
    return payload["bucket"], payload["object_key"], payload["version_id"]


def _file(one: Heard) -> FileTold:
    told = one.payload
    metrics = {name: value for name, value in told.get("metrics", {}).items() if value is not None}
    counted = {name: told[name] for name in ("reads", "bases") if told.get(name) is not None}
    names = ("version_id", "size_bytes", "sha256", "md5", "compression", "read_set_id", "role",
             "lane", "engine", "engine_version", "reason")  # fmt: skip
    facts = [(name.replace("_", " "), told.get(name)) for name in names]
    return FileTold(
        name=f"s3://{told['bucket']}/{told['object_key']}",
        format=told.get("format"),
        is_valid=one.type == Validated.type(),
        facts=[*facts, ("event", one.event_id)],
        counts={name: told.get(name) or 0 for name in COUNTS},
        findings=told.get("findings", ()),
        metrics=counted | metrics,
        is_read=False,
    )


# -- runs


def report_of_run(heard: Sequence[Heard], run_id: str) -> Report | None:
    """The report of a run of an instrument, or of a pipeline's; None where it has no verdict."""
    story = _once(heard)
    verdict = next((one for one in reversed(story) if one.type in GOOD | BAD), None)
    if verdict is None:
        return None
    judged = _judged(verdict.payload, {}, {})
    told = verdict.payload
    names = ("case_id", "profile", "profile_version", "round")
    return Report(
        title=f"Quality of run {run_id}",
        subject=run_id,
        verdict=_verdict_of_run(verdict, judged),
        reason=told.get("reason") or "; ".join(told.get("reasons", ())) or None,
        about=[("run", run_id), *((name.replace("_", " "), told.get(name)) for name in names)],
        judged=judged,
        shares=list(_shares(story)),
        facts=[one.fact for one in story],
    )


def _verdict_of_run(verdict: Heard, judged: Sequence[Judgement]) -> Verdict | None:
    return verdict_of(judged, passed=verdict.type in GOOD)


def _shares(story: Sequence[Heard]) -> Iterator[Share]:
    last = next((one for one in reversed(story) if one.type == "DemultiplexCompleted"), None)
    if last is None:
        return
    for one in last.payload["libraries"]:
        name = f"{one['sample_id']} {one['library_id']} L{one['lane']}"
        yield Share(name, one["reads"])
    yield Share("undetermined", last.payload["reads_undetermined"])
