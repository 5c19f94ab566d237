"""The catalog: documents are checked all at once, versions never change, the newest is found."""

from __future__ import annotations

import json
from typing import Any

import pytest

from genoflow.deploy.catalog import LogCatalog, order_of
from genoflow.deploy.catalog_documents import digest, parse_documents
from genoflow.events import topics
from genoflow.events.errors import Refused
from genoflow.events.log.memory import MemoryLog
from genoflow.events.pipeline_published import PipelinePublished
from genoflow.events.qc_profile_published import QcProfilePublished
from genoflow.events.reference_published import ReferencePublished
from genoflow.processors.alignments import PANEL, panel_of
from genoflow.processors.intake.privacy import PrivacyGuard
from genoflow.processors.running.parameters import canonical
from tests import qc_facts as facts
from tests.partition import CODEC
from tests.spec import heard

Plain = dict[str, Any]
GUARD = PrivacyGuard((r"MRN\d+",))
THRESHOLD = {"metric": "mean_coverage", "unit": "x", "required_min": 30}
PROFILE: Plain = {
    "kind": "qc-profile", "document_id": "wgs-30x", "version": "1", "title": "Whole genome",
    "assays": ["wgs"], "run_thresholds": [], "reads_thresholds": [THRESHOLD],
    "results_thresholds": [], "top_ups_max": 2,
}  # fmt: skip
REFERENCE: Plain = {"kind": "reference", **facts.reference().payload()}
TARGETS: Plain = {"kind": "target-set", **facts.target_set().payload()}
PIPELINE: Plain = {
    "kind": "pipeline", "document_id": "germline", "version": "1.0", "title": "Germline",
    "engine": "nextflow", "uri": "file:///pipelines/germline", "code_sha256": "0" * 64,
    "case_kinds": ["single"], "materials": ["FASTQ"], "assays": ["wgs"],
    "parameters_schema": {"type": "object"}, "parameters": {"b": 1, "a": "x"},
    "expected_outputs": [{"kind": "variants", "per": "case", "content_type": "text/x-vcf"}],
}  # fmt: skip


def parsed(*documents: object, known: tuple[Any, ...] = ()) -> list[Any]:
    """What these documents give, as one file each."""
    texts = [(f"{number}.json", json.dumps(one)) for number, one in enumerate(documents, 1)]
    return list(parse_documents(texts, known, GUARD))


def refused(*documents: object, known: tuple[Any, ...] = ()) -> list[str]:
    """Why they are refused, line by line."""
    with pytest.raises(Refused) as caught:
        parsed(*documents, known=known)
    lines = str(caught.value).splitlines()
    assert lines[-1] == "nothing was published; mend these and try again"
    return lines[:-1]


def test_what_can_be_computed_is_computed() -> None:
    [profile] = parsed(PROFILE)
    assert isinstance(profile, QcProfilePublished)
    spelt_out = {**THRESHOLD, "required_min": 30.0, "warn_min": None}
    [same] = parsed({**PROFILE, "version": "2", "reads_thresholds": [spelt_out]})
    assert same.content_sha256 == profile.content_sha256
    [pipeline] = parsed(PIPELINE)
    assert isinstance(pipeline, PipelinePublished)
    assert pipeline.parameters_json == '{"a":"x","b":1}'
    assert pipeline.parameters_sha256 == digest(canonical({"a": "x", "b": 1}))
    assert "is said to be" in refused({**PROFILE, "content_sha256": "1" * 64})[0]


def test_a_file_holds_one_document_or_many_and_they_may_name_each_other() -> None:
    assert len(parsed([TARGETS, REFERENCE], PROFILE)) == 3
    assert parsed(TARGETS, known=(facts.reference(),)) == [facts.target_set()]
    assert refused(TARGETS) == [
        "1.json: reference: GRCh38 1 is not published; publish it first, or in the same command"
    ]


def test_all_that_is_wrong_is_said_at_once() -> None:
    bad_bounds = {**THRESHOLD, "warn_min": 20}
    lines = refused(
        [{**PROFILE, "top_ups_max": 0}, "word", {"kind": "recipe"}],
        {**PROFILE, "reads_thresholds": [bad_bounds, {**THRESHOLD, "unit": "fold"}]},
        {**PROFILE, "document_id": "x", "run_thresholds": [THRESHOLD]},
        {**REFERENCE, "genome_bases": 0},
        {**PROFILE, "document_id": "y", "title": "for MRN123456"},
    )
    text = "\n".join(lines)
    for words in (
        "1.json document 1: top_ups_max: is 0; write at least 1",
        "1.json document 2: is no JSON object",
        "1.json document 3: kind: 'recipe' is none; it can be qc-profile, reference",
        "2.json: reads_thresholds.mean_coverage: its bounds cross",
        "2.json: reads_thresholds.mean_coverage: stands twice",
        "2.json: reads_thresholds.mean_coverage: is measured in 'x', not in 'fold'",
        "3.json: run_thresholds.mean_coverage: is not measured; there are reads_total",
        "4.json: genome_bases: is 0, and the contigs together hold 1,000",
        "5.json: QcProfilePublished.title: holds what pattern 1",
    ):
        assert words in text, text


def test_a_reference_has_one_panel_of_common_variants() -> None:
    panels = [
        {"kind": PANEL, "uri": f"s3://r/{name}.vcf", "size_bytes": 1, "sha256": "1" * 64}
        for name in ("one", "other")
    ]
    files = REFERENCE["files"]
    [said] = parsed({**REFERENCE, "files": [*files, panels[0]]})
    assert panel_of(said) == said.files[-1]
    assert refused({**REFERENCE, "files": [*files, *panels]}) == [
        "1.json: files: 2 are contamination-sites; foreign reads are counted over one of them"
    ]


def test_what_is_no_json_and_what_requires_nothing_is_refused() -> None:
    with pytest.raises(Refused, match=r"f.json: is no JSON \("):
        parse_documents([("f.json", "{")], (), GUARD)
    assert refused({**PROFILE, "reads_thresholds": []}) == [
        "1.json: requires nothing; give it at least one threshold"
    ]
    twice = facts.reference().payload()["contigs"] * 2
    assert "contigs: 1 stand twice" in refused({**REFERENCE, "contigs": twice})[0]
    wide = {**TARGETS, "target_bases": 1_001}
    assert "target_bases: is 1,001, and GRCh38 1 has 1,000" in refused(REFERENCE, wide)[0]


def test_a_version_never_changes() -> None:
    known = tuple(parsed(PROFILE))
    assert parsed(PROFILE, known=known) == []
    assert parsed(PROFILE, PROFILE) == list(known)
    other = {**PROFILE, "title": "Other"}
    [line] = refused(other, known=known)
    assert "version: wgs-30x 1 is published with another content (sha256 " in line
    assert "give it a new one" in line
    assert "published with another content" in refused({**other, "version": "1.0"}, known=known)[0]
    assert "published with another content" in refused(PROFILE, other)[0]
    [line] = refused({**REFERENCE, "document_id": "wgs-30x"}, known=known)
    assert line == "1.json: document_id: wgs-30x is a qc-profile; choose another"


def test_versions_are_compared_as_numbers() -> None:
    assert order_of("1.10") > order_of("1.9") > order_of("1") == order_of("1.0.0")


async def test_the_reader_finds_the_newest_and_any_version() -> None:
    log = MemoryLog([topics.CATALOG], partitions=2, codec=CODEC)
    catalog = LogCatalog(log)
    assert await catalog.find(QcProfilePublished, "wgs-30x") is None
    assert await catalog.default_for(QcProfilePublished, "wgs") is None
    for version in ("1.9", "1.10", "1.2"):
        await log.append(heard(facts.profile(version)))
    await log.append(heard(facts.reference()))
    newest = await catalog.find(QcProfilePublished, "wgs-30x")
    assert newest == facts.profile("1.10").enveloped(newest.envelope) if newest else None
    old = await catalog.find(QcProfilePublished, "wgs-30x", "1.2.0")
    assert old is not None
    assert old.version == "1.2"
    assert await catalog.find(QcProfilePublished, "wgs-30x", "3") is None
    assert await catalog.find(ReferencePublished, "wgs-30x") is None
    chosen = await catalog.default_for(QcProfilePublished, "wgs")
    assert chosen is not None
    assert chosen.version == "1.10"
    # The first content of a version counts, whoever raced to publish another one.
    await log.append(heard(facts.profile("1.10", title="Other")))
    chosen = await catalog.find(QcProfilePublished, "wgs-30x")
    assert chosen is not None
    assert chosen.title == "Whole genome"


async def test_an_assay_that_a_newer_version_leaves_out_has_that_profile_no_more() -> None:
    log = MemoryLog([topics.CATALOG], partitions=1, codec=CODEC)
    catalog = LogCatalog(log)
    await log.append(heard(facts.profile("1", assays=("wgs", "exome"))))
    await log.append(heard(facts.profile("1", document_id="other", assays=("wgs",))))
    assert (await catalog.default_for(QcProfilePublished, "wgs")).document_id == "other"  # type: ignore[union-attr]
    await log.append(heard(facts.profile("2", assays=("wgs",))))
    assert (await catalog.default_for(QcProfilePublished, "wgs")).document_id == "wgs-30x"  # type: ignore[union-attr]
    assert await catalog.default_for(QcProfilePublished, "exome") is None
    assert [one.version for one in await catalog.documents()] == ["1", "1", "2"]
