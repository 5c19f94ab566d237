"""What a lab has on paper beside its runs: orders for the cast, and the documents they name."""

from __future__ import annotations

import hashlib
from typing import Any

from genoflow.deploy.generate.cast import MEMBERS
from genoflow.deploy.generate.genome import Genome, fasta

ASSAY = "wgs"
# Reads vary, 3 % do not pass, and ends of contigs are thin: of what was asked for, this is safe.
COVERAGE_SHARE_MIN = 0.75
Q30_FRACTION_MIN = 0.5


def orders(genome: Genome) -> list[dict[str, Any]]:
    """An order for each case of the cast, as `genoflow case open` takes them."""
    cases: dict[str, list[dict[str, str]]] = {}
    for member in MEMBERS:
        cases.setdefault(member.case_id, []).append(
            {
                "sample_id": member.sample_id,
                "role": member.role,
                "subject_ref": member.subject,
            }
        )
    return [
        {
            "case_id": case_id,
            "kind": "tumour-normal" if len(members) > 1 else "single",
            "members": members,
            "assay": ASSAY,
            "reference": genome.name,
        }
        for case_id, members in cases.items()
    ]


def documents(genome: Genome, depth: float, reference_file: str) -> list[dict[str, Any]]:
    """The QC profile and the reference, as `genoflow catalog publish` takes them."""
    packed = fasta(genome)
    profile = {
        "kind": "qc-profile",
        "document_id": f"{ASSAY}-simulated",
        "version": "1",
        "title": "Simulated genomes",
        "assays": [ASSAY],
        "run_thresholds": [],
        "reads_thresholds": [
            {
                "metric": "mean_coverage",
                "unit": "x",
                "required_min": round(COVERAGE_SHARE_MIN * depth, 3),
            },
            {"metric": "q30_fraction", "unit": "fraction", "required_min": Q30_FRACTION_MIN},
        ],
        "results_thresholds": [],
        "top_ups_max": 2,
    }
    reference = {
        "kind": "reference",
        "document_id": genome.name,
        "version": "1",
        "title": "A genome out of a seed",
        "genome_bases": genome.length,
        "contigs": [
            {
                "name": one.name,
                "length_bases": len(one.bases),
                "md5": hashlib.md5(one.bases.encode(), usedforsecurity=False).hexdigest(),
            }
            for one in genome.contigs
        ],
        "files": [
            {
                "kind": "fasta",
                "uri": f"file:{reference_file}",
                "size_bytes": len(packed),
                "sha256": hashlib.sha256(packed).hexdigest(),
            }
        ],
    }
    return [profile, reference]
