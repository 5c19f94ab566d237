"""The pipelines that come with the package: where they are, and as what they are published."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from genoflow.processors.running.engine import code_sha256

SHIPPED = "package"  # package:nextflow/<name> is a folder of this package
GERMLINE = "package:nextflow/germline"
OF_READS = ("FASTQ", "BAM", "CRAM")  # which it aligns, or takes as they are aligned


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


def germline_document(
    version: str = "1", assays: tuple[str, ...] = ("wgs",), material: str = "FASTQ"
) -> dict[str, Any]:
    """The small pipeline as a document of the catalog, with the checksum of its code here.

    For VCF it is another document: it owes neither alignments nor their coverage.
    """
    folder = locate(GERMLINE)
    assert folder is not None, "it comes with the package"
    has_reads = material in OF_READS
    name, title = ("germline", "") if has_reads else ("germline-variants", ", called elsewhere")
    per_sample = {
        "bam": "application/octet-stream", "bai": "application/octet-stream",
        "coverage": "application/json",
    }  # fmt: skip
    per_case = {
        "vcf": "application/gzip", "tbi": "application/octet-stream", "report": "text/html",
    }  # fmt: skip
    return {
        "kind": "pipeline", "document_id": name, "version": version,
        "title": f"Variants of small genomes{title}", "engine": "nextflow",
        "engine_version_min": "24.10.0", "uri": GERMLINE, "code_sha256": code_sha256(folder),
        "case_kinds": ["single", "trio", "tumour-normal"],
        "materials": list(OF_READS) if has_reads else [material],
        "assays": list(assays), "parameters": {},
        "parameters_schema": {"type": "object", "additionalProperties": False},
        "expected_outputs": [
            {"kind": kind, "per": per, "content_type": content_type}
            for per, kinds in (("sample", per_sample if has_reads else {}), ("case", per_case))
            for kind, content_type in kinds.items()
        ],
    }  # fmt: skip
