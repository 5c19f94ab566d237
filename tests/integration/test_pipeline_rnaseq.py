"""rnaseq: as many fragments of each gene and transcript as were drawn of it."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from genoflow.deploy.pipelines import PIPELINES
from tests.pipelines import assert_stub_leaves_all, owed_of, tried

NEAR, FRAGMENTS = 0.05, 3  # of the count, and at least: a fragment of adapters lies nowhere
# Two transcripts of a gene differ by one exon: most fragments fit both, and are parted.
TRANSCRIPT_NEAR, TRANSCRIPT_FRAGMENTS = 0.2, 15


def counted(path: Path, name: str) -> dict[str, float]:
    """Fragments by name."""
    with path.open(encoding="utf-8") as table:
        return {row[name]: float(row["fragments"]) for row in csv.DictReader(table, delimiter="\t")}


@pytest.mark.long
def test_fragments_are_counted_as_they_were_drawn(tmp_path: Path) -> None:
    trial = tried("rnaseq", tmp_path)
    with (trial.folder / "truth/R1.fragments.tsv").open(encoding="utf-8") as table:
        rows = [*csv.DictReader(table, delimiter="\t")]
    of_genes: Counter[str] = Counter()
    for row in rows:
        of_genes[row["gene"]] += int(row["fragments"])
    genes = counted(trial.results / "genes/R1/R1.genes.tsv", "gene")
    assert genes.keys() == of_genes.keys()
    far = {
        gene: (drawn, genes[gene])
        for gene, drawn in of_genes.items()
        if abs(genes[gene] - drawn) > max(NEAR * drawn, FRAGMENTS)
    }
    assert far == {}
    silent = {gene for gene, drawn in of_genes.items() if not drawn}
    assert silent
    assert {gene for gene, count in genes.items() if count < 1} == silent
    transcripts = counted(trial.results / "transcripts/R1/R1.transcripts.tsv", "transcript")
    drawn = {row["transcript"]: int(row["fragments"]) for row in rows}
    near = [
        abs(transcripts[name] - count) <= max(TRANSCRIPT_NEAR * count, TRANSCRIPT_FRAGMENTS)
        for name, count in drawn.items()
    ]
    assert sum(near) >= 0.9 * len(near)
    assert trial.measured("genes_detected") == {"R1": len(genes) - len(silent)}
    assert trial.measured("assigned_fraction")["R1"] > 0.98
    assert trial.left() == owed_of(PIPELINES["rnaseq"], "R1")
    assert_stub_leaves_all("rnaseq", trial, "R1")
