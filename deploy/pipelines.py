"""The pipelines that come with the package: where they are, and as what they are published."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from genoflow.processors.running.engine import code_sha256

SHIPPED = "package"  # package:nextflow/<name> is a folder of this package
GERMLINE = "package:nextflow/germline"
OF_READS = ("FASTQ", "BAM", "CRAM")  # which it aligns, or takes as they are aligned
BINARY, TEXT, TABLE = "application/octet-stream", "text/plain", "text/tab-separated-values"
ALIGNED = {"bam": BINARY, "bai": BINARY, "coverage": "application/json", "qc": TEXT}
CALLING = "calling"  # the group of parameters that a configuration can say
CALLED = {"vcf": "application/gzip", "tbi": BINARY, "stats": TEXT, "report": "text/html"}


@dataclass(frozen=True, slots=True)
class Shipped:
    """What a pipeline takes, and what it owes of each sample and of the case."""

    title: str
    kinds: tuple[str, ...]
    materials: tuple[str, ...]
    per_sample: Mapping[str, str]
    per_case: Mapping[str, str]


PIPELINES: Mapping[str, Shipped] = {
    "germline": Shipped(
        "Variants of small genomes", ("single", "trio", "tumour-normal"), OF_READS, ALIGNED, CALLED,
    ),
    "panel": Shipped(
        "Variants of a panel of small genomes", ("single",), OF_READS,
        {**ALIGNED, "targets": TABLE}, CALLED,
    ),
    "somatic": Shipped(
        "What a tumour has and its normal has not", ("tumour-normal",), OF_READS, ALIGNED, CALLED,
    ),
    "trio": Shipped(
        "What a child does not have of its parents", ("trio",), OF_READS, ALIGNED, CALLED,
    ),
    "rnaseq": Shipped(
        "Fragments of transcripts and genes", ("single",), ("FASTQ",),
        {"genes": TABLE, "transcripts": TABLE}, {"report": "text/html"},
    ),
    "vcf": Shipped(
        "Variants called elsewhere, normalised", ("single", "trio", "tumour-normal"), ("VCF",), {},
        CALLED,
    ),
}  # fmt: skip


# What the profile awsbatch asks for one step, and how long a case takes that fits these pipelines.
LARGEST_STEP = {"cpu": 1, "memory": "8GiB"}
RUN_SECONDS = 60
# Of variants that few or poor reads show, `sensitive` keeps more; and more of what is none.
PRESETS: Mapping[str, Mapping[str, int]] = {
    "standard": {"quality_threshold": 30, "base_quality_min": 20, "mapping_quality_min": 20},
    "sensitive": {"quality_threshold": 10, "base_quality_min": 13, "mapping_quality_min": 10},
}
PRESET_FOR = ("germline", "panel")


def locate(uri: str) -> Path | None:
    """The folder of a pipeline on this machine; None for an address that is none here."""
    parts = urlsplit(uri)
    if parts.scheme == "file" and not parts.netloc:
        return Path(unquote(parts.path))
    room, _, name = parts.path.partition("/")
    if parts.scheme != SHIPPED or room != "nextflow" or not name.isidentifier():
        return None
    spec = find_spec(f"genoflow.nextflow.{name}")
    return Path(spec.origin).parent if spec is not None and spec.origin else None


def program(module: str) -> Path:
    """What a module of the pipelines runs, to be started by its path."""
    modules = locate("package:nextflow/modules")
    assert modules is not None, "they come with the package"
    return modules / module / f"{module}.py"


def pipeline_document(
    name: str, version: str = "1", assays: tuple[str, ...] = ("wgs",)
) -> dict[str, Any]:
    """A pipeline of the package as a document of the catalog, with the checksum of its code."""
    uri, about = f"{SHIPPED}:nextflow/{name}", PIPELINES[name]
    folder = locate(uri)
    assert folder is not None, "it comes with the package"
    return {
        "kind": "pipeline", "document_id": name, "version": version, "title": about.title,
        "engine": "nextflow", "engine_version_min": "24.10.0", "uri": uri,
        "code_sha256": code_sha256(folder), "case_kinds": list(about.kinds),
        "materials": list(about.materials), "assays": list(assays), "parameters": {},
        "parameters_schema": _parameters_schema(folder),
        "resource_requirements": dict(LARGEST_STEP),
        "estimated_duration_seconds": RUN_SECONDS,
        "expected_outputs": [
            {"kind": kind, "per": per, "content_type": content_type}
            for per, kinds in (("sample", about.per_sample), ("case", about.per_case))
            for kind, content_type in kinds.items()
        ],
    }  # fmt: skip


def _parameters_schema(folder: Path) -> dict[str, Any]:
    """What a configuration can say of a pipeline: all else is the flow's, or the machine's."""
    text = (folder / "nextflow_schema.json").read_text(encoding="utf-8")
    groups = {name: one for name, one in json.loads(text)["$defs"].items() if name == CALLING}
    if not groups:
        return {"type": "object", "additionalProperties": False}
    return {
        "type": "object", "$defs": groups, "unevaluatedProperties": False,
        "allOf": [{"$ref": f"#/$defs/{name}"} for name in groups],
    }  # fmt: skip


def preset_documents(name: str) -> list[dict[str, Any]]:
    """The configurations that a pipeline of the package brings, as documents of the catalog."""
    return [
        {
            "kind": "configuration", "pipeline": name, "title": title, "version": "1",
            "parameters": dict(parameters), "is_preset": True,
        }
        for title, parameters in (PRESETS.items() if name in PRESET_FOR else ())
    ]  # fmt: skip


def germline_document(
    version: str = "1", assays: tuple[str, ...] = ("wgs",), material: str = "FASTQ"
) -> dict[str, Any]:
    """The small pipeline as a document of the catalog, with the checksum of its code here.

    For VCF it is another document: it owes neither alignments nor their coverage.
    """
    of_reads = pipeline_document("germline", version, assays)
    if material in OF_READS:
        return of_reads
    owed = [one for one in of_reads["expected_outputs"] if one["per"] == "case"]
    return of_reads | {
        "document_id": "germline-variants", "title": f"{of_reads['title']}, called elsewhere",
        "materials": [material], "expected_outputs": owed,
    }  # fmt: skip
