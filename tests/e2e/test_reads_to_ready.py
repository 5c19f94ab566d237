"""From run folders and orders to cases that are ready: every row of the flow so far, for real.

Two runs of a generated cast: A has enough reads, C a fifth of it until the second run tops it up,
D and E are tumour and normal of one case, F is on the sheet and gave no reads, nobody ordered B.
"""

from __future__ import annotations

import asyncio
import json
import signal
from collections import Counter
from pathlib import Path

from genoflow.deploy.addresses import Addresses
from genoflow.deploy.generate.simulation import Wish, Written, simulate
from genoflow.deploy.settings import Settings
from genoflow.deploy.wiring import ensure_bucket, open_log, open_s3
from genoflow.events import topics
from genoflow.events.event import Event
from tests.e2e.workers import settings_of, succeeds, until, working

DEPTH = 2.0
REFERENCE = "simulated"
PROFILE = {
    "kind": "qc-profile", "document_id": "wgs-small", "version": "1", "title": "Small genomes",
    "assays": ["wgs"], "run_thresholds": [], "results_thresholds": [], "top_ups_max": 2,
    "reads_thresholds": [
        {"metric": "mean_coverage", "unit": "x", "required_min": 0.75 * DEPTH},
        {"metric": "q30_fraction", "unit": "fraction", "required_min": 0.5},
    ],
}  # fmt: skip


def reference(written: Written) -> dict[str, object]:
    """The generated genome, as a lab would publish its build."""
    genome = written.cast.genome
    contigs = [
        {"name": one.name, "length_bases": len(one.bases), "md5": "0" * 32}
        for one in genome.contigs
    ]
    return {
        "kind": "reference", "document_id": REFERENCE, "version": "1", "title": "Simulated",
        "genome_bases": genome.length, "contigs": contigs,
        "files": [
            {"kind": "fasta", "uri": "s3://references/simulated.fa", "size_bytes": 1,
             "sha256": "0" * 64}
        ],
    }  # fmt: skip


def order(case_id: str, kind: str, **members: str) -> dict[str, object]:
    """An order for these samples in their roles, all of one person."""
    return {
        "case_id": case_id, "kind": kind, "assay": "wgs", "reference": REFERENCE,
        "members": [
            {"sample_id": f"SIM-{letter}", "role": role, "subject_ref": f"P-{case_id}"}
            for letter, role in members.items()
        ],
    }  # fmt: skip


ORDERS = [
    order("CASE-A", "single", A="single"),
    order("CASE-C", "single", C="single"),
    order("CASE-DE", "tumour-normal", D="tumour", E="normal"),
]


def everything(settings: Settings) -> list[Event]:
    """Every event about runs, samples and cases."""

    async def read() -> list[Event]:
        async with open_log(settings) as log:
            return [
                record.event
                for topic in (topics.SEQUENCING_RUN, topics.SAMPLE, topics.CASE)
                async for record in log.read_topic(topic.name)
            ]

    return asyncio.run(read())


def keys(settings: Settings, kind: str) -> set[str]:
    """The subjects of which this was said."""
    return {event.key for event in everything(settings) if event.type() == kind}


def watched(settings: Settings, runs: Path) -> None:
    """The watcher takes in what these folders hold."""
    succeeds(settings, "watch", str(runs), "--once", "--every", "0.1")


def test_run_folders_and_orders_become_cases_that_are_ready(
    stack: Addresses, suffix: str, tmp_path: Path
) -> None:
    settings = settings_of(
        stack, suffix, tmp_path / "home", raw_bucket=f"raw-{suffix}",
        work_bucket=f"work-{suffix}", picard_memory_mb=512,
    )  # fmt: skip
    succeeds(settings, "topics", "apply")
    client = open_s3(settings)
    ensure_bucket(client, settings.raw_bucket)
    client.close()
    written = simulate(tmp_path / "sim", Wish(depth=DEPTH))
    first, second = written.run_folders
    later = tmp_path / "later"
    later.mkdir()
    second.rename(later / second.name)
    documents = json.dumps([PROFILE, reference(written)])
    succeeds(settings, "catalog", "publish", "-", said=documents)
    succeeds(settings, "case", "open", "-", said=json.dumps(ORDERS))
    watched(settings, first.parent)
    with working(settings, tmp_path / "first.log", "--once") as worker:
        until(lambda: keys(settings, "DemultiplexRequested"), "the demultiplexing is asked for")
        worker.send_signal(signal.SIGKILL)
    with working(settings, tmp_path / "second.log", "--once"):
        until(lambda: keys(settings, "CaseReady") >= {"CASE-A", "CASE-DE"}, "A, D and E are ready")
        until(lambda: keys(settings, "QcFailed") >= {"SIM-C", "SIM-F"}, "C and F have failed")
        assert "SIM-C failed QC" in (why := succeeds(settings, "sample", "why", "SIM-C")), why
        assert "no reads" in succeeds(settings, "sample", "why", "SIM-F")
        assert "no case names it" in succeeds(settings, "sample", "why", "SIM-B")
        succeeds(settings, "qc", "top-up", "SIM-C", "--reason", "too few reads in the first run")
        watched(settings, later)
        until(lambda: "CASE-C" in keys(settings, "CaseReady"), "C is ready after its top-up")
    said = everything(settings)
    assert Counter(e.key for e in said if e.type() == "QcPassed") == {
        f"SIM-{letter}": 1 for letter in "ACDE"
    }
    assert Counter(e.key for e in said if e.type() == "QcFailed") == {"SIM-C": 1, "SIM-F": 1}
    assert Counter(e.key for e in said if e.type() == "CaseReady") == {
        "CASE-A": 1, "CASE-C": 1, "CASE-DE": 1,
    }  # fmt: skip
    assert succeeds(settings, "parked", "list") == "nothing is parked\n"
