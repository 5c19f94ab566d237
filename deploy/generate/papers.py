"""What a lab has on paper beside its runs: orders for the cast, and the documents they name."""

from __future__ import annotations

import hashlib
from typing import Any

from genoflow.deploy.generate.cast import Cast
from genoflow.deploy.generate.genome import Genome, fasta
from genoflow.deploy.pipelines import germline_document
from genoflow.processors.alignments import PANEL

ASSAY = "wgs"
VARIANTS_PROFILE = "variants-simulated"
VARIANTS_ASSAY = "variants"  # nobody orders it: an order for variants names the profile
# Reads vary, 3 % do not pass, and ends of contigs are thin: of what was asked for, this is safe.
COVERAGE_SHARE_MIN = 0.75
Q30_FRACTION_MIN = 0.5
# Of a few reads at a place, neither genotypes nor foreign reads can be told.
COMPARED_DEPTH_MIN = 10.0
# Duplicates, ends that were cut and reads that map nowhere are gone from what a run covers.
RESULTS_COVERAGE_SHARE_MIN = 0.6
CONTAMINATION_MAX = 0.03
# 170 single-base variants of a subject: what is 2.0 over all sites lies between 1.5 and 2.7.
TI_TV = {"metric": "ti_tv", "unit": "ratio", "required_min": 1.2, "required_max": 3.6}
CONCORDANCE_MIN = 0.85  # strangers have 0.1, parent and child 0.25


def orders(cast: Cast, courier: str = "FASTQ") -> list[dict[str, Any]]:
    """An order for each case of the cast, as `genoflow case open` takes them.

    `courier` is what the sample enters as that was sequenced elsewhere.
    """
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
    elsewhere = {member.case_id for member in cast.members if member.by_courier}
    return [
        {
            "case_id": case_id,
            "kind": "tumour-normal" if len(members) > 1 else "single",
            "members": members,
            "assay": ASSAY,
            "reference": cast.genome.name,
            **(_of_courier(courier) if case_id in elsewhere else {}),
        }
        for case_id, members in cases.items()
    ]


def _of_courier(material: str) -> dict[str, str]:
    named = {"qc_profile": VARIANTS_PROFILE} if material == "VCF" else {}
    return {**({"material": material} if material != "FASTQ" else {}), **named}


def documents(
    genome: Genome,
    depth: float,
    reference_file: str,
    courier: str = "FASTQ",
    *,
    panel: tuple[str, bytes] | None = None,
) -> list[dict[str, Any]]:
    """The QC profile, the reference and the pipeline, as `genoflow catalog publish` takes them.

    Variants that come by courier have a profile and a pipeline of their own. The reference has a
    panel of common variants where one is given, with the name of its file.
    """
    files = [_file("fasta", reference_file, fasta(genome))]
    if panel is not None:
        files.append(_file(PANEL, *panel))
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
        "files": files,
    }
    found = [profile, reference, germline_document(assays=(ASSAY,))]
    if courier == "VCF":
        found += [_of_variants(), germline_document(assays=(ASSAY,), material="VCF")]
    return found


def _file(kind: str, name: str, content: bytes) -> dict[str, Any]:
    return {
        "kind": kind,
        "uri": f"file:{name}",
        "size_bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def _of_variants() -> dict[str, Any]:
    """What can be required where nothing is known of the reads."""
    return {
        "kind": "qc-profile",
        "document_id": VARIANTS_PROFILE,
        "version": "1",
        "title": "Variants of simulated genomes, called elsewhere",
        "assays": [VARIANTS_ASSAY],
        "run_thresholds": [],
        "reads_thresholds": [{"metric": "variants", "unit": "variants", "required_min": 1}],
        "results_thresholds": [TI_TV],
        "top_ups_max": 2,
    }


def _of_results(depth: float) -> list[dict[str, Any]]:
    coverage = round(RESULTS_COVERAGE_SHARE_MIN * depth, 3)
    found: list[dict[str, Any]] = [
        {"metric": "mean_coverage", "unit": "x", "required_min": coverage}
    ]
    if depth >= COMPARED_DEPTH_MIN:
        found += [
            {"metric": "contamination", "unit": "fraction", "required_max": CONTAMINATION_MAX},
            TI_TV,
            {"metric": "concordance", "unit": "fraction", "required_min": CONCORDANCE_MIN},
        ]
    return found
