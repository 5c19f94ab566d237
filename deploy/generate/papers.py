"""What a lab has on paper beside its runs: orders for the cast, and the documents they name."""

from __future__ import annotations

import hashlib
from typing import Any

from genoflow.deploy.generate.cast import Cast
from genoflow.deploy.generate.genome import Genome, fasta
from genoflow.deploy.pipelines import germline_document

ASSAY = "wgs"
# Reads vary, 3 % do not pass, and ends of contigs are thin: of what was asked for, this is safe.
COVERAGE_SHARE_MIN = 0.75
Q30_FRACTION_MIN = 0.5
# Of a few reads at a place, neither genotypes nor foreign reads can be told.
COMPARED_DEPTH_MIN = 10.0
# Duplicates, ends that were cut and reads that map nowhere are gone from what a run covers.
RESULTS_COVERAGE_SHARE_MIN = 0.6
CONTAMINATION_MAX = 0.03
# 170 single-base variants of a subject: what is 2.0 over all sites lies between 1.5 and 2.7.
TI_TV_MIN, TI_TV_MAX = 1.2, 3.6
CONCORDANCE_MIN = 0.85  # strangers have 0.1, parent and child 0.25


def orders(cast: Cast) -> list[dict[str, Any]]:
    """An order for each case of the cast, as `genoflow case open` takes them."""
    cases: dict[str, list[dict[str, str]]] = {}
    for member in cast.members:
        cases.setdefault(member.case_id, []).append(
            {
                "sample_id": member.sample_id,
                "role": member.role,
                "subject_ref": member.subject,
                "declared_sex": member.sex,
            }
        )
    return [
        {
            "case_id": case_id,
            "kind": "tumour-normal" if len(members) > 1 else "single",
            "members": members,
            "assay": ASSAY,
            "reference": cast.genome.name,
        }
        for case_id, members in cases.items()
    ]


def documents(genome: Genome, depth: float, reference_file: str) -> list[dict[str, Any]]:
    """The QC profile, the reference and the pipeline, as `genoflow catalog publish` takes them."""
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
        "results_thresholds": _of_results(depth),
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
    return [profile, reference, germline_document(assays=(ASSAY,))]


def _of_results(depth: float) -> list[dict[str, Any]]:
    coverage = round(RESULTS_COVERAGE_SHARE_MIN * depth, 3)
    found: list[dict[str, Any]] = [
        {"metric": "mean_coverage", "unit": "x", "required_min": coverage}
    ]
    if depth >= COMPARED_DEPTH_MIN:
        found += [
            {"metric": "contamination", "unit": "fraction", "required_max": CONTAMINATION_MAX},
            {
                "metric": "ti_tv",
                "unit": "ratio",
                "required_min": TI_TV_MIN,
                "required_max": TI_TV_MAX,
            },
            {"metric": "concordance", "unit": "fraction", "required_min": CONCORDANCE_MIN},
        ]
    return found
