"""What each pipeline takes, as files that other tools read: `python -m tools.pipeline_schemas`.

Of each pipeline two files are written: nextflow_schema.json, its parameters, in the layout of
nf-schema; and assets/schema_input.json, a row of its table of samples.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from genoflow.deploy.pipelines import CALLING, PIPELINES

ROOT = Path(__file__).resolve().parents[1] / "nextflow"
DRAFT = "https://json-schema.org/draft/2020-12/schema"
ID = {"type": "string", "pattern": "^\\S+$"}
READS, ALIGNMENT = "^\\S+\\.f(ast)?q(\\.gz)?$", "^\\S+\\.(bam|cram)$"
VARIANTS = "^\\S+\\.(vcf|vcf\\.gz|bcf)$"
COLUMNS: Mapping[str, dict[str, Any]] = {
    "sample": ID | {"description": "the sample; a row for each of its read sets"},
    "read_set": ID | {"description": "the read set, or a part of it; no two rows have the same"},
    "r1": {"type": "string", "pattern": READS, "description": "first reads, or single ones"},
    "r2": {"type": "string", "pattern": READS, "description": "their mates, in the same order"},
    "alignment": {
        "type": "string", "pattern": ALIGNMENT, "description": "reads aligned to this reference",
    },
    "variants": {
        "type": "string", "pattern": VARIANTS, "description": "variants called on this reference",
    },
    "role": {"type": "string", "description": "what the sample is in the case"},
}  # fmt: skip
FILES: Mapping[str, tuple[str, ...]] = {
    "germline": ("r1", "alignment", "variants"), "panel": ("r1", "alignment"),
    "somatic": ("r1", "alignment"), "trio": ("r1", "alignment"), "rnaseq": ("r1",),
    "vcf": ("variants",),
}  # fmt: skip
ROLES: Mapping[str, list[str]] = {
    "germline": ["single", "proband", "mother", "father", "sibling", "tumour", "normal"],
    "somatic": ["tumour", "normal"], "trio": ["proband", "mother", "father"],
}  # fmt: skip
PHRED = {"type": "integer", "minimum": 0, "maximum": 99}
FILE = {"type": "string", "format": "file-path"}
PARAMETERS: Mapping[str, dict[str, Any]] = {
    "samples": FILE | {"description": "the table of samples; with commas where it ends with .csv"},
    "roles": FILE | {"description": "a table: sample, role; else the column role of the samples"},
    "case_id": {"type": "string", "default": "case", "description": "what the case is called"},
    "kind": {
        "type": "string", "default": "single", "enum": ["single", "trio", "tumour-normal"],
        "description": "what the samples are to each other",
    },
    "outdir": {
        "type": "string", "format": "directory-path", "default": "results",
        "description": "results stand in <outdir>/<kind of output>/<sample, or _case>/",
    },
    "fasta": FILE | {"description": "the reference"},
    "bed": FILE | {"description": "the regions; without them all of the reference"},
    "gtf": FILE | {"description": "the annotation of the reference"},
    "python": {
        "type": "string", "default": "python3", "description": "a Python with pybwa and pysam",
    },
    "queue": {"type": "string", "description": "of AWS Batch, with the profile awsbatch"},
    "image": {"type": "string", "description": "that holds this package, with that profile"},
    "region": {"type": "string", "description": "of AWS, with that profile"},
    "variant_caller": {
        "type": "string", "default": "bcftools", "enum": ["bcftools"],
        "description": "the program that calls; there is one",
    },
    "quality_threshold": PHRED | {
        "default": 30, "description": "quality from which on a record is kept",
    },
    "base_quality_min": PHRED | {
        "default": 20, "description": "quality from which on a base is a witness",
    },
    "mapping_quality_min": PHRED | {
        "default": 20, "description": "quality from which on an alignment is a witness",
    },
}  # fmt: skip
GROUPS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "case": (
        "What enters, and where results go",
        ("samples", "roles", "case_id", "kind", "outdir"),
    ),
    "reference": ("What it is compared with", ("fasta", "bed", "gtf")),
    CALLING: (
        "What is called",
        (
            "variant_caller",
            "quality_threshold",
            "base_quality_min",
            "mapping_quality_min",
        ),
    ),
    "machine": ("Where it runs", ("python", "queue", "image", "region")),
}
CALLED = ("germline", "panel", "trio")  # whose variants are those of the module call
REQUIRED: Mapping[str, tuple[str, ...]] = {
    "germline": (), "panel": ("bed",), "somatic": (), "trio": (), "rnaseq": ("gtf",), "vcf": (),
}  # fmt: skip


def parameters_of(name: str) -> dict[str, Any]:
    """The parameters of a pipeline by their groups."""
    groups = {}
    for group, (title, members) in GROUPS.items():
        if group == CALLING and name not in CALLED:
            continue
        known = {one: PARAMETERS[one] for one in members if one != "gtf" or name == "rnaseq"}
        always = [one for one in ("samples", "fasta") if one in known]
        required = [*always, *(one for one in REQUIRED[name] if one in known)]
        groups[group] = {"title": title, "type": "object", "properties": known} | (
            {"required": required} if required else {}
        )
    return {
        "$schema": DRAFT, "title": f"genoflow/{name}", "description": PIPELINES[name].title,
        "type": "object", "$defs": groups, "allOf": [{"$ref": f"#/$defs/{one}"} for one in groups],
    }  # fmt: skip


def samples_of(name: str) -> dict[str, Any]:
    """The table of samples of a pipeline."""
    files = FILES[name]
    mates = ("r2",) if "r1" in files else ()
    columns = {one: COLUMNS[one] for one in ("sample", "read_set", *files, *mates)}
    if name in ROLES:
        columns["role"] = COLUMNS["role"] | {"enum": ROLES[name]}
    row = {
        "type": "object", "properties": columns, "required": ["sample", "read_set"],
        "anyOf": [{"required": [one]} for one in files],
    }  # fmt: skip
    if mates:
        row["dependentRequired"] = {"r2": ["r1"]}
    return {
        "$schema": DRAFT, "title": f"Samples of genoflow/{name}", "type": "array", "minItems": 1,
        "items": row,
    }  # fmt: skip


def pages() -> dict[Path, str]:
    """Every file with its text."""
    return {
        ROOT / name / place: json.dumps(schema, indent=2) + "\n"
        for name in PIPELINES
        for place, schema in (
            ("nextflow_schema.json", parameters_of(name)),
            ("assets/schema_input.json", samples_of(name)),
        )
    }


def main() -> None:
    """Write them."""
    for path, text in pages().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(ROOT.parent))


if __name__ == "__main__":
    main()
