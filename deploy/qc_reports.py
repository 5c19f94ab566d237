"""Reports of quality at the command line: of files alone, and of what the log says of a subject."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from genoflow.api.reports.multiqc import multiqc_of
from genoflow.api.reports.page import page_of
from genoflow.api.reports.report import FileTold, Judgement, Report, judgement, verdict_of
from genoflow.api.reports.story import (
    NO_CURVES,
    OF_SAMPLE,
    Heard,
    job_of,
    jobs_of,
    report_of,
    report_of_run,
)
from genoflow.deploy.catalog_documents import parse_documents
from genoflow.events import topics
from genoflow.events.demultiplex_completed import DemultiplexCompleted
from genoflow.events.errors import NotThere, Refused
from genoflow.events.event import Event
from genoflow.events.file_metrics import FileMetrics
from genoflow.events.log.partitioner import partition_of
from genoflow.events.log.port import EventLog
from genoflow.events.log.recorded import Recorded
from genoflow.events.metric_names import READS_UNITS
from genoflow.events.qc_profile_published import QcProfilePublished
from genoflow.events.results_checked import ResultsChecked
from genoflow.events.results_held import ResultsHeld
from genoflow.events.sequencing_run_qc_failed import SequencingRunQcFailed
from genoflow.events.sequencing_run_qc_passed import SequencingRunQcPassed
from genoflow.processors.intake.privacy import PrivacyGuard
from genoflow.processors.measures import Measures, values_of
from genoflow.processors.qc_metrics import broken, in_words, judged
from genoflow.processors.qc_profiles import SHIPPED, required_of
from genoflow.processors.strictness import counted

Told = Mapping[str, Any]  # a line of `genoflow validate --json`
OF_INSTRUMENTS = (DemultiplexCompleted, SequencingRunQcPassed, SequencingRunQcFailed)
OF_PIPELINES = (ResultsChecked, ResultsHeld)
MATERIALS = {"FASTQ": "FASTQ", "SAM": "BAM", "BAM": "BAM", "CRAM": "CRAM", "VCF": "VCF",
             "BCF": "VCF"}  # fmt: skip
NO_PROFILE = "No profile was named, so nothing is judged here but the files by their formats."


@dataclass(frozen=True, slots=True)
class Judge:
    """By what the figures of files are judged without a server."""

    profile: str  # standard, strict, or the path of a document
    assay: str
    genome_bases: int = 0


# -- files


def of_files(told: Sequence[Told], judge: Judge | None) -> Report:
    """The report of files that were read just now; Refused where a profile cannot judge them."""
    found = [file_told(one) for one in told]
    name = found[0].name if len(found) == 1 else f"{len(found)} files"
    report = Report(title=f"Quality of {name}", files=found)
    if judge is None:
        return replace(report, notes=(NO_PROFILE,))
    profile = _profile(judge.profile)
    measured, failures = _judged(told, profile, judge)
    return replace(
        report,
        verdict=verdict_of(measured, passed=not failures),
        reason=failures or None,
        about=(
            ("profile", profile.document_id), ("profile version", profile.version),
            ("profile sha256", profile.content_sha256), ("assay", judge.assay),
            ("genome bases", judge.genome_bases or None),
        ),
        judged=measured,
    )  # fmt: skip


def file_told(told: Told) -> FileTold:
    """One line of the validator, as a report tells it."""
    names = ("version", "compression", "size_bytes", "sha256", "md5")
    return FileTold(
        name=told["file"],
        format=told["format"],
        is_valid=told["valid"],
        facts=[(name.replace("_", " "), told[name]) for name in names],
        counts=told["counts"],
        findings=told["findings"],
        metrics=told["metrics"],
    )


def _profile(name: str) -> QcProfilePublished:
    if name in SHIPPED:
        text = files("genoflow.deploy.profiles").joinpath(f"{name}.json").read_text("utf-8")
    else:
        try:
            text = Path(name).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            said = f"--profile {name}: {error}; name standard, strict, or a JSON file"
            raise Refused(said) from error
    found = parse_documents([(name, text)], [], PrivacyGuard(()))
    if len(found) != 1 or not isinstance(found[0], QcProfilePublished):
        raise Refused(f"--profile {name}: holds no QC profile, or several; name a file with one")
    return found[0]


def _judged(
    told: Sequence[Told], profile: QcProfilePublished, judge: Judge
) -> tuple[list[Judgement], str]:
    """Each metric of all files together beside its threshold, and what fails in words."""
    holding = [one for one in told if one["format"] in MATERIALS and one["metrics"]]
    materials = {MATERIALS[one["format"]] for one in holding}
    if len(materials) != 1:
        said = f"they hold {', '.join(sorted(materials))}" if materials else "none could be read"
        raise Refused(f"--profile judges files of one kind, and {said}; make a report of each kind")
    thresholds = required_of(profile, judge.assay, materials.pop())
    union = [_measures(one) for one in holding]
    values = {name: (value, READS_UNITS[name])
              for name, value in values_of(union, judge.genome_bases).items()}  # fmt: skip
    violations = sum(one["counts"]["violations"] for one in told)
    measured = (*counted(profile.validation, violations), *judged(thresholds, values))
    warned = {one.metric: one.model_dump() for one in thresholds}
    shown = [judgement(one.model_dump(), warned.get(one.metric)) for one in measured]
    if not judge.genome_bases:
        shown = [
            replace(one, why="name --genome-bases") if one.metric == "mean_coverage" else one
            for one in shown
        ]
    failures = broken(measured)
    return shown, in_words(failures, "") if failures else ""


def _measures(told: Told) -> Measures:
    metrics = told["metrics"]
    known = {name: metrics[name] for name in FileMetrics.model_fields if name in metrics}
    if "variants" not in known and "total_variants" in metrics:
        known["variants"] = metrics["total_variants"]
    return Measures(
        name=told["file"],
        reads=metrics.get("reads"),
        bases=metrics.get("bases"),
        metrics=FileMetrics(**known),
    )


def with_files(report: Report, told: Sequence[Told]) -> Report:
    """The report of a subject with the curves of these files, matched by their checksums."""
    read = {str(one["sha256"]): file_told(one) for one in told}
    shown: list[FileTold] = []
    for one in report.files:
        same = read.pop(_sha256(one), None)
        known = one if same is None else replace(same, name=one.name, facts=one.facts)
        shown.append(known)
    strangers = [
        f"{one.name} is none of the files of this report by its SHA-256: it is shown beside them"
        for one in read.values()
    ]
    notes = [one for one in report.notes if one != NO_CURVES or not all(f.is_read for f in shown)]
    return replace(report, files=[*shown, *read.values()], notes=[*notes, *strangers])


def _sha256(one: FileTold) -> str:
    return next((str(value) for name, value in one.facts if name == "sha256"), "")


# -- the log


async def of_sample(log: EventLog, sample_id: str, number: int | None) -> Report:
    """The report of a round, the last one with a verdict where none is named; else NotThere."""
    heard = await _story(log, topics.SAMPLE.name, sample_id, OF_SAMPLE)
    rounds = [job for job in jobs_of(heard) if job.startswith(f"{sample_id}.")]
    job = f"{sample_id}.{number}" if number is not None else next(iter(rounds[::-1]), "")
    report = report_of(heard, job)
    if report is None:
        known = f"there are {', '.join(rounds)}" if rounds else "no round of it has one"
        whose = job or sample_id
        raise NotThere(f"{whose}: has no verdict to report; {known}: genoflow sample why")
    return report


async def of_question(log: EventLog, analysis_id: str) -> Report:
    """The report of a question by its id; NotThere where it has no answer."""
    async for record in _records(log, topics.SAMPLE.name, None, OF_SAMPLE):
        if job_of(heard := _heard(record)) == analysis_id:
            key = str(heard.payload["sample_id"])
            found = report_of(await _story(log, record.topic, key, OF_SAMPLE), analysis_id)
            if found is not None:
                return found
            break
    raise NotThere(f"{analysis_id}: no question of this id has an answer; see genoflow qc results")


async def of_run(log: EventLog, run_id: str) -> Report:
    """The report of a run of an instrument, or of a pipeline; NotThere where it has no verdict."""
    for topic, types in (
        (topics.SEQUENCING_RUN.name, OF_INSTRUMENTS),
        (topics.RUN.name, OF_PIPELINES),
    ):
        found = report_of_run(await _story(log, topic, run_id, types), run_id)
        if found is not None:
            return found
    raise NotThere(
        f"run {run_id}: has no verdict; it is the id of an instrument's run, or of a pipeline's"
    )


async def _story(log: EventLog, topic: str, key: str, types: Sequence[type[Event]]) -> list[Heard]:
    return [_heard(record) async for record in _records(log, topic, key.encode(), types)]


async def _records(
    log: EventLog, topic: str, key: bytes | None, types: Sequence[type[Event]]
) -> Any:
    start, stop = await log.starts(topic), await log.ends(topic)
    if key is not None:
        place = (topic, partition_of(key, await log.partitions(topic)))
        start, stop = {place: start[place]}, {place: stop[place]}
    names = {one.type() for one in types}
    async with aclosing(log.read(start, stop)) as records:
        async for record in records:
            if record.type in names and key in (None, record.key_bytes):
                yield record


def _heard(record: Recorded) -> Heard:
    event = record.event
    envelope = event.envelope
    producer, actor = envelope.producer, envelope.actor
    place = f"{record.topic}[{record.partition}]@{record.offset}"
    return Heard(
        event.type(), str(envelope.event_id), envelope.occurred_at.isoformat(timespec="seconds"),
        place, f"{producer.service} {producer.version}, for {actor.id}", event.payload(),
    )  # fmt: skip


# -- what is written


def written(report: Report, out: Path, multiqc: Path | None) -> Iterator[str]:
    """Write the page, and MultiQC's files into their folder; a line for each, as it is done."""
    _write(out, page_of(report))
    valid = sum(one.is_valid is True for one in report.files)
    said = f"{valid} of {len(report.files)} valid" if report.files else "no files"
    verdict = f"; verdict: {report.verdict}" if report.verdict else ""
    yield f"{out}: {report.title}: {said}{verdict}"
    if multiqc is None:
        return
    contents = multiqc_of(report)
    _make(multiqc)
    for name, content in contents.items():
        _write(multiqc / name, json.dumps(content, allow_nan=False) + "\n")
    yield f"{multiqc}: {len(contents)} files for MultiQC"


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refused(f"--multiqc {folder}: {error}; name a folder that can be written") from error


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Refused(f"{path}: {error}; name a file that can be written") from error
