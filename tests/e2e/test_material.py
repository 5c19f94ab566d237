"""Samples that enter as BAM, CRAM and VCF, each from its sender to published results."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest

from genoflow.deploy.addresses import Addresses
from genoflow.deploy.generate.simulation import Wish, Written, simulate
from genoflow.deploy.local.artifacts import NEXTFLOW_JARS, ensure_jars
from genoflow.deploy.settings import Settings
from genoflow.deploy.wiring import ensure_bucket, open_log, open_s3
from genoflow.events import topics
from tests import alignments
from tests.e2e.workers import settings_of, succeeds, until, working

FOREIGN_MAX = 0.01  # nothing is foreign in it: as docs/metrics.md says of mixtures of 0 %
DEPTH = 12.0  # from 10 on the profile of the generated lab asks for all that it can
INDEXES = {"BAM": "bai", "CRAM": "crai", "VCF": "tbi"}  # sent with it, and so expected
CALLED = {"vcf", "tbi", "stats", "report"}
OF_READS = {"bam", "bai", "coverage", "qc", *CALLED}
OWED = {"BAM": OF_READS, "CRAM": OF_READS, "VCF": CALLED}
OTHER = "OTHER-B"  # of this one an alignment to another build comes


@pytest.fixture
def settings(stack: Addresses, suffix: str, tmp_path: Path) -> Settings:
    """A deployment of this test's own."""
    found = settings_of(
        stack, suffix, tmp_path / "home", raw_bucket=f"raw-{suffix}",
        work_bucket=f"work-{suffix}", results_bucket=f"results-{suffix}",
    )  # fmt: skip
    asyncio.run(ensure_jars(found.cache, NEXTFLOW_JARS, lambda _: None))
    client = open_s3(found)
    ensure_bucket(client, found.raw_bucket)
    client.close()
    succeeds(found, "topics", "apply")
    return found


class Cases:
    """What stands on the log about the samples and cases of this test."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def said(self, kind: str) -> dict[str, Any]:
        """Every event of a type, by its case where it is about a run, else by its subject."""

        async def read() -> dict[str, Any]:
            async with open_log(self._settings) as log:
                return {
                    str(getattr(record.event, "case_id", None) or record.key): record.event
                    for topic in (topics.SAMPLE, topics.CASE, topics.RUN)
                    async for record in log.read_topic(topic.name)
                    if record.type == kind
                }

        return asyncio.run(read())


def order(written: Path, sample: str) -> dict[str, Any]:
    """The order for the sample that comes by courier."""
    every = json.loads((written / "orders.json").read_bytes())
    [found] = [one for one in every if one["members"][0]["sample_id"] == sample]
    return dict(found)


def send(settings: Settings, material: str, written: Written, *more: str) -> None:
    """Its file with the index of it, as the courier brought them."""
    file, index = map(str, written.courier)
    words = (f"--{material.lower()}", file, f"--{INDEXES[material]}", index)
    succeeds(settings, "reads", "send", f"{material}-B", *words, *more)


@pytest.mark.long
@pytest.mark.timeout(480)  # five runs of Nextflow: 130 s beside other work
def test_each_material_becomes_published_results(settings: Settings, tmp_path: Path) -> None:
    written = {
        one: simulate(tmp_path / one, Wish(depth=DEPTH, prefix=one, courier=one)) for one in INDEXES
    }
    succeeds(settings, "catalog", "publish", str(tmp_path / "VCF" / "catalog.json"))
    # A build of the same name, with sequences of the same names and lengths, and other bases.
    other = Wish(seed=2, depth=DEPTH, prefix="BAM", courier="BAM")
    mistaken = simulate(tmp_path / "mistaken", other)
    orders = [order(tmp_path / one, f"{one}-B") for one in written]
    case_of = {one: wanted["case_id"] for one, wanted in zip(written, orders, strict=True)}
    [member] = orders[0]["members"]
    orders.append(orders[0] | {"case_id": "OTHER", "members": [member | {"sample_id": OTHER}]})
    succeeds(settings, "case", "open", "-", said=json.dumps(orders))
    cases = Cases(settings)
    build = [{"SN": "one", "LN": 5_000, "AS": "another-1"}]
    group = [{"ID": "g", "SM": OTHER}]
    (tmp_path / "other.bam").write_bytes(alignments.bam(SQ=build, RG=group))
    with working(settings, tmp_path / "work.log"):
        until(lambda: len(cases.said("CaseJoined")) == len(orders), "every sample is ordered")
        succeeds(settings, "reads", "send", OTHER, "--bam", str(tmp_path / "other.bam"))
        for material, files in written.items():
            send(settings, material, files if material != "BAM" else mistaken)
        until(lambda: cases.said("FileRejected"), "the alignment to another build is rejected")
        until(lambda: cases.said("RunFailed"), "the alignment to other bases is refused")
        read_set = _is_refused_before_submission(settings, case_of["BAM"])
        send(settings, "BAM", written["BAM"], "--read-set", read_set)
        until(
            lambda: cases.said("ResultsPublished").keys() == set(case_of.values()),
            "each material is published",
        )
    collected = cases.said("ResultsCollected")
    for material, case_id in case_of.items():
        assert {one.kind for one in collected[case_id].files} == OWED[material], material
    _is_judged_by_what_it_can_tell(cases, case_of)
    _tells_foreign_reads(settings, cases)
    _is_refused_with_a_way_on(settings, cases)
    assert succeeds(settings, "parked", "list") == "nothing is parked\n"


def _is_judged_by_what_it_can_tell(cases: Cases, case_of: dict[str, str]) -> None:
    passed, collected = cases.said("QcPassed"), cases.said("ResultsCollected")
    reads = {name: {one.metric for one in passed[f"{name}-B"].measured} for name in case_of}
    assert {"mean_coverage", "q30_fraction", "mapped_fraction"} <= reads["BAM"] & reads["CRAM"]
    assert reads["VCF"] == {"variants"}
    found = {
        name: {(one.metric, one.measured_on): one for one in collected[case_id].measurements}
        for name, case_id in case_of.items()
    }
    assert {metric for metric, _ in found["VCF"]} == {"variants", "ti_tv"}
    for name in ("BAM", "CRAM"):
        assert found[name]["sex", f"{name}-B"].found == "male"
        assert found[name]["mean_coverage", f"{name}-B"].value > 0.8 * DEPTH
        # What comes as VCF is what was planted in the same subject.
        planted, called = (found[one]["variants", None].value for one in ("VCF", name))
        assert abs(planted - called) < 0.1 * planted


def _tells_foreign_reads(settings: Settings, cases: Cases) -> None:
    """Of the BAM, over the panel of the reference; of the CRAM, why not."""
    number = cases.said("QcPassed")["BAM-B"].round
    answer = json.loads(succeeds(settings, "qc", "results", f"BAM-B.{number}", "--json"))
    [share] = [one for one in answer["measured"] if one["metric"] == "contamination"]
    assert share["why"] is None
    assert share["value"] < FOREIGN_MAX
    assert cases.said("ContaminationNotEstimated")["CRAM-B"].reason_code == "no BAM"


def _is_refused_before_submission(settings: Settings, case_id: str) -> str:
    """The read set that the way on names."""
    why = succeeds(settings, "case", "why", case_id)
    assert "was refused before it was submitted" in why
    assert "its chr1 has other bases than that of the reference, by their MD5" in why
    [name] = re.findall(r"`genoflow reads send BAM-B --bam FILE --read-set (\S+)`", why)
    return str(name)


def _is_refused_with_a_way_on(settings: Settings, cases: Cases) -> None:
    [(sample, rejected)] = cases.said("FileRejected").items()
    assert (sample, rejected.reason_code) == (OTHER, "wrong build")
    why = succeeds(settings, "sample", "why", OTHER)
    assert "its header is of another-1, and the order names simulated" in why
    assert "send it made with the build of the order, or correct the order" in why
    assert f"genoflow reads send {OTHER} --bam FILE" in why
