"""What the pages say of a field: its type in words, what it may be, and an example."""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Union, get_args, get_origin
from uuid import UUID

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from genoflow.events.topics import SAMPLE
from genoflow.events.types import Choices

# An example by the name of the field says more than one by its type.
BY_NAME: Mapping[str, str] = {
    "account_id": "account-17",
    "adapter": "picard",
    "after": "withdrawn",
    "assay": "exome",
    "before": "pathogenic variant reported",
    "bucket": "raw-reads",
    "case_id": "C-2031",
    "chemistry": "Amplicon",
    "columns_left_out": "Description",
    "completion_status": "CompletedAsPlanned",
    "compression": "bgzf",
    "container": "quay.io/lab/bwa:0.7.18",
    "control_software": "MiSeq Control Software 4.1",
    "declared": "female",
    "document_id": "germline",
    "engine": "nextflow",
    "engine_version": "24.10.0",
    "engine_version_min": "24.10.0",
    "error": "gf.sample.v1[3]@1201: 12 bytes follow the event; find their writer",
    "error_class": "MalformedEvent",
    "error_tail": "java.lang.OutOfMemoryError: Java heap space",
    "error_trace": "check_qc.py:41 decide",
    "etag": "9b2cf535f27731c974343645a3985328",
    "event_types": "ResultsPublished",
    "failed_metrics": "mean_coverage",
    "failed_process": "ALIGN",
    "failed_task_id": "ab/1f3c5d",
    "flow_cell_id": "HXXXXDSX7",
    "format": "FASTQ",
    "found": "male",
    "deadline": "news-of-the-run",
    "header": "ce_id",
    "headline": "Results of case C-2031 are published.",
    "id": "check-qc",
    "index1": "ATTACTCG",
    "index2": "TATAGCCT",
    "instrument_id": "M00123",
    "instrument_model": "MiSeq",
    "instrument_run_id": "260301_M00123_0042_000000000-ABCDE",
    "job_id": "4711",
    "job_name": "gf-3f1c6a5e-1",
    "kind": "vcf",
    "launcher": "local",
    "library_id": "S-1042-L1",
    "machine": "node-3",
    "machine_type": "m7i.xlarge",
    "manifest_key": "runs/260301_M00123_0042/manifest.json",
    "marker": "CopyComplete.txt",
    "measured_on": "S-1042",
    "metric": "mean_coverage",
    "missing_outputs": "vcf",
    "name": "chr1",
    "native_id": "4712",
    "object_key": "reads/S-1042/L1_R1.fastq.gz",
    "on_behalf_of": "account-17",
    "output_prefix": "runs/3f1c6a5e",
    "parameters_json": '{"min_quality":20}',
    "parameters_schema_json": '{"type":"object"}',
    "parked_type": "Validated",
    "pipeline": "germline",
    "platform": "illumina",
    "prefix": "runs/260301_M00123_0042",
    "problems": "line 14: index ATTACTCG stands twice in lane 1; give one of the two another",
    "process": "ALIGN",
    "processor": "check-qc",
    "processor_version": "0.1.0",
    "profile": "exome-standard",
    "project_id": "P-7",
    "purpose": "news of the run",
    "queue": "routine",
    "read_set_id": "S-1042-L1.HXXXXDSX7.1",
    "reason": "mean coverage is 11.2 x and 30 x are required; ask for a top-up",
    "reasons": "declared female and found male: check for a swap",
    "reference": "GRCh38",
    "request_id": "r-20260301-7",
    "revision": "9f2c1e7",
    "role": "laboratory director",
    "sample_id": "S-1042",
    "secret_names": "hook-2026-03",
    "service": "check-qc",
    "session_id": "1b6b2b0e-5d3f-4a0e-9c53-7f0d8f2b7a11",
    "signal": "SIGKILL",
    "source": "lims",
    "source_key": "3f1c6a5e-7a60-5b3f-9d3c-0c9f4f1f2b11",
    "source_type": "ResultsPublished",
    "specimen": "blood",
    "subject": "S-1042",
    "subject_key": "S-1042",
    "subject_ref": "subj-88c1",
    "subject_topic": SAMPLE.name,
    "subscription_id": "sub-12",
    "target": "https://lims.example.org/hooks/genoflow",
    "target_set": "exome-v8",
    "task_id": "ab/1f3c5d",
    "task_name": "ALIGN (S-1042)",
    "title": "Germline, exome",
    "tool": "picard",
    "tool_version": "3.4.0",
    "true_sample_id": "S-1043",
    "type": "QcPassed",
    "unit": "x",
    "version": "1.0.0",
    "version_id": "3sL4kqtJlcpXroDTDmJ",
    "what": "report",
}
# A text that has to look like something is recognised by its pattern.
BY_PATTERN: Sequence[tuple[str, str]] = (
    ("{4}-(0", "2026-03"),
    (r"\x1f", "stage=validated"),
    ("2[0-3]):", "22:00"),
    ("(/[", "Europe/Berlin"),
    (
        "sha256:",
        "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
    ),
    ("{40}", "1f0e2a5c9b7d4836a1c0e5f29b8d7463a0c1e2f3"),
    ("{64}", "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"),
    ("{32}-", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    ("{32}", "9b2cf535f27731c974343645a3985328"),
    ("ACGTN", "ATTACTCG"),
    ("YIUN", "Y151;I8;I8;Y151"),
    ("[a-z]+/", "text/x-vcf"),
    (r"gf\.", SAMPLE.name),
    (r"\.[0-9]+$", "1.0"),
    ("){0,2}", "1.2"),
    ("+.-]*:", "s3://raw-reads/S-1042"),
    ("{1,61}", "raw-reads"),
    ("A-Za-z0-9", "S-1042"),
)
_WORDS: Mapping[Any, tuple[str, str]] = {
    str: ("text", "some text"),
    int: ("integer", "1"),
    float: ("number", "1.0"),
    bool: ("yes or no", "true"),
    bytes: ("bytes", "0x00"),
    UUID: ("UUID", "3f1c6a5e-7a60-5b3f-9d3c-0c9f4f1f2b11"),
    datetime: ("time, UTC", "2026-03-01T10:00:00Z"),
    date: ("date", "2026-03-01"),
    Decimal: ("decimal, 6 places", "1.250000"),
}


@dataclass(frozen=True, slots=True)
class FieldFacts:
    """One row of a table."""

    name: str
    kind: str  # the type in words
    record: str | None  # the part that it is, or of which it is a list
    choices: tuple[str, ...]
    nullable: bool
    meaning: str
    example: str


def facts_of(model: type[BaseModel]) -> list[FieldFacts]:
    """A row for each field of a model, in its order."""
    return [_facts(name, info) for name, info in model.model_fields.items()]


def parts_of(models: Iterable[type[BaseModel]]) -> list[type[BaseModel]]:
    """Every record inside these models, each once, by name."""
    found: dict[str, type[BaseModel]] = {}
    waiting = list(models)
    while waiting:
        for info in waiting.pop().model_fields.values():
            inner, _, _, _ = _inner(info.annotation, list(info.metadata))
            if _is_record(inner) and inner.__name__ not in found:
                found[inner.__name__] = inner
                waiting.append(inner)
    return [found[name] for name in sorted(found)]


def _facts(name: str, info: FieldInfo) -> FieldFacts:
    inner, metadata, listed, nullable = _inner(info.annotation, list(info.metadata))
    choices = next((mark.allowed for mark in metadata if isinstance(mark, Choices)), ())
    record = inner.__name__ if _is_record(inner) else None
    kind = record or _WORDS[inner][0]
    example = "" if record else _example(name, inner, metadata, choices)
    return FieldFacts(
        name=name,
        kind=f"list of {kind}" if listed else kind,
        record=record,
        choices=tuple(choices),
        nullable=nullable,
        meaning=info.description or "",
        example=f"[{example}]" if listed and example else example,
    )


def _inner(annotation: Any, metadata: list[Any]) -> tuple[Any, list[Any], bool, bool]:
    """The innermost type with its marks, whether it is in a list, and whether it may be null."""
    listed = nullable = False
    while True:
        origin, args = get_origin(annotation), get_args(annotation)
        if origin is Annotated:
            annotation, metadata = args[0], [*metadata, *args[1:]]
        elif origin in (Union, types.UnionType):
            annotation = next(arg for arg in args if arg is not type(None))
            nullable = True
        elif origin is tuple:
            annotation, metadata, listed = args[0], [], True
        else:
            return annotation, metadata, listed, nullable


def _is_record(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _least(metadata: Sequence[Any]) -> list[int]:
    """What each of these marks allows at least; 0 of one that speaks of something else."""
    marks = [m for one in metadata for m in (one.metadata if isinstance(one, FieldInfo) else [one])]
    return [0, *(getattr(mark, "ge", 0) for mark in marks)]


def _example(name: str, inner: Any, metadata: Sequence[Any], choices: Sequence[str]) -> str:
    if choices:
        return choices[0]
    if inner is str and name.removesuffix("s") in BY_NAME and name not in BY_NAME:
        return BY_NAME[name.removesuffix("s")]
    if inner is str and name in BY_NAME:
        return BY_NAME[name]
    pattern = next((p for mark in metadata if (p := getattr(mark, "pattern", None))), None)
    if pattern:
        for part, example in BY_PATTERN:
            if part in pattern:
                return example
    if inner in (int, float):
        return str(inner(max(_least(metadata)) or 1))
    return _WORDS[inner][1]
